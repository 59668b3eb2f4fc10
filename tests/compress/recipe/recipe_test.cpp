// Recipes as users write them: what is read, and what is refused with its line and a remedy.
#include "compress/recipe/recipe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/recipe/presets.hpp"
#include "espalier/error.hpp"
#include "tests/compress/recipe/catalogue.hpp"

namespace espalier::recipe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Recipe parse(const std::string& text) {
  return parse_recipe("r.yaml", text, testing::catalogue());
}

std::string refusal(const std::string& text) {
  try {
    (void)parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    return error.what();
  }
  return "not refused";
}

TEST(Recipe, HasStagesWithTheirOptionsInOrder) {
  const Recipe recipe = parse(
      "# a comment\n"
      "stages:\n"
      "  - prune: {method: kprune, target-flops: 2, bf16: true}\n"
      "  - finetune:\n"
      "      task: classify\n"
      "      epochs: 1\n"
      "  - quantize:\n"
      "      keep: [word, 'layer.[01]']\n");

  ASSERT_EQ(recipe.stages.size(), 3U);
  EXPECT_EQ(one_line(recipe.stages[0]), "prune method=kprune target-flops=2 bf16");
  EXPECT_EQ(recipe.stages[0].line, 3U);
  EXPECT_EQ(one_line(recipe.stages[1]), "finetune task=classify epochs=1");
  EXPECT_THAT(recipe.stages[2].find("keep")->values, ElementsAre("word", "layer.[01]"));
}

TEST(Recipe, TakesAStageWithoutOptionsByItsName) {
  EXPECT_EQ(parse("stages: [quantize]").stages.size(), 1U);
  EXPECT_EQ(parse("stages:\n  - quantize:\n").stages.size(), 1U);
}

TEST(Recipe, LeavesOutAFlagThatIsFalse) {
  const Recipe recipe =
      parse("stages:\n  - prune: {method: magnitude, bf16: false}\n  - quantize\n");

  EXPECT_EQ(recipe.stages[0].find("bf16"), nullptr);
}

TEST(Recipe, RefusesWhatIsNoYamlByItsLine) {
  EXPECT_THAT(refusal("stages:\n  - quantize: {\n"),
              AllOf(StartsWith("r.yaml:"), HasSubstr("no YAML")));
  EXPECT_THAT(refusal("stages: [quantize]\n---\nstages: [quantize]\n"),
              HasSubstr("one YAML document"));
  EXPECT_THAT(refusal(""), StartsWith("r.yaml:1: "));
}

TEST(Recipe, RefusesAnUnknownKeyWithASuggestion) {
  EXPECT_THAT(refusal("stage: [quantize]\n"), AllOf(StartsWith("r.yaml:1: unknown key 'stage'"),
                                                    HasSubstr("did you mean 'stages'?")));
}

TEST(Recipe, RefusesStagesThatAreNoList) {
  EXPECT_THAT(refusal("stages: quantize\n"), HasSubstr("'stages' is a list"));
  EXPECT_THAT(refusal("stages: []\n"), HasSubstr("'stages' is a list"));
  EXPECT_THAT(refusal("- quantize\n"), HasSubstr("a recipe is a map"));
  EXPECT_THAT(refusal("stages:\n  - [quantize]\n"), StartsWith("r.yaml:2: a stage is one command"));
  EXPECT_THAT(refusal("stages:\n  - {prune: {}, quantize: {}}\n"),
              HasSubstr("a stage is one command"));
}

TEST(Recipe, RefusesAnUnknownStageWithASuggestionAndTheList) {
  EXPECT_THAT(refusal("stages:\n  - quantise\n"),
              AllOf(StartsWith("r.yaml:2: unknown stage 'quantise'; did you mean 'quantize'?"),
                    HasSubstr("distill, finetune, prune, quantize")));
}

TEST(Recipe, RefusesAnUnknownOptionByItsLineWithASuggestion) {
  EXPECT_THAT(
      refusal("stages:\n  - prune:\n      method: kprune\n      target-flop: 2\n  - quantize\n"),
      AllOf(StartsWith("r.yaml:4: prune has no option 'target-flop'"),
            HasSubstr("did you mean 'target-flops'?"), HasSubstr("espalier prune --help")));
}

TEST(Recipe, NeverSuggestsWhatCompressSaysItself) {
  EXPECT_THAT(refusal("stages:\n  - quantize: {threds: 2}\n"),
              ::testing::Not(HasSubstr("did you")));
}

