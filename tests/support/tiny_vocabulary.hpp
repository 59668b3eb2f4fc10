// A small uncased WordPiece vocabulary of our own, plausible enough for real sentences.
#pragma once

#include <string>
#include <vector>

namespace espalier::testing {

/// Pieces in the order of their ids: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4, then single
/// characters, their ## forms, endings and common words. No duplicates.
[[nodiscard]] std::vector<std::string> tiny_vocabulary();

/// The pieces as vocab.txt holds them: one a line, each line ended by LF.
[[nodiscard]] std::string tiny_vocabulary_text();

}  // namespace espalier::testing
