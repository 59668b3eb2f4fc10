// What is planned before anything runs: commands, shapes, candidates, the split of rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fstream>
#include <sstream>

#include "compress/recipe/ladder.hpp"
#include "compress/recipe/presets.hpp"
#include "compress/recipe/split.hpp"
#include "compress/recipe/stage_command.hpp"
#include "espalier/error.hpp"
#include "tests/compress/recipe/catalogue.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::recipe {
namespace {

using ::testing::ElementsAre;

Recipe parse(const std::string& text) {
  return parse_recipe("mine", text, testing::catalogue());
}

// MiniLM with 6 layers, a classifier of two labels and weights in 16 bits.
Shape minilm() {
  checkpoint::BertConfig config;
  config.architecture = checkpoint::Architecture::sequence_classification;
  config.hidden = 384;
  config.head_dim = 32;
  config.vocab = 30522;
  config.positions = 512;
  config.labels = {"negative", "positive"};
  config.layers.assign(6, {.heads = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, .intermediate = 1536});
  return shape_of(config, 231508, 2);
}

std::vector<std::string> names(const std::vector<Candidate>& candidates) {
  std::vector<std::string> all;
  for (const Candidate& candidate : candidates) all.push_back(candidate.name);
  return all;
}

std::string command(const Stage& stage, const StagePlaces& places) {
  const Catalogue kinds = testing::catalogue();
  const Surroundings around{.train = "my train.tsv",
                            .eval = "dev.tsv",
                            .columns = {"--text-column", "review"},
                            .cache = "w/cache",
                            .n_threads = 2,
                            .seed = 7};
  return command_line(stage_command(stage, *kinds.find(stage.verb), around, places));
}

TEST(StageCommand, HasTheRecipesOptionsThenTheRuns) {
  const Recipe recipe =
      parse("stages: [{prune: {method: kprune, target-flops: 2}}, {quantize: {keep: [a, 'b c']}}]");

  EXPECT_EQ(command(recipe.stages[0], {"in", "out", "in"}),
            "espalier prune in --method kprune --target-flops 2 --train 'my train.tsv' "
            "--text-column review --seed 7 --threads 2 --output out");
  EXPECT_EQ(command(recipe.stages[1], {"in", "m.espl", "in"}),
            "espalier quantize in --keep a --keep 'b c' --threads 2 --output m.espl");
}

TEST(StageCommand, RecoversFromTheWholeModelAfterTheFirstStage) {
  const Recipe recipe = parse("stages: [{prune: {target-flops: 2, recover-epochs: 1}}, quantize]");

  EXPECT_THAT(command(recipe.stages[0], {"in", "out", "in"}),
              ::testing::Not(::testing::HasSubstr("--teacher")));
  EXPECT_THAT(command(recipe.stages[0], {"cut", "out", "in"}),
              ::testing::HasSubstr(" --teacher in --train 'my train.tsv' --eval dev.tsv "));
}

TEST(LearnInBf16, SetsItWhereAStageLearnsAndDoesNotSayIt) {
  Recipe recipe = parse(
      "stages: [{prune: {rank: 8}}, {prune: {target-flops: 2, recover-epochs: 1}}, "
      "{distill: {epochs: 1, bf16: true}}, quantize]");

  EXPECT_TRUE(learn_in_bf16(recipe));

  EXPECT_THAT(command(recipe.stages[0], {"in", "out", "in"}),
              ::testing::Not(::testing::HasSubstr("--bf16")));
  EXPECT_THAT(command(recipe.stages[1], {"in", "out", "in"}),
              ::testing::HasSubstr(" --recover-epochs 1 --bf16 "));
  EXPECT_EQ(recipe.stages[2].settings.size(), 2);
  EXPECT_TRUE(recipe.stages[3].settings.empty());
  Recipe blind = parse("stages: [{prune: {rank: 8}}, quantize]");
  EXPECT_FALSE(learn_in_bf16(blind));
}

TEST(StageCommand, DistilsIntoWhatTheStagesBeforeMade) {
  const Recipe first = parse("stages: [{distill: {student-layers: 2, seed: 9}}, quantize]");
  const Recipe later = parse("stages: [{prune: {rank: 8}}, {distill: {epochs: 1}}, quantize]");

  EXPECT_THAT(
      command(first.stages[0], {"in", "out", "in"}),
      ::testing::StartsWith(
          "espalier distill --teacher in --cache w/cache --student-layers 2 --seed 9 --train"));
  EXPECT_THAT(command(later.stages[1], {"cut", "out", "in"}),
              ::testing::StartsWith("espalier distill --teacher in --student cut --cache"));
}

TEST(Shape, OfAMiniLmWeighsWhatItsFileDoes) {
  // 23.61 MB and 24.3 million parameters: a file made by quantize.
  EXPECT_NEAR(file_bytes(minilm()), 23.61e6, 0.1e6);
  EXPECT_NEAR(multiply_adds(minilm(), 1), 6 * (12.0 * 384 * 384 + 2 * 384), 1);
}

TEST(Shape, OfFourBitsWeighsWhatItsFileDoes) {
  // Files made by quantize with --weights int4 and --embeddings int4, groups of 64 and of 32.
  const auto bytes = [](const std::string& options) {
    return file_bytes(
        *after_stages(minilm(), parse("stages: [quantize: {" + options + "}]").stages));
  };
  EXPECT_NEAR(bytes("weights: int4"), 18.47e6, 0.1e6);
  EXPECT_NEAR(bytes("weights: int4, embeddings: int4"), 12.80e6, 0.1e6);
  EXPECT_NEAR(bytes("weights: int4, embeddings: int4, group: 32"), 13.15e6, 0.1e6);
  EXPECT_NEAR(bytes("embeddings: int4"), 17.94e6, 0.1e6);
}

TEST(Presets, AreAsSmallAsTheyAreMeantToBe) {
  const auto megabytes = [](std::string_view name) {
    const Recipe recipe = parse(std::string(preset(name).text));
    return file_bytes(*after_stages(minilm(), recipe.stages)) / 1e6;
  };
  EXPECT_LT(megabytes("balanced"), 13);
  EXPECT_LT(megabytes("small"), 7);
  EXPECT_LT(megabytes("tiny"), 4);
}

TEST(Shape, FollowsTheStages) {
  const Shape whole = minilm();
  const auto after = [&](const std::string& stage) {
    return after_stages(whole, parse("stages: [" + stage + ", quantize]").stages);
  };

  const auto half = after("{prune: {target-flops: 2, recover-epochs: 1, dtype: f16}}");
  EXPECT_NEAR(multiply_adds(*half, 32), multiply_adds(whole, 32) / 2, 1);
  EXPECT_LT(file_bytes(*half), file_bytes(whole) - 5.2e6);
  EXPECT_EQ(after("{prune: {method: embedding, rank: 96}}")->rank, 96);
  EXPECT_EQ(after("{prune: {method: layers, keep-layers: 2}}")->layers.size(), 2U);
  EXPECT_EQ(after("{distill: {student-layers: 3, student-hidden: 192}}")->layers.at(2).attention,
            192);
  EXPECT_NEAR(file_bytes(*after("{prune: {target-size: 1.5, dtype: f16}}")),
              file_bytes(whole) / 1.5, 1e5);
  EXPECT_FALSE(after("{prune: {method: vocab, corpus: c.txt}}"));
}

TEST(Candidates, AreTheRecipeAloneWithoutABudget) {
  const Recipe recipe = parse("stages: [{prune: {target-flops: 4}}, quantize]");

  EXPECT_THAT(names(make_candidates(recipe, minilm(), {})), ElementsAre("mine"));
  EXPECT_THAT(names(make_candidates(recipe, minilm(), {.target_bytes = 1})), ElementsAre("mine"));
}

TEST(Candidates, GoFromTheSmallestToLighterCuts) {
  const Recipe recipe = parse(
      "stages: [{prune: {target-flops: 4}}, {prune: {method: embedding, rank: 96}}, quantize]");
  const std::vector<Candidate> all = make_candidates(recipe, minilm(), {.max_drop = 0.5});

  EXPECT_THAT(
      names(all),
      ElementsAre("mine", "mine, 1 part in bf16", "mine, 6 parts in bf16", "mine, 12 parts in bf16",
                  "mine, lighter", "mine, lighter, 1 part in bf16",
                  "mine, lighter, 6 parts in bf16", "mine, lighter, 12 parts in bf16"));
  EXPECT_EQ(one_line(all[4].stages[0]), "prune target-flops=2");
  EXPECT_EQ(one_line(all[4].stages[1]), "prune method=embedding rank=192");  // sqrt(96 * 384)
  EXPECT_GT(*all[4].bytes(), *all[0].bytes());
}

TEST(Candidates, OfARecipeWithoutACutHaveNoLighterOnes) {
  EXPECT_THAT(names(make_candidates(parse("stages: [quantize]"), minilm(), {.max_drop = 1})),
              ElementsAre("mine", "mine, 1 part in bf16", "mine, 6 parts in bf16",
                          "mine, 12 parts in bf16"));
}

TEST(Candidates, ThatCannotReachTheSizeAreLeftOutButForTheFirst) {
  const Recipe recipe = parse("stages: [quantize]");

  EXPECT_THAT(names(make_candidates(recipe, minilm(), {.max_drop = 1, .target_bytes = 3000000})),
              ElementsAre("mine"));
  EXPECT_EQ(make_candidates(recipe, minilm(), {.max_drop = 1, .target_bytes = 30000000}).size(),
            4U);
}

TEST(Sparing, AddsToTheRulesThatAreThere) {
  const Recipe recipe = parse("stages: [{quantize: {tensor-type: [word=fp32], keep: [x]}}]");
  const Stage stage = sparing(recipe.stages[0], {"layer.0.ffn.up"});

  EXPECT_THAT(stage.find("tensor-type")->values, ElementsAre("word=fp32", "^layer.0.ffn.up$=bf16"));
  EXPECT_EQ(one_line(sparing(recipe.stages[0], {})), one_line(recipe.stages[0]));
}

class Split : public ::testing::Test {
 protected:
  std::string text(const std::string& name) const {
    std::ifstream stream(folder_.path() / name);
    std::ostringstream all;
    all << stream.rdbuf();
    return all.str();
  }
  SplitCounts split(const std::string& content, const data::Columns& columns = {},
                    data::Format format = data::Format::automatic) {
    std::ofstream(folder_.path() / "rows") << content;
    return split_rows(folder_.path() / "rows", format, columns,
                      {folder_.path() / "choosing", folder_.path() / "deciding"});
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Split, GivesEveryThirdRowToOneFileAndBothTheHeader) {
  const SplitCounts counts = split("text\tlabel\na\t0\nb\t1\nc\t0\nd\t1\ne\t0\nf\t1\ng\t0\n");

  EXPECT_EQ(counts.deciding, 2U);
  EXPECT_EQ(counts.choosing, 5U);
  EXPECT_EQ(text("deciding"), "text\tlabel\nc\t0\nf\t1\n");
  EXPECT_EQ(text("choosing"), "text\tlabel\na\t0\nb\t1\nd\t1\ne\t0\ng\t0\n");
}

TEST_F(Split, KeepsQuotedLineBreaksWithTheirRow) {
  (void)split("text,label\na,0\nb,1\n\"c\nc\",0\nd,1\n", {}, data::Format::csv);

  EXPECT_EQ(text("deciding"), "text,label\n\"c\nc\",0\n");
}

TEST_F(Split, KeepsSentencesWhole) {
  (void)split("a O\nb O\n\nc O\n\nd O\ne O\n\nf O\n", {.words = true}, data::Format::conll);

  EXPECT_EQ(text("deciding"), "d O\ne O\n\n");
  EXPECT_EQ(text("choosing"), "a O\nb O\n\nc O\n\nf O\n");
}

TEST_F(Split, RefusesFewerRowsThanThirds) {
  EXPECT_THROW((void)split("text\tlabel\na\t0\nb\t1\n"), Error);
}

}  // namespace
}  // namespace espalier::recipe
