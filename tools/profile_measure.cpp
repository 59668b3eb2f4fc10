// Takes the times of a profile. Peaks are taken before and after, so that one of them is likely not
// disturbed.
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "api/model_impl.hpp"
#include "base/cpu_info.hpp"
#include "compress/export/precision_rules.hpp"
#include "interrupt.hpp"
#include "measure/machine.hpp"
#include "measure/peak.hpp"
#include "output.hpp"
#include "profile.hpp"
#include "runtime/executor.hpp"
#include "runtime/step_work.hpp"
#include "text_file.hpp"
#include "workload.hpp"

namespace espalier::tools {
namespace {

using runtime::kStepParts;
using runtime::StepPart;

constexpr std::size_t kMostTexts = 1000;  // enough for the mix of lengths, and a pass stays short
constexpr std::uint32_t kTextsOfACall = 32;
constexpr double kMsPerS = 1000;

/// The calls of a pass, as tokens and, where texts were given, as texts.
struct Calls {
  std::string description;
  std::vector<std::string> lines;
  std::vector<std::vector<Text>> texts;  // (calls), views into lines; empty without texts
  std::vector<TokenBatch> tokens;        // (calls)
};

Calls calls_of(const ProfileRequest& request, const Model& model, std::uint32_t max_length) {
  Calls calls;
  if (request.texts.empty()) {
    std::vector<std::uint32_t> lengths(kMixedLengths.begin(), kMixedLengths.end());
    if (request.batch != 0 || request.seq != 0) {
      lengths.assign(std::max(request.batch, 1U), request.seq == 0 ? 32 : request.seq);
    }
    for (std::uint32_t& length : lengths) length = std::min(length, max_length);
    calls.tokens.push_back(random_batch(model, lengths, model.info().vocabulary_size));
    calls.description = "random pieces, calls of " + std::to_string(lengths.size()) +
                        " sentences, " + std::to_string(lengths.front()) + " to " +
                        std::to_string(lengths.back()) + " tokens each";
    return calls;
  }
  if (request.seq != 0) {
    throw Error(ErrorCode::usage,
                "--seq is for sentences of random pieces; leave it out with "
                "--texts, or use --max-length");
  }
  calls.lines = read_texts(request.texts, kMostTexts);
  const std::size_t n_of_call = request.batch == 0 ? kTextsOfACall : request.batch;
  for (std::size_t begin = 0; begin < calls.lines.size(); begin += n_of_call) {
    const std::size_t n = std::min(n_of_call, calls.lines.size() - begin);
    calls.texts.push_back(texts_of(std::span(calls.lines).subspan(begin, n)));
    calls.tokens.push_back(model.tokenizer().encode(calls.texts.back(), max_length));
  }
  calls.description = std::to_string(calls.lines.size()) + " texts in calls of " +
                      std::to_string(std::min(n_of_call, calls.lines.size()));
  return calls;
}

std::uint32_t checked_length(std::uint32_t wanted, std::uint32_t models) {
  if (wanted > models) {
    throw Error(ErrorCode::usage, "--max-length is " + std::to_string(wanted) +
                                      ", the model takes up to " + std::to_string(models));
  }
  return wanted == 0 ? models : wanted;
}

void count_tokens(Profile& profile, const Calls& calls, std::uint32_t pad) {
  for (const TokenBatch& batch : calls.tokens) {
    std::uint32_t longest = 0;
    for (std::size_t sentence = 0; sentence < batch.n_sentences(); ++sentence) {
      longest = std::max(longest, batch.offsets[sentence + 1] - batch.offsets[sentence]);
    }
    profile.n_texts += batch.n_sentences();
    profile.n_tokens += batch.n_tokens();
    profile.padded_tokens += std::uint64_t{longest} * batch.n_sentences();
    if (calls.texts.empty()) continue;  // random pieces: any id stands for a word
    profile.pad_tokens += static_cast<std::uint64_t>(
        std::count(batch.ids.begin(), batch.ids.end(), static_cast<TokenId>(pad)));
  }
}

/// What a part's products are made of; nothing for what has none.
std::optional<compress::PartType> stored_type(const format::ModelSpec& spec, std::size_t layer,
                                              StepPart part) {
  const auto of = [](const format::LinearSpec& linear) {
    return compress::PartType(linear.precision, linear.group);
  };
  const format::LayerSpec& own = spec.layers[layer];
  switch (part) {
    case StepPart::qkv:
      return of(own.qkv);
    case StepPart::attention:
      return spec.precision;
    case StepPart::out:
      return of(own.out);
    case StepPart::up:
      return of(own.up);
    case StepPart::down:
      return of(own.down);
    case StepPart::embedding:
      if (layer == 0) return compress::precisions_of(spec).front();
      break;
    case StepPart::head:
      if (layer == 0) return Precision::fp32;
      break;
    case StepPart::waiting:
      break;
  }
  return std::nullopt;
}

/// Runs passes and adds up what they took.
class Timer {
 public:
  Timer(const Model& model, const Calls& calls, runtime::Executor& executor,
        std::uint32_t max_length)
      : model_(model),
        calls_(calls),
        executor_(executor),
        max_length_(max_length),
        times_(executor.n_threads(), runtime::StepTimes(executor.spec().layers.size())) {
    std::size_t largest = 0;
    for (const TokenBatch& batch : calls.tokens) {
      largest = std::max(largest, executor.output_size(batch));
    }
    answers_.resize(largest);
  }

