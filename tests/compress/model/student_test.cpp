#include "compress/model/student.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "espalier/error.hpp"
#include "tests/compress/model/golden.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::model {
namespace {

using ::testing::ElementsAre;
using Layers = std::vector<std::size_t>;

// Four layers, no two tensors alike.
Bert make_teacher(std::uint32_t embedding_rank = 0) {
  checkpoint::BertConfig config;
  config.architecture = checkpoint::Architecture::sequence_classification;
  config.hidden = 32;
  config.n_layers = 4;
  config.n_heads = 4;
  config.head_dim = 8;
  config.intermediate = 64;
  config.vocab = 50;
  config.positions = 12;
  config.token_types = 2;
  config.layer_norm_eps = 1e-12F;
  config.embedding_rank = embedding_rank;
  config.labels = {"no", "yes", "perhaps"};
  config.layers.assign(4, {{0, 1, 2, 3}, 64});
  Bert teacher = new_bert(config, 3);
  double shift = 0;
  for_each_parameter(teacher, [&](const std::string&, at::Tensor& value) {
    value += at::arange(value.numel()).view(value.sizes()).cos() * 0.3 + (shift += 0.001);
  });
  return teacher;
}

at::Tensor logits(const Bert& bert) {
  const TokenTensors tokens = {
      .ids = at::arange(5, 15).view({2, 5}), .segments = at::zeros({2, 5}, at::kLong), .mask = {}};
  return head_logits(bert, encode(bert, tokens));
}

std::vector<at::Tensor> parameters(const Bert& bert) {
  std::vector<at::Tensor> values;
  for_each_parameter(bert,
                     [&](const std::string&, const at::Tensor& value) { values.push_back(value); });
  return values;
}

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
  return "no error";
}

TEST(ChooseLayers, SpreadsThemAndEndsWithTheLast) {
  EXPECT_THAT(choose_layers(6, 3, LayerChoice::spread), ElementsAre(1, 3, 5));
  EXPECT_THAT(choose_layers(12, 4, LayerChoice::spread), ElementsAre(2, 5, 8, 11));
  EXPECT_THAT(choose_layers(12, 5, LayerChoice::spread), ElementsAre(2, 4, 7, 9, 11));
  EXPECT_THAT(choose_layers(3, 3, LayerChoice::spread), ElementsAre(0, 1, 2));
  EXPECT_THAT(choose_layers(2, 4, LayerChoice::spread), ElementsAre(0, 0, 1, 1));
}

TEST(ChooseLayers, TakesTheFirstOrTheLast) {
  EXPECT_THAT(choose_layers(6, 2, LayerChoice::first), ElementsAre(0, 1));
  EXPECT_THAT(choose_layers(6, 2, LayerChoice::last), ElementsAre(4, 5));
  EXPECT_THAT(message_of([] { (void)choose_layers(2, 3, LayerChoice::last); }),
              ::testing::HasSubstr("3 layers cannot be made of the 2"));
}

TEST(ChooseLayers, KnowsItsChoicesByName) {
  EXPECT_EQ(layer_choice("last"), LayerChoice::last);
  EXPECT_EQ(layer_choice("spread"), LayerChoice::spread);
  EXPECT_THAT(message_of([] { (void)layer_choice("middle"); }), ::testing::HasSubstr("middle"));
}

TEST(Student, BeginsWithTheLayersThatItWasGiven) {
  const Bert teacher = make_teacher();

  const Bert student = make_student(teacher, Layers{1, 3});

  ASSERT_EQ(student.layers.size(), 2U);
  EXPECT_EQ(student.config.n_layers, 2U);
  EXPECT_EQ(student.config.layers.size(), 2U);
  EXPECT_TRUE(student.layers[0].up.weight.equal(teacher.layers[1].up.weight));
  EXPECT_TRUE(student.layers[1].query.bias.equal(teacher.layers[3].query.bias));
  EXPECT_TRUE(student.word.equal(teacher.word));
  EXPECT_TRUE(student.classifier->weight.equal(teacher.classifier->weight));
}

TEST(Student, WithAllLayersAnswersAsItsTeacherDoesBitForBit) {
  const Bert teacher = make_teacher();

  EXPECT_TRUE(logits(make_student(teacher, Layers{0, 1, 2, 3})).equal(logits(teacher)));
  EXPECT_FALSE(logits(make_student(teacher, Layers{0, 1, 2})).equal(logits(teacher)));
}

TEST(Student, SharesNothingWithItsTeacher) {
  const Bert teacher = make_teacher();
  std::vector<at::Tensor> before;
  for (const at::Tensor& value : parameters(teacher)) before.push_back(value.clone());

  Bert student = make_student(teacher, Layers{0, 1, 2, 3});
  Bert narrower = narrow(teacher, {.hidden = 16, .n_heads = 4, .intermediate = 64});
  for (Bert* changed : {&student, &narrower}) {
    for_each_parameter(*changed, [](const std::string&, at::Tensor& value) { value.fill_(7); });
  }

  const std::vector<at::Tensor> after = parameters(teacher);
  for (std::size_t index = 0; index < before.size(); ++index) {
    EXPECT_TRUE(after[index].equal(before[index])) << index;
  }
}

TEST(Student, KeepsTheWidthsOfPrunedLayers) {
  Bert teacher = make_teacher();
  teacher.config.layers[2] = {{1}, 10};

  EXPECT_EQ(make_student(teacher, Layers{2}).config.layers[0].intermediate, 10U);
}

