#include "print_peaks.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/cpu_info.hpp"
#include "measure/peak.hpp"

namespace espalier::benchmarks {
namespace {

using measure::fp32_op_in_use;
using measure::int8_op_in_use;
using measure::name_of;
using measure::peak_gmac_per_s;
using measure::PeakOp;

constexpr int kRuns = 5;

/// Returns how many times one thread's peak all threads reach together.
double print_peak(PeakOp op, ThreadTeam& one, ThreadTeam& all) {
  double of_one = 0, of_all = 0;
  for (int turn = 0; turn < kRuns; ++turn) {
    of_one = std::max(of_one, peak_gmac_per_s(op, one));
    of_all = std::max(of_all, peak_gmac_per_s(op, all));
  }
  std::printf("peak of %s: %.1f GMAC/s on 1 thread", std::string(name_of(op)).c_str(), of_one);
  if (all.size() > 1) std::printf(", %.1f on %u: %.2f x", of_all, all.size(), of_all / of_one);
  std::printf("\n");
  return of_all / of_one;
}

// Cores of their own scale all but fully, threads of one core hardly at all.
std::string_view meaning_of(double share_of_full_scaling) {
  if (share_of_full_scaling > 0.9) return "each has a core's multipliers for itself";
  if (share_of_full_scaling > 0.6) return "they slow each other down, or the machine is busy";
  return "they share multipliers, or the machine is busy; no program scales further here than this";
}

}  // namespace

void print_peaks(unsigned n_threads) {
  ThreadTeam one(1);
  ThreadTeam all(n_threads);
  std::printf("%s, instruction set %s\n", cpu_name().c_str(),
              std::string(isa_name(usable_isa())).c_str());
  const double scaling = print_peak(int8_op_in_use(), one, all);
  if (int8_op_in_use() == PeakOp::int8_widening) print_peak(PeakOp::int8_bytes, one, all);
  print_peak(fp32_op_in_use(), one, all);
  if (n_threads == 1) return;
  std::printf("%u threads reach %.2f times the int8 peak of one: %s\n", n_threads, scaling,
              std::string(meaning_of(scaling / n_threads)).c_str());
}

}  // namespace espalier::benchmarks