  /// One pass that does not count, then passes for `duration_s`, at least one.
  void run(double duration_s) {
    pass();
    calls_ms_.clear();
    tokenizer_ms_ = 0;
    executor_.record_times(times_);
    const measure::Stopwatch watch;
    do {
      pass();
    } while (watch.elapsed_ms() < duration_s * kMsPerS);
    executor_.record_times({});
  }

  void fill(Profile& profile, const runtime::StepWork& work) const {
    const auto n_calls = static_cast<double>(calls_ms_.size());
    profile.call = measure::summarize(calls_ms_);
    if (!calls_.texts.empty()) profile.tokenizer_ms = tokenizer_ms_ / n_calls;
    const format::ModelSpec& spec = executor_.spec();
    profile.layers.resize(spec.layers.size());
    for (std::size_t layer = 0; layer < profile.layers.size(); ++layer) {
      for (std::size_t index = 0; index < kStepParts; ++index) {
        const auto part = static_cast<StepPart>(index);
        ProfiledPart& own = profile.layers[layer][index];
        for (const runtime::StepTimes& times : times_) own.ms += times.ms(layer, part);
        own.ms /= n_calls * executor_.n_threads();
        own.multiply_adds =
            work[layer][index].multiply_adds / static_cast<double>(calls_.tokens.size());
        own.weight_bytes = work[layer][index].weight_bytes;
        const std::optional<compress::PartType> type = stored_type(spec, layer, part);
        if (type) own.type = type_text(*type);
        const bool is_int8 = type && type->precision == Precision::int8;
        const std::optional<MeasuredPeak>& peak = is_int8 ? profile.int8_peak : profile.fp32_peak;
        if (own.multiply_adds > 0 && own.ms > 0 && peak) {
          own.peak_share = own.multiply_adds / (own.ms * 1e6 * peak->gmac_per_s);
        }
      }
    }
  }

 private:
  void pass() {
    for (std::size_t call = 0; call < calls_.tokens.size(); ++call) {
      throw_if_interrupted();
      measure::Stopwatch watch;
      if (!calls_.texts.empty()) {
        static_cast<void>(model_.tokenizer().encode(calls_.texts[call], max_length_));
        tokenizer_ms_ += watch.elapsed_ms();
      }
      const TokenBatch& batch = calls_.tokens[call];
      const std::span<float> answers = std::span(answers_).first(executor_.output_size(batch));
      watch.restart();
      executor_.run(batch, answers);
      calls_ms_.push_back(watch.elapsed_ms());
    }
  }

