#include "runtime/heads.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "base/canonical.hpp"

namespace espalier::runtime {
namespace {

enum class Width : std::uint8_t { labels, hidden, vocabulary };

struct HeadRule {
  Task task;
  HeadTokens tokens;  // embed: of mean pooling; cls pooling takes the first token
  Width width;
  ScoreKind scores;
};

constexpr std::array<HeadRule, 6> kHeads = {{
    {Task::classify, HeadTokens::first, Width::labels, ScoreKind::softmax},
    {Task::multi_label, HeadTokens::first, Width::labels, ScoreKind::sigmoid},
    {Task::regress, HeadTokens::first, Width::labels, ScoreKind::identity},
    {Task::tag, HeadTokens::every, Width::labels, ScoreKind::softmax},
    {Task::embed, HeadTokens::every, Width::hidden, ScoreKind::identity},
    {Task::fill_mask, HeadTokens::masks, Width::vocabulary, ScoreKind::softmax},
}};

constexpr bool table_is_in_task_order() {
  for (std::size_t row = 0; row < kHeads.size(); ++row) {
    if (static_cast<std::size_t>(kHeads[row].task) != row) return false;
  }
  return true;
}
static_assert(table_is_in_task_order());

constexpr const HeadRule& rule_of(Task task) noexcept {
  return kHeads[static_cast<std::size_t>(task)];
}

std::uint32_t width_of(Width width, const format::ModelSpec& spec) noexcept {
  switch (width) {
    case Width::labels:
      return spec.head.classifier ? spec.head.classifier->out : 0;
    case Width::hidden:
      return spec.hidden;
    case Width::vocabulary:
      return spec.vocabulary_size();
  }
  return 0;
}

// Floats of head output that wait in a HeadRunner: 1 MiB, or a single row of a wide vocabulary.
constexpr std::uint32_t kWaitingFloats = 1U << 18;

void softmax(std::span<float> logits) noexcept {
  float top = logits[0];
  for (const float logit : logits) top = canonical::max(logit, top);
  for (float& logit : logits) logit = canonical::exp_nonpositive(logit - top);
  const float total = canonical::sum(logits);
  for (float& logit : logits) logit = logit / total;
}

float sigmoid(float x) noexcept {
  const float e = canonical::exp_nonpositive(-std::fabs(x));
  return (x >= 0 ? 1.0F : e) / (1.0F + e);
}

}  // namespace

std::size_t HeadPlan::answer_rows(std::span<const TokenId> sentence) const noexcept {
  if (combine == Combine::mean) return 1;
  std::size_t n_rows = 0;
  for (std::size_t position = 0; position < sentence.size(); ++position) {
    if (takes(position, sentence[position])) ++n_rows;
  }
  return n_rows;
}

HeadPlan head_plan(const format::ModelSpec& spec) {
  const HeadRule& rule = rule_of(spec.task);
  HeadPlan plan;
  plan.tokens = rule.tokens;
  plan.width = width_of(rule.width, spec);
  plan.mask = spec.tokenizer.mask;
  plan.scores = rule.scores;
  if (spec.task == Task::embed) {
    plan.normalize = spec.head.normalize;
    switch (spec.head.pooling) {
      case format::Pooling::mean:
        plan.combine = Combine::mean;
        break;
      case format::Pooling::cls:
        plan.tokens = HeadTokens::first;
        break;
    }
  }
  // A model without layers has no last one to spare rows in.
  if (plan.tokens == HeadTokens::first && !spec.layers.empty()) {
    plan.last_layer = Rows::first_of_each;
  }
  return plan;
}

ScoreKind score_kind(Task task) noexcept {
  return rule_of(task).scores;
}

void logits_to_scores(ScoreKind kind, std::span<float> logits) noexcept {
  switch (kind) {
    case ScoreKind::softmax:
      softmax(logits);
      return;
    case ScoreKind::sigmoid:
      for (float& logit : logits) logit = sigmoid(logit);
      return;
    case ScoreKind::identity:
      return;
  }
}

void l2_normalize(std::span<float> x) noexcept {
  const float length = canonical::max(std::sqrt(canonical::dot(x, x)), 1e-12F);
  for (float& value : x) value = value / length;
}

HeadRunner::HeadRunner(const HeadPlan& plan, std::uint32_t max_rows)
    : plan_(plan),
      capacity_(std::clamp(kWaitingFloats / std::max(plan.width, 1U), 1U, max_rows)),
      rows_(capacity_),
      targets_(capacity_),
      values_(std::size_t{capacity_} * plan.width) {}

void HeadRunner::add(const Backend& backend, Workspace& workspace, const TokenBlock& block,
                     RowRange range, const AnswerSlots& slots) {
  const bool compact = plan_.last_layer == Rows::first_of_each;
  std::uint32_t n_taken = 0;  // of first tokens: a compact workspace holds no other rows
  for (std::uint32_t sentence = 0; sentence < block.n_sentences(); ++sentence) {
    std::size_t target = slots.starts[slots.sentences[sentence]];
    const std::uint32_t first = block.first_row(sentence);
    const std::uint32_t end = block.first_row(sentence + 1);
    if (plan_.combine == Combine::mean && first >= range.begin && first < range.end) {
      std::fill_n(slots.dst.data() + target, plan_.width, 0.0F);
    }
    for (std::uint32_t row = first; row < end; ++row) {
      if (!plan_.takes(row - first, block.ids[row])) continue;
      if (row >= range.begin && row < range.end) {
        rows_[n_waiting_] = compact ? n_taken++ : row - range.begin;
        targets_[n_waiting_] = target;
        if (++n_waiting_ == capacity_) flush(backend, workspace, slots.dst);
      }
      if (plan_.combine == Combine::rows) target += plan_.width;
    }
  }
  flush(backend, workspace, slots.dst);
}

void HeadRunner::flush(const Backend& backend, Workspace& workspace, std::span<float> dst) {
  if (n_waiting_ == 0) return;
  const std::span<float> values(values_.data(), n_waiting_ * plan_.width);
  backend.head(workspace, std::span(rows_).first(n_waiting_), values);
  for (std::size_t row = 0; row < n_waiting_; ++row) {
    const float* src = values.data() + row * plan_.width;
    float* answer = dst.data() + targets_[row];
    switch (plan_.combine) {
      case Combine::rows:
        std::copy_n(src, plan_.width, answer);
        break;
      case Combine::mean:
        for (std::uint32_t unit = 0; unit < plan_.width; ++unit) answer[unit] += src[unit];
        break;
    }
  }
  n_waiting_ = 0;
}

void HeadRunner::finish(const TokenBlock& block, const AnswerSlots& slots) const noexcept {
  if (plan_.combine == Combine::rows && !plan_.normalize) return;
  for (std::uint32_t sentence = 0; sentence < block.n_sentences(); ++sentence) {
    const std::span<float> answer =
        slots.dst.subspan(slots.starts[slots.sentences[sentence]], plan_.width);
    if (plan_.combine == Combine::mean) {
      const auto n_tokens =
          static_cast<float>(block.first_row(sentence + 1) - block.first_row(sentence));
      for (float& value : answer) value = value / n_tokens;
    }
    if (plan_.normalize) l2_normalize(answer);
  }
}

}  // namespace espalier::runtime