TEST(Student, RefusesLayersThatAreNoneOrNotInOrder) {
  const Bert teacher = make_teacher();

  for (const Layers& layers : {Layers{}, Layers{1, 1}, Layers{2, 1}, Layers{0, 4}}) {
    EXPECT_THAT(message_of([&] { (void)make_student(teacher, layers); }),
                ::testing::HasSubstr("in rising order"));
  }
}

TEST(Narrow, ToTheSameWidthChangesNothing) {
  const Bert teacher = make_teacher();

  const Bert same = narrow(teacher, {.hidden = 32, .n_heads = 4, .intermediate = 64});

  EXPECT_TRUE(logits(same).equal(logits(teacher)));
}

TEST(Narrow, TakesEverySecondElementOfAxesThatAreHalved) {
  const Bert teacher = make_teacher();

  const Bert half = narrow(teacher, {.hidden = 16, .n_heads = 4, .intermediate = 32});

  EXPECT_EQ(half.config.hidden, 16U);
  EXPECT_EQ(half.config.head_dim, 4U);
  EXPECT_EQ(half.config.intermediate, 32U);
  EXPECT_EQ(half.config.layers[3].intermediate, 32U);
  EXPECT_TRUE(half.word.equal(teacher.word.slice(1, 0, 32, 2)));
  const Layer& layer = half.layers[2];
  const Layer& old = teacher.layers[2];
  EXPECT_TRUE(layer.query.weight.equal(old.query.weight.slice(0, 0, 32, 2).slice(1, 0, 32, 2)));
  EXPECT_TRUE(layer.up.weight.equal(old.up.weight.slice(0, 0, 64, 2).slice(1, 0, 32, 2)));
  EXPECT_TRUE(layer.down.bias.equal(old.down.bias.slice(0, 0, 32, 2)));
  EXPECT_EQ(half.classifier->weight.sizes(), (std::vector<std::int64_t>{3, 16}));
  EXPECT_TRUE(half.classifier->bias.equal(teacher.classifier->bias));
}

TEST(Narrow, KeepsTheRankOfFactorisedWords) {
  const Bert teacher = make_teacher(7);

  const Bert half = narrow(teacher, {.hidden = 16, .n_heads = 4, .intermediate = 32});
  const Bert student = make_student(teacher, Layers{0, 1, 2, 3});

  EXPECT_EQ(half.config.embedding_rank, 7U);
  EXPECT_TRUE(half.word.equal(teacher.word));
  EXPECT_TRUE(half.word_projection.equal(teacher.word_projection.slice(0, 0, 32, 2)));
  EXPECT_FALSE(student.word_projection.is_same(teacher.word_projection));
  EXPECT_TRUE(logits(student).equal(logits(teacher)));
}

TEST(Narrow, MultipliesFactorsOutThatAreNoNarrowerThanTheStudent) {
  const Bert teacher = make_teacher(16);

  const Bert half = narrow(teacher, {.hidden = 16, .n_heads = 4, .intermediate = 32});

  EXPECT_EQ(half.config.embedding_rank, 0U);
  EXPECT_FALSE(half.word_projection.defined());
  const at::Tensor words = at::linear(teacher.word, teacher.word_projection);
  EXPECT_TRUE(half.word.equal(words.slice(1, 0, 32, 2)));
}

TEST(Narrow, MakesACheckpointThatOpensAgain) {
  const testing::TemporaryFolder folder;
  const Bert narrower = narrow(make_teacher(), {.hidden = 24, .n_heads = 3, .intermediate = 50});

  save_bert(narrower, folder.path(), WeightType::f32, Overwrite::refuse);

  const Bert loaded = load_bert(checkpoint::Checkpoint::open(folder.path()));
  EXPECT_TRUE(logits(loaded).equal(logits(narrower)));
}

TEST(Narrow, CutsWholeLayersOnly) {
  Bert pruned = make_teacher();
  pruned.layers[1].up.weight = pruned.layers[1].up.weight.slice(0, 0, 20);

  EXPECT_THAT(message_of([&] {
                (void)narrow(pruned, {16, 4, 32});
              }),
              ::testing::HasSubstr("layer 1 of the teacher has attention 32 and feed-forward 20"));
}

TEST(Narrow, RefusesWidthsThatDoNotFit) {
  const Bert teacher = make_teacher();

  EXPECT_THAT(message_of([&] {
                (void)narrow(teacher, {64, 4, 64});
              }),
              ::testing::HasSubstr("cannot be cut out of a teacher that is 32 wide"));
  EXPECT_THAT(message_of([&] {
                (void)narrow(teacher, {18, 4, 64});
              }),
              ::testing::HasSubstr("cannot have 4 heads"));
  EXPECT_THAT(message_of([&] {
                (void)narrow(teacher, {16, 0, 64});
              }),
              ::testing::HasSubstr("cannot have 0 heads"));
}

TEST(WidthOf, KeepsHeadsAndProportions) {
  const Width width = width_of(make_teacher(), 16);

  EXPECT_EQ(width.n_heads, 4U);
  EXPECT_EQ(width.intermediate, 32U);
  EXPECT_THAT(message_of([] { (void)width_of(make_teacher(), 18); }),
              ::testing::HasSubstr("take a multiple"));
}

}  // namespace
}  // namespace espalier::model
