// Where a model's numbers are rounded on their way. encode() asks it at exactly those points where
// an int8 runtime holds codes instead of numbers, so that a model can be trained, and judged, as it
// will be run; which codes those are is not known here.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>

namespace espalier::model {

/// The four products of a layer; query, key and value share one input.
enum class Product { qkv, out, up, down };

/// All calls give back a tensor of the shape of the one that they were given, which can be
/// differentiated. Const calls may come from one thread at a time.
class Rounding {
 public:
  Rounding() = default;
  virtual ~Rounding() = default;
  Rounding(const Rounding&) = delete;
  Rounding& operator=(const Rounding&) = delete;

  /// Rows of the word table, (…, hidden) or (…, embedding_rank).
  [[nodiscard]] virtual at::Tensor words(const at::Tensor& rows) const = 0;

  /// The weights that make hidden states of a factorised table's rows, (hidden, embedding_rank).
  [[nodiscard]] virtual at::Tensor word_projection(const at::Tensor& weight) const = 0;

  /// What a product of a layer reads, (sentences, tokens, in).
  [[nodiscard]] virtual at::Tensor input(std::size_t layer, Product product,
                                         const at::Tensor& x) const = 0;

  /// Its weights, (out, in); of qkv one third of them a call.
  [[nodiscard]] virtual at::Tensor weight(std::size_t layer, Product product,
                                          const at::Tensor& weight) const = 0;

  /// Queries, keys or values, (sentences, heads, tokens, head_dim).
  [[nodiscard]] virtual at::Tensor heads(const at::Tensor& x) const = 0;

  /// Attention after its softmax, (sentences, heads, tokens, tokens), for these values, which are
  /// not rounded yet: (sentences, heads, tokens, head_dim).
  [[nodiscard]] virtual at::Tensor attention(const at::Tensor& weights,
                                             const at::Tensor& values) const = 0;
};

}  // namespace espalier::model
