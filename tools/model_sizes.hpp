// How large a model is and how much it computes, part by part, from what its file says.
#pragma once

#include <cstdint>
#include <optional>

#include "format/spec.hpp"

namespace espalier::tools {

/// Numbers and bytes of the tensors of one part of the model.
struct PartSize {
  std::uint64_t parameters = 0;  // scales of int8 weights are not counted
  std::uint64_t bytes = 0;

  void add(const format::Tensor& tensor);
  void add(const format::NormSpec& norm);
  void add(const format::LinearSpec& linear);
  void add(const std::optional<format::HeadLinear>& linear);
};

struct Sizes {
  PartSize embeddings;
  PartSize encoder;
  PartSize head;

  explicit Sizes(const format::ModelSpec& spec);

  [[nodiscard]] std::uint64_t parameters() const {
    return embeddings.parameters + encoder.parameters + head.parameters;
  }
  [[nodiscard]] std::uint64_t bytes() const {
    return embeddings.bytes + encoder.bytes + head.bytes;
  }
};

/// Multiply-adds that one layer takes for one token of a sentence of `n_tokens`: its linears, and
/// queries by keys and weights by values. Nominal: every token counts in the last layer too, where
/// only the first may be computed; norms and activations are left out.
[[nodiscard]] std::uint64_t multiply_adds(const format::ModelSpec& spec,
                                          const format::LayerSpec& layer, std::uint32_t n_tokens);

/// The same of all layers, and of the projection behind a factorised table of words.
[[nodiscard]] std::uint64_t encoder_multiply_adds(const format::ModelSpec& spec,
                                                  std::uint32_t n_tokens);

}  // namespace espalier::tools
