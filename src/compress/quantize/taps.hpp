// What the linears of a model read, while it runs in fp32: the rows that the runtime will code, and
// no padding.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "compress/model/bert.hpp"

namespace espalier::quantize {

/// The linears of a layer, by what they read: x, the heads' output, x again, the neurons' output.
enum class Input { qkv, out, up, down };

/// As reports and --tensor-type name the linear that reads it: "layer.0.ffn.down".
[[nodiscard]] std::string part_name(std::size_t layer, Input input);

/// The values of a contiguous fp32 tensor on the CPU.
[[nodiscard]] std::span<const float> values_of(const at::Tensor& tensor);

/// rows: (tokens, n_channels).
using InputVisitor = std::function<void(std::size_t layer, Input input, std::span<const float> rows,
                                        std::size_t n_channels)>;

/// Calls visit for every linear that has inputs and outputs, in the order of the model.
/// first_token_answers: of the last layer, only first tokens go past qkv, as in the runtime.
/// Gradients are off inside. One thread at a time.
void visit_inputs(const model::Bert& bert, const model::TokenTensors& tokens,
                  bool first_token_answers, const InputVisitor& visit);

}  // namespace espalier::quantize