TEST(Recipe, RefusesOptionsThatCompressSaysItself) {
  for (const std::string name : {"train", "eval", "threads", "output", "DIR"}) {
    EXPECT_THAT(refusal("stages:\n  - prune: {" + name + ": x}\n  - quantize\n"),
                StartsWith("r.yaml:2: '" + name + "' of prune is no part of a recipe"));
  }
}

TEST(Recipe, RefusesAnOptionThatIsThereTwice) {
  EXPECT_THAT(refusal("stages:\n  - prune:\n      rank: 8\n      rank: 9\n  - quantize\n"),
              StartsWith("r.yaml:4: 'rank' is there twice"));
}

TEST(Recipe, RefusesAValueThatTheCommandWouldRefuseInItsWords) {
  EXPECT_THAT(refusal("stages:\n  - prune:\n      rank: many\n  - quantize\n"),
              StartsWith("r.yaml:3: prune --rank takes a whole number, not 'many'"));
}

TEST(Recipe, RefusesValuesOfAnotherKind) {
  EXPECT_THAT(refusal("stages:\n  - prune: {rank: [8, 9]}\n  - quantize\n"),
              HasSubstr("'rank' takes one value"));
  EXPECT_THAT(refusal("stages:\n  - prune: {rank: }\n  - quantize\n"), HasSubstr("none is there"));
  EXPECT_THAT(refusal("stages:\n  - prune: {bf16: maybe}\n  - quantize\n"),
              HasSubstr("'bf16' is true or false"));
  EXPECT_THAT(refusal("stages:\n  - prune: 7\n  - quantize\n"), HasSubstr("'name: value' each"));
}

TEST(Recipe, RefusesAStageWithoutWhatItNeeds) {
  EXPECT_THAT(refusal("stages:\n  - finetune: {epochs: 1}\n  - quantize\n"),
              StartsWith("r.yaml:2: finetune needs 'task'"));
}

TEST(Recipe, RefusesQuantizeAnywhereButLast) {
  EXPECT_THAT(refusal("stages:\n  - quantize\n  - prune: {rank: 8}\n"),
              StartsWith("r.yaml:2: quantize makes the model file and can only be the last"));
  EXPECT_THAT(refusal("stages:\n  - prune: {rank: 8}\n"),
              StartsWith("r.yaml:2: the last stage is quantize"));
}

TEST(Recipe, RefusesAStudentThatIsNoneOrForgetsWhatWasDone) {
  EXPECT_THAT(refusal("stages:\n  - distill: {epochs: 1}\n  - quantize\n"),
              HasSubstr("distill as the first stage needs student-layers"));
  EXPECT_THAT(
      refusal("stages:\n  - prune: {rank: 8}\n  - distill: {student-layers: 3}\n  - quantize\n"),
      StartsWith("r.yaml:3: this student starts anew"));
}

TEST(Recipe, KnowsWhetherItTrains) {
  EXPECT_FALSE(parse("stages: [quantize]").needs_train());
  EXPECT_FALSE(parse("stages: [{prune: {method: embedding, rank: 8}}, quantize]").needs_train());
  EXPECT_TRUE(parse("stages: [{prune: {method: embedding, rank: 8, recover-epochs: 1}}, quantize]")
                  .needs_train());
  EXPECT_TRUE(parse("stages: [{prune: {target-flops: 2}}, quantize]").needs_train());
  EXPECT_TRUE(parse("stages: [{distill: {student-layers: 2}}, quantize]").needs_train());
}

TEST(Presets, AreRecipesThatEndWithQuantize) {
  for (const Preset& preset : presets()) {
    const Recipe recipe =
        parse_recipe(std::string(preset.name), std::string(preset.text), testing::catalogue());
    EXPECT_EQ(recipe.stages.back().verb, "quantize") << preset.name;
    EXPECT_EQ(recipe.needs_train(), preset.name != "light");
    for (const Stage& stage : recipe.stages) EXPECT_NE(stage.value("method"), "vocab");
  }
  EXPECT_EQ(presets().size(), 4U);
}

TEST(Presets, ThatAreNoneAreRefusedWithTheNames) {
  try {
    (void)preset("huge");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_THAT(error.what(), HasSubstr("light, balanced, small, tiny"));
  }
}

}  // namespace
}  // namespace espalier::recipe
