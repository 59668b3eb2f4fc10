// The CPU back end: fused int8 steps for AVX2 and above, fp32 through oneDNN.
#pragma once

#include <memory>
#include <string>

#include "runtime/backend.hpp"

namespace espalier::runtime::cpu {

/// Which matmuls compute int8 linears; all give the same integers.
enum class Int8Matmuls : std::uint8_t {
  best,    ///< ours, but oneDNN where the processor has AMX or AVX2-VNNI, which ours lack
  own,     ///< ours
  onednn,  ///< oneDNN wherever it is: for tests; without VNNI its sums saturate
};

/// Throws Error(unavailable) below AVX2 with FMA and F16C, or when oneDNN is asked for and the
/// build has none.
[[nodiscard]] std::unique_ptr<Backend> make_cpu_backend(Int8Matmuls int8 = Int8Matmuls::best);

/// Version of oneDNN, empty when the build has none.
[[nodiscard]] std::string onednn_version();

}  // namespace espalier::runtime::cpu
