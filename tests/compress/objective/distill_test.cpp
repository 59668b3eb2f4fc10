#include "compress/objective/distill.hpp"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/compress/model/golden.hpp"
#include "tests/compress/objective/distill_problem.hpp"

namespace espalier::objective {
namespace {

using model::Bert;
using model::Golden;
using model::largest_difference;
using ::testing::ElementsAre;
using Rows = std::vector<std::size_t>;

// fp32 on both sides: another order of sums moves the last bits only.
constexpr float kTolerance = 1e-5F;

std::map<std::string, float> values_of(const std::vector<DistillTerm>& terms) {
  std::map<std::string, float> values;
  for (const DistillTerm& term : terms) {
    values[std::string(term.name)] = term.value.item<float>();
  }
  return values;
}

Bert copy_of(const Bert& bert) {
  Rows layers(bert.layers.size());
  for (std::size_t layer = 0; layer < layers.size(); ++layer) layers[layer] = layer;
  return model::make_student(bert, layers);
}

// ---- against PyTorch and transformers ----

class AgainstPyTorch : public ::testing::TestWithParam<const char*> {
 protected:
  AgainstPyTorch()
      : teacher_(model::load_bert(checkpoint::Checkpoint::open(golden_.folder() / "teacher"))),
        student_(model::load_bert(checkpoint::Checkpoint::open(golden_.folder() / "student"))),
        task_(make_classify({.labels = teacher_.config.labels})) {
    const at::Tensor ids = golden_["input_ids"];
    const at::Tensor lengths = golden_["batch_lengths"];
    for (std::int64_t sentence = 0; sentence < ids.size(0); ++sentence) {
      Examples& examples = sentence < 3 ? labelled_ : unlabelled_;
      TokenBatch& tokens = examples.tokens;
      if (tokens.offsets.empty()) tokens.offsets.push_back(0);
      for (std::int64_t token = 0; token < lengths[sentence].item<std::int64_t>(); ++token) {
        tokens.ids.push_back(static_cast<TokenId>(ids[sentence][token].item<std::int64_t>()));
        tokens.segments.push_back(0);
      }
      tokens.offsets.push_back(static_cast<std::uint32_t>(tokens.ids.size()));
      examples.lines.push_back(1);
    }
    labelled_.targets = golden_["labels"];
  }

  Golden golden_{"distill"};
  Bert teacher_;
  Bert student_;
  std::unique_ptr<Task> task_;
  Examples labelled_;
  Examples unlabelled_;
};

TEST_P(AgainstPyTorch, HasTheSameLossAndGradients) {
  const std::string preset = GetParam();
  const TaskObjective labelled(*task_, labelled_, teacher_.config.pad_id);
  const DistillObjective objective(labelled, &unlabelled_, teacher_, student_.config,
                                   {.weights = distill_preset(preset).weights});
  train_parameters(student_);
  std::map<std::string, at::Tensor> trained;
  for (NamedTensor& projection : objective.parameters()) {
    projection.value.copy_(golden_[projection.name]);
    trained[projection.name] = projection.value.requires_grad_(true);
  }
  model::for_each_parameter(
      student_, [&](const std::string& name, const at::Tensor& value) { trained[name] = value; });

  const Batch batch = objective.batch(Rows{0, 1, 2, 3, 4}, 0);
  const std::vector<DistillTerm> terms = objective.terms(student_, batch, {});
  const at::Tensor loss = objective.loss(student_, batch, {});
  loss.backward();

  for (const DistillTerm& term : terms) {
    const float expected = golden_[preset + "." + std::string(term.name)].item<float>();
    EXPECT_NEAR(term.value.item<float>(), expected, kTolerance * std::max(1.0F, expected))
        << term.name;
  }
  const float expected = golden_[preset + ".loss"].item<float>();
  EXPECT_NEAR(loss.item<float>(), expected, kTolerance * std::max(1.0F, expected));
  for (const auto& [name, value] : trained) {
    ASSERT_TRUE(value.grad().defined()) << name;
    const at::Tensor gradient = golden_[preset + ".gradient." + name];
    const float scale = std::max(1.0F, gradient.abs().max().item<float>());
    EXPECT_LE(largest_difference(value.grad(), gradient), kTolerance * scale) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Presets, AgainstPyTorch,
                         ::testing::Values("logits", "patient", "tinybert", "minilm"),
                         [](const auto& given) { return std::string(given.param); });

// ---- every task ----

class EveryTask : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] DistillObjective make(const DistillWeights& weights) const {
    return {
        labelled_, &problem_.unlabelled, problem_.teacher, problem_.config, {.weights = weights}};
  }

