// A stand-in for NVIDIA's management library with the functions that the meter calls. It answers
// what a test told it through fake_nvml_state().
#include "tests/measure/fake_nvml.hpp"

using espalier::testing::FakeGpu;
using espalier::testing::FakeNvml;

namespace {

FakeNvml state;
constexpr int kInvalidArgument = 2;

}  // namespace

extern "C" {

FakeNvml* fake_nvml_state() {
  return &state;
}

int nvmlInit_v2() {
  if (state.init_result == 0) ++state.n_open;
  return state.init_result;
}

int nvmlShutdown() {
  --state.n_open;
  return 0;
}

const char* nvmlErrorString(int result) {
  return result == 3 ? "Not Supported" : result == 15 ? "GPU is lost" : "Driver Not Loaded";
}

int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = state.n_gpus;
  return state.count_result;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  if (index >= state.n_gpus) return kInvalidArgument;
  *device = &state.gpus[index];
  return state.gpus[index].handle_result;
}

int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* energy) {
  const FakeGpu& gpu = *static_cast<FakeGpu*>(device);
  *energy = gpu.millijoules;
  return gpu.energy_result;
}

}  // extern "C"
