// What a profile of a model on this machine found: times of its parts, what surrounds them, and
// the causes that make it slower than it could be.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "espalier/espalier.hpp"
#include "format/spec.hpp"
#include "measure/latency.hpp"
#include "runtime/step_times.hpp"

namespace espalier::tools {

struct ProfileRequest {
  std::string model;
  std::string texts;
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;
  std::uint32_t max_length = 0;
  std::uint32_t threads = 0;
  double duration_s = 2;
  std::string backend = "auto";
  std::string format = "table";
  bool quiet = false;
};

/// One part of one layer, of a call at the mean.
struct ProfiledPart {
  double ms = 0;  // as if the threads shared it evenly: their sum over their number
  double multiply_adds = 0;
  std::uint64_t weight_bytes = 0;
  std::string type;  // what its weights, or its codes, are: "int8", "int4 g64"; or empty
  std::optional<double> peak_share;  // 0 to 1; nothing where it has no products or no peak is known
};

using ProfiledLayer = std::array<ProfiledPart, runtime::kStepParts>;

/// A part that is computed in floats, and why.
struct FloatPart {
  std::string name;
  std::string type;
  std::string reason;
};

/// What the machine and its other users allow.
struct MachineState {
  std::string cpu;
  std::string isa_detected;
  std::string isa_used;
  unsigned processors = 0;  // this process may use
  std::optional<double> quota_cpus;
  std::optional<double> load_before;
  std::optional<double> steal_share;
  // In the time of the measurement, processors' worth: nothing where the system does not count.
  std::optional<double> own_cpus;
  std::optional<double> other_cpus;
  bool was_full = false;  // all processors were busy nearly all of the time
  std::optional<std::string> governor;
  std::optional<double> clock_limit;
};

struct MeasuredPeak {
  std::string instructions;
  double gmac_per_s = 0;  // of all threads together
};

struct Profile {
  ModelInfo info;
  std::string backend;
  std::string backend_path;
  unsigned n_threads = 0;
  std::string workload;
  std::size_t n_texts = 0;             // of a pass
  std::uint64_t n_tokens = 0;          // of a pass
  std::uint64_t padded_tokens = 0;     // that a runtime with padding would compute in a pass
  std::uint64_t pad_tokens = 0;        // [PAD]s among the tokens of a pass
  std::size_t n_calls = 0;             // of a pass
  measure::LatencySummary call;        // without the tokenizer
  std::optional<double> tokenizer_ms;  // of a call at the mean; nothing without texts
  std::vector<ProfiledLayer> layers;   // embedding and head stand at layer 0
  std::vector<FloatPart> float_parts;
  std::optional<MeasuredPeak> int8_peak;  // nothing where no peak is known
  std::optional<MeasuredPeak> fp32_peak;
  MachineState machine;

  /// Of a call at the mean, all layers.
  [[nodiscard]] double part_ms(runtime::StepPart part) const;
  /// Of all parts.
  [[nodiscard]] double parts_ms() const;
  /// A call with its tokenizer, at the mean.
  [[nodiscard]] double whole_ms() const { return call.mean_ms + tokenizer_ms.value_or(0); }
  /// 0 to 1: of the threads' time in a call, what no part took or was spent waiting.
  [[nodiscard]] double idle_share() const;
};

/// Measures. Throws as Model::open() and Session do, Error(usage) for options that do not fit each
/// other or the model, Error(interrupted).
[[nodiscard]] Profile measure_profile(const ProfileRequest& request);

/// The parts of `spec` that are computed in floats though they could be int8, each with the reason
/// that the file's provenance gives.
[[nodiscard]] std::vector<FloatPart> float_parts_of(const format::ModelSpec& spec);

}  // namespace espalier::tools
