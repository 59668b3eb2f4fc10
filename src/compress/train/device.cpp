#include "compress/train/device.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/headeronly/version.h>

#include "base/cpu_info.hpp"
#include "espalier/error.hpp"

namespace espalier::train {

std::string_view libtorch_version() noexcept {
  return TORCH_VERSION;
}

at::Device find_device(std::string_view name) {
  if (name != "cuda") return at::kCPU;
  if (!at::globalContext().hasCUDA()) {
    throw Error(ErrorCode::unavailable,
                "--device cuda: this LibTorch has no CUDA or finds no GPU; use --device cpu, or "
                "build with a CUDA LibTorch on a machine with an NVIDIA driver");
  }
  return at::kCUDA;
}

void check_bf16(at::Device device) {
  if (!device.is_cpu() || multiplies_bf16()) return;
  throw Error(ErrorCode::unavailable,
              "--bf16: this processor has no bfloat16 products (AVX512-BF16), and without them it "
              "would be slower than fp32; leave --bf16 away");
}

int use_threads(unsigned n_threads) {
  at::set_num_threads(static_cast<int>(n_threads == 0 ? usable_cpus() : n_threads));
  return at::get_num_threads();
}

void move_to(model::Bert& bert, at::Device device) {
  model::for_each_parameter(
      bert, [device](const std::string&, at::Tensor& value) { value = value.to(device); });
}

objective::Scores judge(const objective::Judge& judge, const model::Bert& bert) {
  const at::NoGradGuard no_grad;
  return judge.judge(bert);
}

}  // namespace espalier::train
