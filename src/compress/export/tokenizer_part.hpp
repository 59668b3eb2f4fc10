// The tokenizer as a model file carries it.
#pragma once

#include <cstdint>
#include <string>

#include "format/spec.hpp"
#include "text/tokenizer_spec.hpp"

namespace espalier::compress {

/// The format room's form of `spec`, whose pieces are laid end to end in `vocabulary`; the result
/// views it, so it must keep its address. Throws Error(bad_input) for what the file cannot say: a
/// piece with a line feed, an added token that is no piece of the vocabulary but could be a word.
[[nodiscard]] format::TokenizerSpec tokenizer_part(const text::TokenizerSpec& spec,
                                                   std::string& vocabulary);

}  // namespace espalier::compress
