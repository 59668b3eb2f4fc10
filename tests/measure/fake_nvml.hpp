// What tests tell the stand-in for NVIDIA's management library, which is opened at run time.
#pragma once

#include <dlfcn.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace espalier::testing {

struct FakeGpu {
  int handle_result = 0;  // of nvmlDeviceGetHandleByIndex_v2
  int energy_result = 0;  // of nvmlDeviceGetTotalEnergyConsumption; 0: success
  unsigned long long millijoules = 0;
};

struct FakeNvml {
  int init_result = 0;
  int count_result = 0;
  unsigned n_gpus = 0;
  std::array<FakeGpu, 4> gpus{};
  int n_open = 0;  // initializations less shutdowns
};

/// Keeps the library loaded, and with it what it was told; reset to no GPU at the start.
class FakeNvmlLibrary {
 public:
  explicit FakeNvmlLibrary(const char* path) : library_(::dlopen(path, RTLD_NOW), &::dlclose) {
    if (!library_) throw std::runtime_error(::dlerror());
    auto* state = reinterpret_cast<FakeNvml* (*)()>(::dlsym(library_.get(), "fake_nvml_state"));
    if (state == nullptr) throw std::runtime_error("fake_nvml_state is not in the library");
    state_ = state();
    *state_ = FakeNvml{};
  }

  FakeNvml* operator->() const { return state_; }

 private:
  std::unique_ptr<void, int (*)(void*)> library_;
  FakeNvml* state_ = nullptr;
};

}  // namespace espalier::testing