  Problem problem_{GetParam()};
  TaskObjective labelled_ = problem_.objective();
};

TEST_P(EveryTask, AsksNothingOfAStudentThatEqualsItsTeacher) {
  const DistillObjective objective = make(kAllWeights);
  const DistillObjective answers_only = make({.logits = 1});
  Bert student = copy_of(problem_.teacher);
  const Batch batch = objective.batch(Rows{0, 1, 2, 3, 4}, 0);

  auto values = values_of(objective.terms(student, batch, {}));
  values["kept logits"] = values_of(answers_only.terms(student, batch, {}))["logits"];

  ASSERT_EQ(values.size(), 7U);
  EXPECT_GT(values["task"], 1e-3);
  values.erase("task");
  for (const auto& [name, value] : values) EXPECT_NEAR(value, 0, 2e-6) << name;

  student.layers[0].value.weight += 0.5;
  student.layers[0].query.bias += at::arange(16) * 0.1;
  student.layers[1].query.weight *= 2;
  for (const auto& [name, value] : values_of(objective.terms(student, batch, {}))) {
    EXPECT_GT(value, 1e-4) << name;
  }
}

TEST_P(EveryTask, SendsGradientsToTheStudentOnly) {
  const DistillObjective objective = make(kAllWeights);
  Bert student = copy_of(problem_.teacher);
  student.word += 0.1;
  train_parameters(student);
  train_parameters(problem_.teacher);

  objective.loss(student, objective.batch(Rows{0, 3}, 0), {}).backward();

  model::for_each_parameter(student, [](const std::string& name, const at::Tensor& value) {
    EXPECT_TRUE(value.grad().defined()) << name;
  });
  model::for_each_parameter(problem_.teacher, [](const std::string& name, const at::Tensor& value) {
    EXPECT_FALSE(value.grad().defined()) << name;
  });
}

TEST_P(EveryTask, HearsTheSameFromKeptAnswersAsFromTheTeacherItself) {
  const DistillObjective kept = make({.logits = 1});
  const DistillObjective asked = make({.logits = 1, .relations = 1});
  Bert student = copy_of(problem_.teacher);
  student.layers[0].up.weight *= 2;
  student.layers[1].value.weight *= 3;

  for (const Rows& rows : {Rows{4, 0, 3, 2}, Rows{1}, Rows{3}, Rows{2, 1}}) {
    const Batch batch = kept.batch(rows, 0);
    const float value = values_of(kept.terms(student, batch, {}))["logits"];
    EXPECT_NEAR(value, values_of(asked.terms(student, batch, {}))["logits"], kTolerance);
    EXPECT_GT(value, 1e-4);
  }
}

TEST_P(EveryTask, LearnsLabelsFromLabelledExamplesAlone) {
  const DistillObjective objective = make({.task = 1, .logits = 1});
  const Bert& bert = problem_.teacher;

  const auto mixed = values_of(objective.terms(bert, objective.batch(Rows{4, 1, 3, 0}, 0), {}));
  const auto alone = values_of(objective.terms(bert, objective.batch(Rows{1, 0}, 0), {}));
  const auto without = values_of(objective.terms(bert, objective.batch(Rows{3, 4}, 0), {}));

  const float expected = labelled_.loss(bert, labelled_.batch(Rows{1, 0}, 0), {}).item<float>();
  EXPECT_NEAR(alone.at("task"), expected, kTolerance);
  EXPECT_NEAR(mixed.at("task"), expected / 2, kTolerance);  // half of the batch has labels
  EXPECT_FALSE(without.contains("task"));
}

TEST_P(EveryTask, PutsLabelledTextsWhereTheTaskDoesAndTheOthersBehindThem) {
  const DistillObjective objective = make(kAllWeights);
  const model::TokenTensors own = labelled_.batch(Rows{2, 0}, 0).tokens;
  const TokenBatch& more = problem_.unlabelled.tokens;

  const Batch batch = objective.batch(Rows{4, 2, 0}, 0);

  EXPECT_THAT(batch.examples, ElementsAre(4, 2, 0));
  const at::Tensor& ids = batch.tokens.ids;
  ASSERT_EQ(ids.size(0), own.ids.size(0) + 1);
  EXPECT_TRUE(ids.slice(0, 0, -1).slice(1, 0, own.ids.size(1)).equal(own.ids));
  for (std::uint32_t token = 0; token < 4; ++token) {
    EXPECT_EQ(ids[-1][token].item<std::int64_t>(), to_int(more.ids[more.offsets[1] + token]));
  }
}

TEST_P(EveryTask, DoesNotSeePadding) {
  const DistillObjective objective = make(kAllWeights);
  Bert student = copy_of(problem_.teacher);
  student.layers[0].up.weight += 0.2;
  student.layers[1].query.bias += at::arange(16) * 0.1;
  const Batch batch = objective.batch(Rows{0, 1, 2, 3, 4}, 0);
  Batch padded = batch;
  padded.tokens.ids = at::constant_pad_nd(batch.tokens.ids, {0, 2}, 7);
  padded.tokens.segments = at::constant_pad_nd(batch.tokens.segments, {0, 2}, 1);
  padded.tokens.mask = at::constant_pad_nd(batch.tokens.mask, {0, 2}, 0);

  const auto values = values_of(objective.terms(student, padded, {}));

  for (const auto& [name, value] : values_of(objective.terms(student, batch, {}))) {
    EXPECT_NEAR(values.at(name), value, kTolerance * std::max(1.0F, value)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Tasks, EveryTask,
                         ::testing::Values("classify", "multi_label", "regress", "tag", "embed"),
                         [](const auto& given) { return std::string(given.param); });

// ---- the rest ----

TEST(Distill, CountsLabelledExamplesFirst) {
  const Problem problem("classify");
  const TaskObjective labelled = problem.objective();
  const DistillObjective objective(labelled, &problem.unlabelled, problem.teacher, problem.config,
                                   {});

  EXPECT_EQ(objective.size(), 5U);
  EXPECT_EQ(objective.length(2), 7U);
  EXPECT_EQ(objective.length(3), 9U);
  EXPECT_EQ(objective.place(2), "line 4 of 'labelled.tsv'");
  EXPECT_EQ(objective.place(4), "line 9 of 'more.txt'");
  EXPECT_EQ(DistillObjective(labelled, nullptr, problem.teacher, problem.config, {}).size(), 3U);
}

TEST(Distill, AddsUpItsWeightedTerms) {
  const Problem problem("classify");
  const TaskObjective labelled = problem.objective();
  const DistillObjective objective(labelled, nullptr, problem.teacher, problem.config,
                                   {.weights = {.task = 0.25, .logits = 3, .attention = 7}});
  Bert student = copy_of(problem.teacher);
  student.layers[0].query.weight *= 1.5;
  const Batch batch = objective.batch(Rows{0, 1}, 0);

  const auto values = values_of(objective.terms(student, batch, {}));

  ASSERT_EQ(values.size(), 3U);
  EXPECT_NEAR(objective.loss(student, batch, {}).item<float>(),
              0.25F * values.at("task") + 3 * values.at("logits") + 7 * values.at("attention"),
              kTolerance);
}

TEST(Distill, ComparesTheLayersThatTheMapNames) {
  const Problem problem("classify");
  const TaskObjective labelled = problem.objective();
  const Bert student = model::make_student(problem.teacher, Rows{0});
  const auto hidden_with = [&](const Rows& map) {
    const DistillObjective objective(labelled, nullptr, problem.teacher, student.config,
                                     {.weights = {.hidden = 1}, .layer_map = map});
    return values_of(objective.terms(student, objective.batch(Rows{0, 1, 2}, 0), {}))["hidden"];
  };

  EXPECT_NEAR(hidden_with({0}), 0, 1e-6);
  EXPECT_GT(hidden_with({1}), 1e-3);
  EXPECT_EQ(hidden_with({}), hidden_with({1}));  // last with last
}

TEST(Distill, ProjectsOnlyBetweenDifferentWidths) {
  const Problem problem("classify");
  const TaskObjective labelled = problem.objective();
  const Bert narrow = model::narrow(problem.teacher, {8, 2, 12});
  const auto parameters = [&](const checkpoint::BertConfig& student, DistillWeights weights,
                              std::uint64_t seed = 1) {
    return DistillObjective(labelled, nullptr, problem.teacher, student,
                            {.weights = weights, .seed = seed})
        .parameters();
  };

  EXPECT_TRUE(parameters(problem.config, kAllWeights).empty());
  EXPECT_TRUE(parameters(narrow.config, {.logits = 1, .relations = 1}).empty());
  const auto found = parameters(narrow.config, {.hidden = 1});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "distill.embeddings.weight");
  EXPECT_EQ(found[1].name, "distill.layers.weight");
  EXPECT_EQ(found[1].value.sizes(), (std::vector<std::int64_t>{16, 8}));
  EXPECT_FALSE(found[0].value.equal(found[1].value));
  EXPECT_TRUE(found[1].value.equal(parameters(narrow.config, {.hidden = 1})[1].value));
  EXPECT_FALSE(found[1].value.equal(parameters(narrow.config, {.hidden = 1}, 2)[1].value));
  ASSERT_EQ(parameters(narrow.config, {.patient = 1}).size(), 1U);
}

TEST(Distill, NeedsNoProjectionToCompareVectorsOfDifferentWidths) {
  const Problem problem("embed");
  const TaskObjective labelled = problem.objective();
  const Bert student = model::narrow(problem.teacher, {8, 2, 12});
  const DistillObjective objective(labelled, &problem.unlabelled, problem.teacher, student.config,
                                   {.weights = {.logits = 1}});

  const auto values = values_of(objective.terms(student, objective.batch(Rows{0, 1, 3}, 0), {}));

  EXPECT_GT(values.at("logits"), 1e-4);
}

// A teacher in bfloat16 would round as the student does, and they would agree.
TEST(Distill, KeepsTheTeacherInFp32WhenTheStudentIsNot) {
  const Problem problem("classify");
  const TaskObjective labelled = problem.objective();
  const DistillObjective objective(labelled, nullptr, problem.teacher, problem.config,
                                   {.weights = {.attention = 1}});
  const Bert student = copy_of(problem.teacher);
  const Batch batch = objective.batch(Rows{0, 1, 2}, 0);

  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const at::Tensor value = objective.terms(student, batch, {}).front().value;
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();

  EXPECT_EQ(value.scalar_type(), at::kFloat);
  EXPECT_GT(value.item<float>(), 1e-8);
  EXPECT_EQ(objective.terms(student, batch, {}).front().value.item<float>(), 0);
}

}  // namespace
}  // namespace espalier::objective
