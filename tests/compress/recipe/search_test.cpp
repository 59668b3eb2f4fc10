// The search with stages that are played: what is tried, what is kept on disk, and that a run which
// was stopped goes on without doing anything twice.
#include "compress/recipe/search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fstream>

#include "compress/recipe/card.hpp"
#include "compress/recipe/origin.hpp"
#include "espalier/error.hpp"
#include "tests/compress/recipe/catalogue.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::recipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// Writes files of a size that falls with bf16 parts left out; stops once where it is told to.
class FakeRunner final : public StageRunner {
 public:
  StageCost run(const StageJob& job) override {
    if (job.words[0] == stop_at) {
      stop_at.clear();
      throw Error(ErrorCode::interrupted, "interrupted");
    }
    started.push_back(job.words[0]);
    std::string report = "{}";
    if (job.words[0] == "sensitivity")
      report = R"({"parts": [{"name": "worst"}, {"name": "next"}]})";
    if (job.words[0] == "prune")
      report = R"({"scores": {"accuracy": 88.5}, "energy": {"tag": "measured", "joules": 120}})";
    std::ofstream(job.report) << report;
    if (!job.output.empty()) {
      std::string content;
      for (const std::string& word : job.words) content += word.ends_with("=bf16") ? "bf16" : ".";
      std::ofstream(job.output) << content;
    }
    return {.seconds = 2, .cpu_seconds = 3};
  }

  std::vector<std::string> started;
  std::string stop_at;
};

// Of 1000 rows the reference has 100 wrong; each model in int8 as many more as it is told.
class FakeExaminer final : public Examiner {
 public:
  Judged judge(const fs::path& model, Rows rows) override {
    const bool chooses = rows == Rows::choosing;
    asked.push_back(chooses ? "choosing" : "deciding");
    const bool is_reference = model.string().find("reference") != std::string::npos;
    const bool is_spared = fs::file_size(model) > 8;
    const std::size_t more = is_reference ? 0 : is_spared ? spared : chooses ? choosing : deciding;
    Judged judged{.metric = "accuracy",
                  .score = 90 - 0.1 * static_cast<double>(more),
                  .n_rows = 1000,
                  .right = {}};
    judged.right.assign(1000, 1);
    std::fill_n(judged.right.begin(), 100 + more, std::uint8_t{0});
    // The first rows are a slice, which bears the whole loss.
    judged.slices.push_back({.metric = "accuracy",
                             .score = 90 - 0.1 * static_cast<double>(more) * 1000 / 200,
                             .n_rows = 200,
                             .right = {},
                             .slice = "length=short"});
    judged.slices[0].right.assign(judged.right.begin(), judged.right.begin() + 200);
    return judged;
  }
  Speed speed(const fs::path&, const fs::path&) override {
    return {.speedup = 4, .p10 = 3, .p90 = 5};
  }

  std::size_t choosing = 3;
  std::size_t deciding = 3;
  std::size_t spared = 1;
  std::vector<std::string> asked;
};

class SearchTest : public ::testing::Test {
 protected:
  SearchResult run(const Limits& limits, const std::string& recipe = "stages: [quantize]",
                   bool is_split = true) {
    const Catalogue kinds = testing::catalogue();
    const Workspace workspace(folder_.path() / "work", {{"recipe", recipe}}, false);
    const Surroundings around{.train = "t.tsv", .eval = "e.tsv", .columns = {}, .cache = "c"};
    Pipeline pipeline(kinds, workspace, runner_, around, "in");
    candidates_ =
        make_candidates(parse_recipe("mine", recipe, kinds), Shape{.layers = {{}, {}}}, limits);
    return search({.candidates = candidates_,
                   .limits = limits,
                   .is_split = is_split,
                   .examiner = &examiner_,
                   .choosing = "e.tsv"},
                  pipeline, workspace, [](const Outcome&) {});
  }

  testing::TemporaryFolder folder_;
  FakeRunner runner_;
  FakeExaminer examiner_;
  std::vector<Candidate> candidates_;
};

