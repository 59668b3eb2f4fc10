// What LibTorch computes on: threads and devices, asked for by name.
#pragma once

#include <c10/core/Device.h>

#include <string_view>

#include "compress/model/bert.hpp"
#include "compress/objective/objective.hpp"

namespace espalier::train {

/// "2.15.0"
[[nodiscard]] std::string_view libtorch_version() noexcept;

/// "cpu" or "cuda". Throws Error(unavailable), with the remedy, when there is none here.
[[nodiscard]] at::Device find_device(std::string_view name);

/// Throws Error(unavailable) where bfloat16 products would be slower than fp32 ones.
void check_bf16(at::Device device);

/// Sets how many threads share an operation, in the whole process; 0: one for each processor that
/// it may use. Returns the number.
int use_threads(unsigned n_threads);

/// Moves all parameters.
void move_to(model::Bert& bert, at::Device device);

/// The judge's scores, without gradients.
[[nodiscard]] objective::Scores judge(const objective::Judge& judge, const model::Bert& bert);

}  // namespace espalier::train
