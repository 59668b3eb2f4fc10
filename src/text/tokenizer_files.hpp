// Puts a tokenizer's files into a checkpoint folder: those of a new vocabulary, or another
// folder's. tokenizer_spec.hpp reads them back.
#pragma once

#include <filesystem>

#include "base/atomic_file.hpp"
#include "text/tokenizer_spec.hpp"

namespace espalier::text {

/// Writes vocab.txt and tokenizer_config.json into `folder`, which exists, so that
/// load_tokenizer_spec and the BERT classes of the transformers package read `spec` from it; each
/// file whole or not at all. Tokenizer files of another kind that lie there would win over these:
/// an error with Overwrite::refuse, removed with Overwrite::replace.
/// Throws Error(bad_input) as validate() does and for what these two files cannot say: added tokens
/// that no word may hold, cleaning switched off, a continuation other than "##", words not cut
/// off at 100 characters, a piece with a line end; Error(output) when a file exists and may not be
/// replaced or cannot be written, before anything is changed where that can be known.
void write_tokenizer(const std::filesystem::path& folder, const TokenizerSpec& spec,
                     Overwrite overwrite);

/// Throws the Error(bad_input) that write_tokenizer() would; for a writer of several files that
/// must know before the first.
void check_expressible(const TokenizerSpec& spec);

/// Copies the tokenizer files of the checkpoint folder `from` to the folder `to`, which exists,
/// byte for byte: tokenizer.json, tokenizer_config.json, vocab.txt, special_tokens_map.json and
/// added_tokens.json, as far as they are there. Others of these names in `to` are treated as above.
/// Does nothing when both are one folder. Throws Error(bad_input) when `from` holds neither
/// tokenizer.json nor vocab.txt or a file cannot be read, Error(output) as above.
void copy_tokenizer(const std::filesystem::path& from, const std::filesystem::path& to,
                    Overwrite overwrite);

}  // namespace espalier::text