TEST_F(SearchTest, TakesTheFirstThatKeepsTheBudgetAndLooksAtTheDecidingRowsLast) {
  const SearchResult result = run({.max_drop = 0.5});

  EXPECT_EQ(result.chosen, 0U);
  EXPECT_THAT(runner_.started, ElementsAre("quantize", "convert"));
  EXPECT_THAT(examiner_.asked, ElementsAre("choosing", "choosing", "deciding", "deciding"));
}

TEST_F(SearchTest, SparesTheWorstPartsWhenTheChoosingRowsLoseTooMuch) {
  const SearchResult result = run({.max_drop = 0.2});

  ASSERT_EQ(result.chosen, 1U);
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::loses_choosing);
  EXPECT_FALSE(result.outcomes[0].deciding);
  EXPECT_THAT(result.outcomes[1].spared, ElementsAre("worst"));
  EXPECT_EQ(one_line(result.stages.back().stage), "quantize tensor-type=^worst$=bf16");
}

TEST_F(SearchTest, LetsTheDecidingRowsRefuseAndAsksForMoreConfidenceAtTheNextLook) {
  examiner_.choosing = 1;
  examiner_.deciding = 9;
  const SearchResult result = run({.max_drop = 0.5});

  EXPECT_EQ(result.outcomes[0].verdict, Verdict::loses_deciding);
  EXPECT_EQ(result.chosen, 1U);
  EXPECT_DOUBLE_EQ(*result.outcomes[0].deciding->confidence, 0.95);
  EXPECT_DOUBLE_EQ(*result.outcomes[1].deciding->confidence, 0.975);
}

TEST_F(SearchTest, ASliceThatLosesRefusesOnTheChoosingAndOnTheDecidingRows) {
  const SearchResult chosen = run({.max_drop = 0.5, .max_slice_drop = 0.6});

  EXPECT_EQ(chosen.outcomes[0].verdict, Verdict::loses_choosing);  // 0.3 points of all, 1.5 of some
  EXPECT_EQ(chosen.chosen, 1U);
  EXPECT_EQ(chosen.outcomes[1].deciding->slices[0].slice, "length=short");
}

TEST_F(SearchTest, TheGateCountsSlicesToo) {
  examiner_.choosing = 0;
  const SearchResult gated = run({.max_slice_drop = 0.6});

  EXPECT_EQ(gated.outcomes[0].verdict, Verdict::loses_deciding);
  EXPECT_EQ(gated.chosen, 1U);
  EXPECT_EQ(to_json(outcome_from_json(to_json(gated.outcomes[0]))), to_json(gated.outcomes[0]));
  EXPECT_EQ(to_json(run({.max_slice_drop = 0.6}).outcomes[1]), to_json(gated.outcomes[1]));
}

TEST_F(SearchTest, DecidesASingleCandidateOnAllRows) {
  const SearchResult result = run({.max_drop = 1, .target_bytes = 1}, "stages: [quantize]", false);

  ASSERT_EQ(result.outcomes.size(), 1U);
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::too_large);
  EXPECT_NEAR(result.outcomes[0].deciding->points(), 0.3, 1e-9);
  EXPECT_THAT(examiner_.asked, ElementsAre("deciding", "deciding"));
  EXPECT_FALSE(result.chosen);
}

TEST_F(SearchTest, RefusesWhatIsTooSlow) {
  const SearchResult result = run({.target_speedup = 4.5});

  EXPECT_EQ(result.outcomes[0].verdict, Verdict::too_slow);
  EXPECT_FALSE(result.chosen);
}

TEST_F(SearchTest, GoesOnWithoutDoingAnythingTwice) {
  const std::string recipe =
      "stages: [{prune: {target-flops: 4}}, {prune: {rank: 8, method: embedding}}, quantize]";
  runner_.stop_at = "quantize";
  EXPECT_THROW((void)run({.max_drop = 0.2}, recipe), Error);
  runner_.stop_at = "sensitivity";
  EXPECT_THROW((void)run({.max_drop = 0.2}, recipe), Error);
  const SearchResult stopped = run({.max_drop = 0.2}, recipe);

  EXPECT_EQ(stopped.chosen, 1U);
  EXPECT_THAT(runner_.started,
              ElementsAre("prune", "prune", "quantize", "convert", "sensitivity", "quantize"));
  const std::size_t n_started = runner_.started.size(), n_asked = examiner_.asked.size();
  const SearchResult again = run({.max_drop = 0.2}, recipe);
  EXPECT_EQ(runner_.started.size(), n_started);
  EXPECT_EQ(examiner_.asked.size(), n_asked);
  EXPECT_EQ(to_json(again.outcomes[1]), to_json(stopped.outcomes[1]));
}

