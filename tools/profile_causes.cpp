// Gains are upper bounds made of what was measured, so that causes can be put in order; none is a
// promise.
#include "profile_causes.hpp"

#include <algorithm>
#include <cmath>

#include "report.hpp"

namespace espalier::tools {
namespace {

using runtime::StepPart;

std::string percent(double share) {
  return fixed(100 * share, share < 0.1 ? 1 : 0) + " %";
}

std::string plural(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// Processors' worth of time that this process gets at most.
double allowed_cpus(const MachineState& machine) {
  return std::min<double>(machine.processors, machine.quota_cpus.value_or(machine.processors));
}

bool is_over_subscribed(const Profile& profile) {
  return profile.n_threads > std::ceil(allowed_cpus(profile.machine));
}

double share_of_whole(const Profile& profile, double ms) {
  return profile.whole_ms() > 0 ? ms / profile.whole_ms() : 0;
}

void find_padding(const Profile& profile, std::vector<Cause>& causes) {
  if (profile.pad_tokens == 0) return;
  const double share =
      static_cast<double>(profile.pad_tokens) / static_cast<double>(profile.n_tokens);
  causes.push_back({.name = "padding",
                    .what = percent(share) +
                            " of the tokens are [PAD]: nothing masks them here, so they take "
                            "time and change the answers",
                    .gain = share * share_of_whole(profile, profile.call.mean_ms),
                    .action = "take [PAD] out of the texts: batches need no padding here"});
}

void find_over_subscription(const Profile& profile, std::vector<Cause>& causes) {
  if (!is_over_subscribed(profile)) return;
  const MachineState& machine = profile.machine;
  const double allowed = allowed_cpus(machine);
  const auto fitting = static_cast<std::uint64_t>(std::max(1.0, std::floor(allowed)));
  std::string what =
      plural(profile.n_threads, "thread") + " share " + plural(machine.processors, "processor");
  if (machine.quota_cpus && *machine.quota_cpus < machine.processors) {
    what += ", of which the control group allows " + fixed(*machine.quota_cpus, 2);
  }
  causes.push_back({.name = "over_subscription",
                    .what = what + ": they wait for each other",
                    .gain = 1 - allowed / profile.n_threads,
                    .action = "use -t " + std::to_string(fitting) +
                              " (in a program: SessionOptions::n_threads)"});
}

/// Milliseconds that linears of floats take in a call.
double float_ms(const Profile& profile) {
  double sum = 0;
  for (const ProfiledLayer& layer : profile.layers) {
    for (const StepPart part : {StepPart::qkv, StepPart::out, StepPart::up, StepPart::down}) {
      const ProfiledPart& own = layer[static_cast<std::size_t>(part)];
      if (own.type == "fp32" || own.type == "bf16") sum += own.ms;
    }
  }
  return sum;
}

void find_floats(const Profile& profile, std::vector<Cause>& causes) {
  std::size_t n_linears = 0;
  for (const FloatPart& part : profile.float_parts) n_linears += part.name != "embedding.word";
  if (n_linears == 0) return;
  // Without a peak to say otherwise: int8 has a quarter of the bytes, seldom less than half the
  // time.
  double saving = 0.5;
  if (profile.int8_peak && profile.fp32_peak) {
    saving = std::max(0.0, 1 - profile.fp32_peak->gmac_per_s / profile.int8_peak->gmac_per_s);
  }
  const FloatPart& last = profile.float_parts.back();
  const double share = share_of_whole(profile, float_ms(profile));
  causes.push_back(
      {.name = "float",
       .what = std::to_string(n_linears) + " of " + plural(4 * profile.layers.size(), "linear") +
               " are kept in floats (" + last.reason + ") and take " + percent(share) +
               " of the time",
       .gain = share * saving,
       .action = n_linears == 4 * profile.layers.size()
                     ? "make an int8 model of the checkpoint: espalier quantize DIR -o M.espl"
                     : "quantize these parts too (without --keep), and see with espalier evaluate "
                       "--compare what that costs in accuracy"});
}

void find_tokenizer(const Profile& profile, std::vector<Cause>& causes) {
  if (!profile.tokenizer_ms || profile.n_threads < 2) return;
  const double share = share_of_whole(profile, *profile.tokenizer_ms);
  if (share < kWorthwhileGain) return;
  causes.push_back({.name = "tokenizer",
                    .what = "the tokenizer takes " + percent(share) +
                            " of the time, on one thread while the others wait",
                    .gain = share * (1 - 1.0 / profile.n_threads),
                    .action = "answer from several threads, each with a session of one thread "
                              "(SessionPool), so that texts are cut on all of them"});
}

void find_waiting(const Profile& profile, std::vector<Cause>& causes) {
  if (profile.n_threads < 2 || is_over_subscribed(profile)) return;
  const double share = profile.idle_share();
  if (share < kWorthwhileGain) return;
  causes.push_back(
      {.name = "waiting",
       .what =
           "the threads compute nothing in " + percent(share) + " of a call, which has " +
           fixed(static_cast<double>(profile.n_tokens) / static_cast<double>(profile.n_calls), 0) +
           " tokens: too little to share",
       .gain = share * share_of_whole(profile, profile.call.mean_ms),
       .action = "give each call more texts, or answer several calls at once with sessions of one "
                 "thread"});
}

void find_code_path(const Profile& profile, std::vector<Cause>& causes) {
  if (profile.backend == "reference") {
    causes.push_back({.name = "back_end",
                      .what = "the back end 'reference' computes: plain loops that define the "
                              "meaning, not made to be fast",
                      .gain = 0.9,
                      .action = "leave --backend and ESPALIER_BACKEND out, so that the fastest "
                                "back end of this machine computes"});
    return;
  }
  const MachineState& machine = profile.machine;
  if (machine.isa_used == machine.isa_detected) return;
  causes.push_back({.name = "instruction_set",
                    .what = "ESPALIER_MAX_ISA lowers the instruction set from " +
                            machine.isa_detected + " to " + machine.isa_used,
                    .gain = 0.5,
                    .action = "unset ESPALIER_MAX_ISA"});
}

void find_neighbours(const Profile& profile, std::vector<Cause>& causes) {
  const MachineState& machine = profile.machine;
  if (machine.was_full && machine.own_cpus && machine.other_cpus) {
    // What was wanted and not got, as far as others had it.
    const double wanted = std::min<double>(profile.n_threads, allowed_cpus(machine));
    const double gain = std::min(1 - *machine.own_cpus / wanted, *machine.other_cpus / wanted);
    if (gain > kWorthwhileGain) {
      causes.push_back({.name = "load",
                        .what = "other programs took " + fixed(*machine.other_cpus, 2) + " of " +
                                plural(machine.processors, "processor") + " meanwhile, this one " +
                                fixed(*machine.own_cpus, 2),
                        .gain = gain,
                        .action = "measure again when the machine is idle"});
    }
  }
  if (machine.steal_share.value_or(0) > 0.01) {
    causes.push_back({.name = "steal",
                      .what = "the hypervisor gave " + percent(*machine.steal_share) +
                              " of the time that was wanted to other guests",
                      .gain = *machine.steal_share,
                      .action = "move to a machine, or a kind of instance, whose processors are "
                                "not shared"});
  }
}

void find_clock(const Profile& profile, std::vector<Cause>& causes) {
  const MachineState& machine = profile.machine;
  if (machine.clock_limit.value_or(1) < 0.99) {
    causes.push_back(
        {.name = "clock",
         .what = "the clock is limited to " + percent(*machine.clock_limit) + " of its highest",
         .gain = 1 - *machine.clock_limit,
         .action = "raise scaling_max_freq to cpuinfo_max_freq (cpupower "
                   "frequency-set --max)"});
  } else if (machine.governor == "powersave" || machine.governor == "conservative") {
    // With some drivers powersave does reach the highest clock, only later.
    causes.push_back({.name = "governor",
                      .what = "the clock's governor is '" + *machine.governor +
                              "', which is slow to raise it or does not",
                      .gain = 0.1,
                      .action = "cpupower frequency-set --governor performance"});
  }
}

/// What to do about a model that nothing holds back: make its largest part smaller.
std::string smaller_model(const Profile& profile) {
  struct Group {
    const char* what;
    double ms;
    const char* action;
  };
  const auto ms = [&](std::initializer_list<StepPart> parts) {
    double sum = 0;
    for (const StepPart part : parts) sum += profile.part_ms(part);
    return sum;
  };
  const Group groups[] = {
      {"the feed-forward layers", ms({StepPart::up, StepPart::down}), "prune them: espalier prune"},
      {"attention", ms({StepPart::qkv, StepPart::attention, StepPart::out}),
       "prune heads (espalier prune), or shorten the texts (--max-length)"},
      {"the embeddings", ms({StepPart::embedding}), "distill a smaller model: espalier distill"},
      {"the head", ms({StepPart::head}), "distill a smaller model: espalier distill"},
  };
  const Group& largest = *std::max_element(
      std::begin(groups), std::end(groups),
      [](const Group& first, const Group& second) { return first.ms < second.ms; });
  return "nothing stands in this model's way; " + std::string(largest.what) + " take" +
         (std::string_view(largest.what).ends_with('s') ? " " : "s ") +
         percent(share_of_whole(profile, largest.ms)) + " of the time: " + largest.action;
}

}  // namespace

std::vector<Cause> causes_of(const Profile& profile) {
  std::vector<Cause> causes;
  for (const auto find : {find_padding, find_over_subscription, find_floats, find_tokenizer,
                          find_waiting, find_code_path, find_neighbours, find_clock}) {
    find(profile, causes);
  }
  std::stable_sort(causes.begin(), causes.end(), [](const Cause& first, const Cause& second) {
    return first.gain > second.gain;
  });
  return causes;
}

std::string action_for(const Profile& profile, const std::vector<Cause>& causes) {
  if (!causes.empty() && causes.front().gain >= kWorthwhileGain) return causes.front().action;
  return smaller_model(profile);
}

}  // namespace espalier::tools