  const Model& model_;
  const Calls& calls_;
  runtime::Executor& executor_;
  std::uint32_t max_length_;
  std::vector<runtime::StepTimes> times_;  // (threads)
  std::vector<float> answers_;
  std::vector<double> calls_ms_;
  double tokenizer_ms_ = 0;
};

/// The sum over the calls of a pass; bytes are those of one call, which reads each weight once.
runtime::StepWork work_of(const format::ModelSpec& spec, const Calls& calls) {
  const bool first_only = runtime::head_plan(spec).last_layer == runtime::Rows::first_of_each;
  runtime::StepWork sum(spec.layers.size());
  for (const TokenBatch& batch : calls.tokens) {
    const runtime::StepWork one = runtime::count_work(spec, batch, first_only);
    for (std::size_t layer = 0; layer < sum.size(); ++layer) {
      for (std::size_t part = 0; part < kStepParts; ++part) {
        sum[layer][part].multiply_adds += one[layer][part].multiply_adds;
        sum[layer][part].weight_bytes = one[layer][part].weight_bytes;
      }
    }
  }
  return sum;
}

/// The better of what was known and a new measurement. Nothing on processors without a peak.
std::optional<MeasuredPeak> better_peak(std::optional<MeasuredPeak> known, measure::PeakOp (*op)(),
                                        ThreadTeam& team) {
  try {
    const double rate = measure::peak_gmac_per_s(op(), team);
    if (!known || known->gmac_per_s < rate) {
      return MeasuredPeak{std::string(measure::name_of(op())), rate};
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unavailable) throw;
  }
  return known;
}

void measure_peaks(Profile& profile, ThreadTeam& team) {
  profile.int8_peak = better_peak(profile.int8_peak, measure::int8_op_in_use, team);
  profile.fp32_peak = better_peak(profile.fp32_peak, measure::fp32_op_in_use, team);
}

/// Watches from its making on who computes on this machine.
class Neighbours {
 public:
  void fill(MachineState& machine) const {
    const std::optional<measure::MachineTicks> now = measure::machine_ticks();
    const double own_s = static_cast<double>(std::clock() - own_) / CLOCKS_PER_SEC;
    const double wall_s = watch_.elapsed_ms() / kMsPerS;
    if (!before_ || !now || now->busy <= before_->busy) return;
    const auto ticks_per_s = static_cast<double>(sysconf(_SC_CLK_TCK));
    const double busy_s = static_cast<double>(now->busy - before_->busy) / ticks_per_s;
    const double idle_s =
        static_cast<double>(now->idle - std::min(now->idle, before_->idle)) / ticks_per_s;
    machine.steal_share = measure::steal_share(*before_, *now);
    machine.own_cpus = own_s / wall_s;
    machine.other_cpus = std::max(0.0, busy_s - own_s) / wall_s;
    machine.was_full = busy_s > kFull * (busy_s + idle_s);
  }

 private:
  static constexpr double kFull = 0.9;

  std::optional<measure::MachineTicks> before_ = measure::machine_ticks();
  std::clock_t own_ = std::clock();  // CPU time of all threads of this process
  measure::Stopwatch watch_;
};

MachineState machine_now() {
  MachineState machine;
  machine.cpu = cpu_name();
  machine.isa_detected = isa_name(detected_isa());
  machine.isa_used = isa_name(usable_isa());
  machine.processors = usable_cpus();
  machine.quota_cpus = measure::cpu_quota();
  machine.load_before = measure::load_average();
  machine.governor = measure::clock_governor();
  machine.clock_limit = measure::clock_limit();
  return machine;
}

}  // namespace

Profile measure_profile(const ProfileRequest& request) {
  const Model model = Model::open(request.model);
  const std::uint32_t max_length = checked_length(request.max_length, model.info().max_length);
  const Calls calls = calls_of(request, model, max_length);
  const Model::Impl::Prepared& prepared = model.impl().prepared(request.backend);
  const format::ModelSpec& spec = model.impl().spec();
  runtime::Executor executor(*prepared.chosen.backend, *prepared.model, spec,
                             request.threads == 0 ? usable_cpus() : request.threads,
                             runtime::default_limits(spec));
  Profile profile;
  profile.info = model.info();
  profile.backend = prepared.chosen.name;
  profile.backend_path = prepared.chosen.backend->path(*prepared.model);
  profile.n_threads = executor.n_threads();
  profile.workload = calls.description;
  profile.n_calls = calls.tokens.size();
  profile.float_parts = float_parts_of(spec);
  profile.machine = machine_now();
  count_tokens(profile, calls, spec.tokenizer.pad);

  ThreadTeam team(executor.n_threads());
  measure_peaks(profile, team);
  Timer timer(model, calls, executor, max_length);
  Neighbours neighbours;
  timer.run(request.duration_s);
  neighbours.fill(profile.machine);
  measure_peaks(profile, team);
  timer.fill(profile, work_of(spec, calls));
  return profile;
}

}  // namespace espalier::tools