TEST_F(SearchTest, SharesTheStagesThatCandidatesHaveInCommon) {
  (void)run({.max_drop = 0.2}, "stages: [{prune: {method: embedding, rank: 8}}, quantize]");

  EXPECT_EQ(std::count(runner_.started.begin(), runner_.started.end(), "prune"), 1);
}

TEST_F(SearchTest, TellsOriginAndCardWhatWasDone) {
  const SearchResult result =
      run({.max_drop = 0.5}, "stages: [{prune: {target-flops: 4}}, quantize]");
  const Catalogue kinds = testing::catalogue();
  const Recipe recipe =
      parse_recipe("mine", "stages: [{prune: {target-flops: 4}}, quantize]", kinds);
  const fs::path rows = folder_.path() / "dev.tsv";
  std::ofstream(rows) << "text\tlabel\n";
  const std::vector<DataFile> data = {{.use = "eval", .path = rows}};

  const compress::Stamp stamp = origin_stamp({.recipe = recipe,
                                              .kinds = kinds,
                                              .stages = result.stages,
                                              .outcome = result.outcomes[0],
                                              .data = data,
                                              .seed = 7});
  ASSERT_EQ(stamp.before.size(), 1U);
  EXPECT_EQ(stamp.before[0].name, "prune");
  EXPECT_THAT(stamp.before[0].options,
              ElementsAre(::testing::Pair("target-flops", "4"), ::testing::Pair("seed", "7")));
  EXPECT_THAT(stamp.before[0].metrics, ElementsAre(::testing::Pair("accuracy", "88.5")));
  EXPECT_EQ(stamp.after.at(0).name, "compress");
  EXPECT_THAT(stamp.after[0].inputs,
              ElementsAre(::testing::Pair("dev.tsv", ::testing::SizeIs(16))));
  for (const auto& [name, value] : stamp.after[0].options)
    EXPECT_THAT(value, ::testing::Not(HasSubstr("/")));

  CardInput input;
  input.file = "m.espl";
  input.base = {.name = "org/base",
                .pipeline_tag = "text-classification",
                .language = "[en, de]",
                .license = "mit",
                .datasets = {}};
  input.precision = "9 int8";
  input.n_bytes = 6500000;
  input.checkpoint_bytes = 90000000;
  input.recipe_text = recipe.text + "\n";
  input.stages = result.stages;
  input.outcome = &result.outcomes[0];
  input.deciding_file = "dev.tsv";
  input.data = data;
  const std::string card = model_card(input);
  EXPECT_THAT(card, ::testing::StartsWith(
                        "---\nlanguage: [en, de]\nlicense: mit\nlibrary_name: espalier\n"));
  for (const char* says :
       {"base_model: org/base", "pipeline_tag: text-classification", "  - accuracy", "value: 89.70",
        "| size | 90.00 MB (checkpoint) | 6.50 MB |", "| accuracy | 90.00 (fp32) | 89.70 |",
        "| `prune target-flops=4` | 2.0 | 120 J, measured |",
        "| `quantize` | 2.0 | 12 J, estimated |", "130 J (estimated)", "| eval | `dev.tsv` | "}) {
    EXPECT_THAT(card, HasSubstr(says));
  }
  EXPECT_THAT(card, ::testing::Not(HasSubstr("Domain-bound")));
}

TEST(KeptPieces, AreThoseOfAStageThatTrimsTheVocabulary) {
  const Stage vocab{.verb = "prune", .settings = {{.name = "method", .values = {"vocab"}}}};
  DoneStage done{.stage = vocab, .folder = "1", .output = "o", .record = {}};
  done.record["report"] = {{"before", {{"pieces", 30522}}}, {"after", {{"pieces", 8123}}}};

  EXPECT_EQ(kept_pieces({&done, 1}), "8123 of 30522");
  EXPECT_FALSE(kept_pieces({}));
}

