// A BERT that has learnt nothing yet: its shape from options, its vocabulary from a file, a folder
// or the text that it will be trained on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli.hpp"
#include "compress/model/bert.hpp"
#include "text/tokenizer_spec.hpp"

namespace espalier::tools {

struct Shape {
  std::uint32_t layers = 4;
  std::uint32_t hidden = 256;
  std::uint32_t heads = 4;
  std::uint32_t intermediate = 0;
  std::uint32_t positions = 512;
};

template <typename Visitor>
void visit_shape(Shape& shape, Visitor&& visitor) {
  visitor({.name = "--layers", .help = "encoder layers", .min = 1, .max = 256}, shape.layers);
  visitor({.name = "--hidden", .help = "width, a multiple of the heads", .min = 8, .max = 16384},
          shape.hidden);
  visitor({.name = "--heads", .help = "attention heads", .min = 1, .max = 1024}, shape.heads);
  visitor({.name = "--intermediate",
           .help = "width of the feed-forward; without it 4 x hidden",
           .max = 65536},
          shape.intermediate);
  visitor({.name = "--positions", .help = "longest text that fits", .min = 3, .max = 65536},
          shape.positions);
}

/// How words become pieces where no tokenizer says so.
struct VocabularyRequest {
  std::uint32_t size = 30000;
  std::uint32_t min_count = 2;
  std::uint32_t max_characters = 0;
  bool cased = false;
};

template <typename Visitor>
void visit_vocabulary(VocabularyRequest& request, Visitor&& visitor) {
  visitor({.name = "--vocab-size", .help = "pieces of a new vocabulary", .min = 6, .max = 4e6},
          request.size);
  visitor({.name = "--min-count", .help = "a rarer pair of pieces is not joined", .min = 1},
          request.min_count);
  visitor({.name = "--max-characters",
           .help = "characters that become pieces, most frequent first; else all"},
          request.max_characters);
  visitor({.name = "--cased", .help = "keep capitals and accents"}, request.cased);
}

/// A vocabulary learnt from text files, plain or .gz. Says on standard error how it goes. Throws
/// Error(bad_input), naming file and line, for text that is not UTF-8.
[[nodiscard]] text::TokenizerSpec learn_vocabulary(const std::vector<std::string>& files,
                                                   const VocabularyRequest& request);

/// The tokenizer of a checkpoint folder, or the pieces of a vocab.txt (one a line), cased or not.
[[nodiscard]] text::TokenizerSpec read_vocabulary(const std::string& place, bool cased);

/// The configuration of a new masked LM. Throws Error(usage) when heads do not divide the width.
[[nodiscard]] checkpoint::BertConfig new_config(const Shape& shape,
                                                const text::TokenizerSpec& tokenizer);

}  // namespace espalier::tools
