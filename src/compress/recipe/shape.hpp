// What a model will weigh before it is made: its file and its work, from the shapes that the stages
// of a recipe leave. An estimate: which widths a cut leaves layer by layer is not known before it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compress/checkpoint/bert_config.hpp"
#include "compress/recipe/recipe.hpp"

namespace espalier::recipe {

struct LayerShape {
  double attention = 0;     ///< width of all heads together
  double intermediate = 0;  ///< of the feed-forward
};

struct Shape {
  checkpoint::Architecture architecture = checkpoint::Architecture::model;
  double hidden = 0;
  double vocabulary = 0;  ///< pieces
  double rank = 0;        ///< of a factorised word table; 0: it is whole
  double positions = 0;
  double n_labels = 0;
  double vocabulary_bytes = 0;  ///< the text of the pieces
  double float_bytes = 4;       ///< of a value that is no code: 2 where the weights are stored so
  double word_bits = 8;         ///< of a value of the word table in the file
  double layer_bits = 8;        ///< of a weight of the encoder there
  double group = 64;            ///< values that share a multiplier, where they have 4 bits
  std::vector<LayerShape> layers;
};

/// vocabulary_bytes: of its pieces as text. float_bytes: 2 for a checkpoint in 16 bits, else 4.
[[nodiscard]] Shape shape_of(const checkpoint::BertConfig& config, double vocabulary_bytes,
                             double float_bytes);

/// Bytes of the model file.
[[nodiscard]] double file_bytes(const Shape& shape);

/// Multiply-adds of the encoder for a sentence of so many tokens, every token through every layer.
[[nodiscard]] double multiply_adds(const Shape& shape, double n_tokens);

/// The shape after a stage; nothing when that cannot be told before it is done, as of a vocabulary
/// whose pieces are yet to be counted.
[[nodiscard]] std::optional<Shape> after_stage(const Shape& shape, const Stage& stage);

/// The same for stages in a row.
[[nodiscard]] std::optional<Shape> after_stages(const Shape& shape,
                                                const std::vector<Stage>& stages);

}  // namespace espalier::recipe