TEST(BaseModel, IsReadFromTheFrontMatterOfItsReadme) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "README.md")
      << "---\nlanguage: en\nlicense: apache-2.0\ndatasets: [sst2]\n---\n# text\n";
  std::ofstream(folder.path() / "config.json") << R"({"_name_or_path": "org/minilm"})";

  const BaseModel base = base_model(folder.path(), checkpoint::Architecture::token_classification);

  EXPECT_EQ(base.name, "org/minilm");
  EXPECT_EQ(base.language, "en");
  EXPECT_EQ(base.license, "apache-2.0");
  EXPECT_EQ(base.datasets, "[sst2]");
  EXPECT_EQ(base.pipeline_tag, "token-classification");
}

TEST(BaseModel, SaysNothingThatItDoesNotKnowAndNoPath) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "README.md") << "---\nlanguage: [en\n---\n";
  std::ofstream(folder.path() / "config.json") << R"({"_name_or_path": "/disk/minilm"})";

  const BaseModel base = base_model(folder.path(), checkpoint::Architecture::model);

  EXPECT_EQ(base.name, folder.path().filename().string());
  EXPECT_EQ(base.language + base.license, "");
}

class WorkspaceTest : public ::testing::Test {
 protected:
  testing::TemporaryFolder folder_;
  fs::path work_ = folder_.path() / "work";
};

TEST_F(WorkspaceTest, RefusesAnotherFingerprintNamingWhatDiffers) {
  { const Workspace first(work_, {{"--train", "1"}, {"--seed", "1"}}, false); }
  try {
    const Workspace second(work_, {{"--train", "2"}, {"--seed", "1"}}, false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output);
    EXPECT_THAT(error.what(), HasSubstr("holds a run with another '--train'; --force starts over"));
  }
}

TEST_F(WorkspaceTest, TakesUpTheSameRunAndStartsAnotherOverByForce) {
  {
    const Workspace first(work_, {{"a", "1"}}, false);
    first.keep("candidates/1.json", {{"name", "x"}});
    EXPECT_FALSE(first.goes_on());
  }
  {
    const Workspace same(work_, {{"a", "1"}}, true);
    EXPECT_TRUE(same.goes_on());
    EXPECT_TRUE(same.find("candidates/1.json"));
  }
  const Workspace other(work_, {{"a", "2"}}, true);
  EXPECT_FALSE(other.goes_on());
  EXPECT_FALSE(other.find("candidates/1.json"));
}

TEST_F(WorkspaceTest, LeavesAFolderOfSomethingElseAlone) {
  fs::create_directory(work_);
  std::ofstream(work_ / "thesis.txt") << "mine";

  EXPECT_THROW(Workspace(work_, {}, true), Error);
  EXPECT_TRUE(fs::exists(work_ / "thesis.txt"));
}

TEST_F(WorkspaceTest, IsOfOneProcessAtATime) {
  const Workspace first(work_, {}, false);

  EXPECT_THROW(Workspace(work_, {}, false), Error);
}

TEST_F(WorkspaceTest, SaysThatADamagedFileIs) {
  const Workspace workspace(work_, {}, false);
  std::ofstream(work_ / "x.json") << "{";

  EXPECT_THROW((void)workspace.find("x.json"), Error);
}

TEST(StageNames, TellEverythingThatCameBefore) {
  const Stage quantize{.verb = "quantize", .settings = {}};
  const auto name = [&](const std::string& rank) {
    const Stage prune{.verb = "prune", .settings = {{.name = "rank", .values = {rank}}}};
    return stage_names({prune, quantize});
  };

  EXPECT_THAT(name("8")[0], ::testing::MatchesRegex("1-prune-[0-9a-f]+"));
  EXPECT_THAT(name("8")[1], ::testing::StartsWith("2-quantize-"));
  EXPECT_NE(name("8")[1], name("9")[1]);
  EXPECT_EQ(name("8"), name("8"));
}

}  // namespace
}  // namespace espalier::recipe
