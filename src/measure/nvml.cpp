#include "measure/nvml.hpp"

#include <dlfcn.h>

#include <memory>
#include <utility>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::measure {
namespace {

// The library's types and results, as far as they are needed.
using NvmlDevice = void*;
using NvmlResult = int;
constexpr NvmlResult kSuccess = 0;
constexpr NvmlResult kNotSupported = 3;

/// The open library, initialized. Shared by its counters.
class Nvml {
 public:
  /// Throws Error(unavailable).
  explicit Nvml(const std::string& library)
      : library_(::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL), &::dlclose) {
    if (!library_) {
      const char* error = ::dlerror();
      throw Error(ErrorCode::unavailable,
                  "no NVIDIA driver: " + printable(error == nullptr ? library : error, 200) +
                      "; if there is such a GPU, install its driver");
    }
    find("nvmlInit_v2", init_);
    find("nvmlShutdown", shutdown_);
    find("nvmlErrorString", error_string_);
    find("nvmlDeviceGetCount_v2", get_count_);
    find("nvmlDeviceGetHandleByIndex_v2", get_handle_);
    find("nvmlDeviceGetTotalEnergyConsumption", get_energy_);
    check("the NVIDIA driver", init_());
  }
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  ~Nvml() { shutdown_(); }

  [[nodiscard]] unsigned count() const {
    unsigned n_devices = 0;
    check("the NVIDIA driver", get_count_(&n_devices));
    return n_devices;
  }

  [[nodiscard]] NvmlDevice device(unsigned index, const std::string& name) const {
    NvmlDevice device = nullptr;
    check(name, get_handle_(index, &device));
    return device;
  }

  [[nodiscard]] std::uint64_t millijoules(NvmlDevice device, const std::string& name) const {
    unsigned long long energy = 0;
    check("the energy counter of " + name, get_energy_(device, &energy));
    return energy;
  }

 private:
  template <typename Function>
  void find(const char* name, Function*& function) const {
    function = reinterpret_cast<Function*>(::dlsym(library_.get(), name));
    if (function == nullptr) {
      throw Error(ErrorCode::unavailable, "the NVIDIA driver has no " + std::string(name) +
                                              "; install one of version 418 or later");
    }
  }

  void check(const std::string& what, NvmlResult result) const {
    if (result == kSuccess) return;
    const char* remedy = result == kNotSupported ? "GPUs before Volta have no such counter"
                                                 : "see what nvidia-smi says of it";
    throw Error(ErrorCode::unavailable,
                what + " cannot be read: " + printable(error_string_(result)) + " (NVML error " +
                    std::to_string(result) + "); " + remedy);
  }

  std::unique_ptr<void, int (*)(void*)> library_;
  NvmlResult (*init_)() = nullptr;
  NvmlResult (*shutdown_)() = nullptr;
  const char* (*error_string_)(NvmlResult) = nullptr;
  NvmlResult (*get_count_)(unsigned*) = nullptr;
  NvmlResult (*get_handle_)(unsigned, NvmlDevice*) = nullptr;
  NvmlResult (*get_energy_)(NvmlDevice, unsigned long long*) = nullptr;
};

EnergyCounter open_counter(const std::shared_ptr<const Nvml>& nvml, unsigned index) {
  const std::string name = "GPU " + std::to_string(index);
  NvmlDevice device = nvml->device(index, name);
  static_cast<void>(nvml->millijoules(device, name));  // now, so that a GPU without one is known
  return {.name = name, .joules_per_count = 1e-3, .read = [nvml, device, name] {
            return nvml->millijoules(device, name);
          }};
}

}  // namespace

CounterSet open_nvml(const std::string& library) {
  CounterSet set;
  try {
    if (library.empty()) throw Error(ErrorCode::unavailable, "GPUs were not asked for");
    const auto nvml = std::make_shared<const Nvml>(library);
    const unsigned n_devices = nvml->count();
    if (n_devices == 0) {
      throw Error(ErrorCode::unavailable, "the NVIDIA driver shows no GPU to this program");
    }
    std::string names;
    for (unsigned index = 0; index < n_devices; ++index) {
      try {
        set.counters.push_back(open_counter(nvml, index));
        names += (names.empty() ? "" : " + ") + set.counters.back().name;
      } catch (const Error& error) {
        set.reason += (set.reason.empty() ? "" : "; ") + std::string(error.what());
      }
    }
    if (set.counters.empty()) return set;
    if (!set.reason.empty()) set.reason = "left out: " + set.reason;
    set.source = "NVML " + names + ": whole boards with all that runs on them";
  } catch (const Error& error) {
    set.reason = error.what();
  }
  return set;
}

}  // namespace espalier::measure
