#include "held_out.hpp"

#include <span>
#include <vector>

#include "compress/train/device.hpp"
#include "measure/metrics.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
using checkpoint::Architecture;

bool has_classes(const checkpoint::BertConfig& config) {
  return config.architecture == Architecture::token_classification ||
         (config.architecture == Architecture::sequence_classification &&
          config.problem_type == checkpoint::ProblemType::single_label);
}

std::span<const float> floats(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

// 1 where the answer to a held-out row is right.
std::vector<std::uint8_t> right_rows(const at::Tensor& answers, const at::Tensor& targets) {
  const std::vector<std::size_t> given =
      measure::argmax_rows(floats(answers), static_cast<std::size_t>(answers.size(1)));
  const auto* wanted = targets.const_data_ptr<std::int64_t>();
  std::vector<std::uint8_t> right(given.size());
  for (std::size_t row = 0; row < given.size(); ++row) {
    right[row] = static_cast<std::int64_t>(given[row]) == wanted[row] ? 1 : 0;
  }
  return right;
}

}  // namespace

Judged judge_held_out(const FineTuned& start, const model::Bert& bert) {
  if (start.judge() == nullptr) return {};
  Judged judged{.scores = train::judge(*start.judge(), bert), .answers = {}};
  if (has_classes(bert.config)) {
    judged.answers =
        objective::answer_all(*start.task(), bert, start.held_out(),
                              bert.config.architecture == Architecture::token_classification)
            .contiguous();
  }
  return judged;
}

Json distance(const FineTuned& start, const Judged& before, const Judged& after) {
  if (!before.answers.defined()) return {};
  const measure::LogitPair pair = {.reference = floats(before.answers),
                                   .candidate = floats(after.answers),
                                   .width = static_cast<std::size_t>(before.answers.size(1))};
  Json facts = {{"rows", before.answers.size(0)},
                {"flips", measure::count_flips(pair)},
                {"kl", measure::mean_kl(pair)}};
  if (start.kind().name == "tag") return facts;
  const at::Tensor targets = start.held_out().targets.to(at::kLong).contiguous();
  const measure::McNemar test =
      measure::mcnemar(right_rows(after.answers, targets), right_rows(before.answers, targets));
  facts["won"] = test.only_first;
  facts["lost"] = test.only_second;
  facts["mcnemar_p"] = test.p_exact;
  return facts;
}

}  // namespace espalier::tools
