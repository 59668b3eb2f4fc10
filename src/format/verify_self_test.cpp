#include "format/verify_self_test.hpp"

#include <algorithm>
#include <string>

#include "format/container.hpp"
#include "format/refuse.hpp"
#include "format/scan.hpp"
#include "format/verify_tensor.hpp"

namespace espalier::format {
namespace {

void check_case(const std::string& where, const ModelSpec& spec, const SelfTestCase& test) {
  check_range(where + ".ids", test.ids.size(), 1, spec.max_length);
  check_range(where + ".segments", test.segments.size(), test.ids.size(), test.ids.size());
  for (std::size_t token = 0; token < test.ids.size(); ++token) {
    // A negative id becomes a huge one here. Names are made only for what is refused: there may be
    // millions of tokens.
    const auto id = static_cast<std::uint32_t>(to_int(test.ids[token]));
    if (id >= spec.vocabulary_size()) {
      check_range(indexed(where + ".ids", token), id, 0, spec.vocabulary_size() - 1);
    }
    if (spec.n_segments() > 0 && test.segments[token] >= spec.n_segments()) {
      check_range(indexed(where + ".segments", token), test.segments[token], 0,
                  spec.n_segments() - 1);
    }
  }
  const std::size_t n_outputs = n_expected(spec, test);
  if (n_outputs == 0) refuse(where + ".ids", "expected at least one [MASK], the task is fill_mask");
  check_range(where + ".expected", test.expected.size(), n_outputs, n_outputs);
  if (const BadIndex bad = find_nonfinite(std::span<const float>(test.expected))) {
    refuse(where + ".expected", "element " + std::to_string(*bad) + " is not finite");
  }
}

}  // namespace

bool answers_bit_equal(const ModelSpec& spec) noexcept {
  if (spec.precision != Precision::int8) return false;
  const std::optional<LinearSpec>& projection = spec.embedding.projection;
  if (projection && projection->precision != Precision::int8) return false;
  return std::all_of(spec.layers.begin(), spec.layers.end(), [](const LayerSpec& layer) {
    return layer.qkv.precision == Precision::int8 && layer.out.precision == Precision::int8 &&
           layer.up.precision == Precision::int8 && layer.down.precision == Precision::int8;
  });
}

std::size_t n_expected(const ModelSpec& spec, const SelfTestCase& test) noexcept {
  switch (spec.task) {
    case Task::classify:
    case Task::multi_label:
    case Task::regress:
      return spec.labels.size();
    case Task::tag:
      return test.ids.size() * spec.labels.size();
    case Task::embed:
      return spec.hidden;
    case Task::fill_mask: {
      const TokenId mask{static_cast<std::int32_t>(spec.tokenizer.mask)};
      const auto n_masks = std::count(test.ids.begin(), test.ids.end(), mask);
      return static_cast<std::size_t>(n_masks) *
             std::min(kSelfTestMaskRows, spec.vocabulary_size());
    }
  }
  return 0;
}

void check_self_test(const ModelSpec& spec) {
  const SelfTest& test = spec.self_test;
  if (!(test.tolerance >= 0 && test.tolerance <= kMaxTolerance)) {
    refuse("self_test.tolerance", "expected 0 to " + std::to_string(kMaxTolerance) + " got " +
                                      std::to_string(test.tolerance));
  }
  check_range("self_test.cases", test.cases.size(), 0, kMaxCases);
  if (!test.cases.empty() && test.tolerance == 0 && !answers_bit_equal(spec)) {
    refuse("self_test.tolerance",
           "expected more than 0: only an int8 model whose linears are all int8 "
           "answers with the same bits everywhere");
  }
  for (std::size_t index = 0; index < test.cases.size(); ++index) {
    check_case(indexed("self_test.cases", index), spec, test.cases[index]);
  }
}

}  // namespace espalier::format
