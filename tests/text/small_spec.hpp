// A vocabulary small enough to read, for tests of the tokenizer's own rules.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.hpp"

namespace espalier::text {

inline TokenizerSpec small_spec() {
  TokenizerSpec spec;
  spec.pieces = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un",  "##aff", "##able", "the",
                 "cat",   "sat",   ".",     ",",     "a",      "##b", "b",     "中",     "-"};
  return spec;
}

inline std::vector<std::string> pieces_of(const Tokenizer& tokenizer, const TokenBatch& batch) {
  std::vector<std::string> pieces;
  for (const TokenId id : batch.ids) pieces.emplace_back(tokenizer.piece(id));
  return pieces;
}

}  // namespace espalier::text
