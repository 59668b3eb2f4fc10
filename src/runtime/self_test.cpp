#include "runtime/self_test.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "format/verify_self_test.hpp"
#include "runtime/reference/reference.hpp"

namespace espalier::runtime {
namespace {

// How far another back end's answers may lie from the reference's, as a part of max(1, |expected|).
// fp32: a few hundred roundings of 6e-8 in a row, grown by the layers' gains. A file that codes
// what floats computed promises less: a rounding in the last bit can move a code, and with it a
// logit by up to 0.3. bf16: a last bit can move an input near a tie to the other bfloat16, and so
// two right answers can lie as far apart as the rounding itself takes them from fp32: 2^-7 / √12 of
// a value each, 4 in a row a layer, or 0.016 for 12 layers; three times that, as deviations go.
constexpr float kFp32Tolerance = 1e-3F;
constexpr float kBf16Tolerance = 0.05F;
constexpr float kMixedTolerance = 0.3F;

TokenBatch batch_of(const format::SelfTestCase& test) {
  TokenBatch batch;
  batch.ids = test.ids;
  batch.segments = test.segments;
  batch.offsets = {0, static_cast<std::uint32_t>(test.ids.size())};
  return batch;
}

/// The answer to one case, cut as it is stored.
std::vector<float> answer(Executor& executor, const format::SelfTestCase& test) {
  const TokenBatch batch = batch_of(test);
  std::vector<float> values(executor.output_size(batch));
  executor.run(batch, values);
  if (executor.spec().task != Task::fill_mask) return values;
  const std::size_t width = executor.head().width;
  const std::size_t kept = std::min<std::size_t>(width, kSelfTestMaskLogits);
  std::vector<float> stored;
  for (std::size_t first = 0; first < values.size(); first += width) {
    const auto row = values.begin() + static_cast<std::ptrdiff_t>(first);
    stored.insert(stored.end(), row, row + static_cast<std::ptrdiff_t>(kept));
  }
  return stored;
}

float difference(const std::vector<float>& actual, const std::vector<float>& expected) {
  if (actual.size() != expected.size()) return std::numeric_limits<float>::infinity();
  float worst = 0;
  for (std::size_t index = 0; index < actual.size(); ++index) {
    const float apart =
        std::fabs(actual[index] - expected[index]) / std::max(1.0F, std::fabs(expected[index]));
    // Not a number compares false with everything: it must not look small.
    if (!(apart <= worst)) worst = apart;
    if (std::isnan(apart)) return std::numeric_limits<float>::infinity();
  }
  return worst;
}

float tolerance_of(const format::ModelSpec& spec) {
  if (format::answers_bit_equal(spec)) return 0;
  bool some_int8 = spec.precision == Precision::int8;
  bool some_bf16 = spec.precision == Precision::bf16;
  for (const format::LayerSpec& layer : spec.layers) {
    for (const format::LinearSpec* linear : {&layer.qkv, &layer.out, &layer.up, &layer.down}) {
      some_int8 = some_int8 || linear->precision == Precision::int8;
      some_bf16 = some_bf16 || linear->precision == Precision::bf16;
    }
  }
  if (some_int8) return kMixedTolerance;
  return some_bf16 ? kBf16Tolerance : kFp32Tolerance;
}

}  // namespace

SelfTestResult self_test(Executor& executor) {
  const format::SelfTest& test = executor.spec().self_test;
  SelfTestResult result;
  for (std::size_t index = 0; index < test.cases.size(); ++index) {
    const float apart = difference(answer(executor, test.cases[index]), test.cases[index].expected);
    const bool fails = !(apart <= test.tolerance);
    if (fails ? result.passed : result.passed && apart > result.worst) result.case_index = index;
    if (fails) result.passed = false;
    result.worst = std::max(result.worst, apart);
  }
  return result;
}

void record_self_test(format::ModelSpec& spec, std::vector<format::SelfTestCase> cases,
                      unsigned threads) {
  const Backend& reference = reference_backend();
  const std::unique_ptr<PreparedModel> model = reference.prepare(spec);
  std::uint32_t longest = 1;
  for (const format::SelfTestCase& test : cases) {
    longest = std::max(longest, static_cast<std::uint32_t>(test.ids.size()));
  }
  longest =
      std::min(longest, spec.max_length);  // a longer one is refused by run(), with its reason
  Executor executor(reference, *model, spec, threads, {longest, longest});
  for (format::SelfTestCase& test : cases) test.expected = answer(executor, test);
  spec.self_test.tolerance = tolerance_of(spec);
  spec.self_test.cases = std::move(cases);
}

}  // namespace espalier::runtime
