// From byte spans to character spans, and from free text to words for tagging.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "espalier/types.hpp"

namespace espalier::text {

/// The same ranges counted in characters (code points; each malformed part of UTF-8 is one).
/// spans: bytes of `text`, in any order; past its end reads as its end. Linear in both.
[[nodiscard]] std::vector<ByteSpan> character_spans(std::string_view text,
                                                    std::span<const ByteSpan> spans);

/// Words of free text for tagging, as views into it and in order: separated by white space, Chinese
/// characters each a word, punctuation at a word's ends split off sign by sign, inside it kept.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text);

}  // namespace espalier::text
