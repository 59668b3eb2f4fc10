// The promise of the int8 mode, for every back end: the same bits for any composition and order of
// a batch, any number of threads, and a sentence split by rows; and the same bits as `reference`.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <tuple>

#include "runtime/encoder.hpp"
#include "runtime/executor.hpp"
#include "runtime/reference/reference.hpp"
#include "tests/conformance/backends.hpp"
#include "tests/conformance/shapes.hpp"
#include "tests/conformance/trace.hpp"

namespace espalier::testing {
namespace {

using runtime::Backend;
using runtime::Executor;
using Case = std::tuple<const Backend*, Shape>;
using Answers = std::vector<std::vector<float>>;  // one a sentence

/// Sentences of a prepared model, answered with any threads and block sizes.
class Answerer {
 public:
  Answerer(const Backend& backend, const format::ModelSpec& spec)
      : backend_(backend), spec_(spec), model_(backend.prepare(spec)) {}

  Answers operator()(const std::vector<Sentence>& sentences, unsigned threads,
                     std::uint32_t block_rows) const {
    Executor executor(backend_, *model_, spec_, threads, {block_rows, spec_.max_length});
    const TokenBatch batch = make_batch(sentences);
    std::vector<float> dst(executor.output_size(batch));
    executor.run(batch, dst);
    Answers answers;
    auto next = dst.begin();
    for (const Sentence& sentence : sentences) {
      const auto size = static_cast<std::ptrdiff_t>(executor.head().answer_rows(sentence.ids) *
                                                    executor.head().width);
      answers.emplace_back(next, next + size);
      next += size;
    }
    return answers;
  }

 private:
  const Backend& backend_;
  const format::ModelSpec& spec_;
  std::unique_ptr<runtime::PreparedModel> model_;
};

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  return test_name(*std::get<0>(info.param)) + std::get<1>(info.param).name;
}

class Invariance : public ::testing::TestWithParam<Case> {
 protected:
  Invariance()
      : model_(make_tiny_model(std::get<1>(GetParam()).model)),
        answer_(*std::get<0>(GetParam()), model_.spec()),
        sentences_(make_sentences(std::get<1>(GetParam()).lengths)) {
    for (const Sentence& sentence : sentences_) {
      alone_.push_back(answer_({sentence}, 1, model_.spec().max_length)[0]);
    }
  }

  OwnedModel model_;
  Answerer answer_;
  std::vector<Sentence> sentences_;
  Answers alone_;
};

TEST_P(Invariance, GivesTheBitsOfTheReference) {
  const Answerer reference(runtime::reference_backend(), model_.spec());

  EXPECT_EQ(alone_, reference(sentences_, 1, 256));
}

TEST_P(Invariance, DoesNotDependOnTheCompositionOfTheBatch) {
  EXPECT_EQ(answer_(sentences_, 1, 256), alone_);
  EXPECT_EQ(answer_(sentences_, 1, 1), alone_);
  EXPECT_EQ(answer_(sentences_, 1, 13), alone_);
}

TEST_P(Invariance, DoesNotDependOnTheOrderOfTheBatch) {
  std::vector<Sentence> reversed(sentences_.rbegin(), sentences_.rend());
  Answers answers = answer_(reversed, 2, 16);
  std::reverse(answers.begin(), answers.end());

  EXPECT_EQ(answers, alone_);
}

TEST_P(Invariance, DoesNotDependOnTheNumberOfThreads) {
  EXPECT_EQ(answer_(sentences_, 2, 256), alone_);
  EXPECT_EQ(answer_(sentences_, 3, 256), alone_);
  EXPECT_EQ(answer_(sentences_, 3, 8), alone_);
}

TEST_P(Invariance, SplittingASentenceByRowsChangesNothing) {
  const std::vector<Sentence> one = {
      make_sentence(std::min<std::uint32_t>(model_.spec().max_length, 83), 9)};
  const Answers whole = answer_(one, 1, 256);

  EXPECT_EQ(answer_(one, 2, 256), whole);  // long enough for two threads
  EXPECT_EQ(answer_(one, 3, 256), whole);  // and for three, where the model takes 72 tokens
}

INSTANTIATE_TEST_SUITE_P(EveryBackend, Invariance,
                         ::testing::Combine(::testing::ValuesIn(all_backends()),
                                            ::testing::ValuesIn(all_shapes())),
                         name_of);

class RowSplit : public ::testing::TestWithParam<const Backend*> {
 protected:
  /// Hidden rows of one sentence, computed by a team with these ranges.
  std::vector<float> hidden(const format::ModelSpec& spec, const Sentence& sentence,
                            const std::vector<runtime::RowRange>& ranges) const {
    const Backend& backend = *GetParam();
    const auto model = backend.prepare(spec);
    const TokenBatch batch = make_batch(std::span(&sentence, 1));
    const runtime::TokenBlock block = {batch.ids, batch.segments, batch.offsets};
    ThreadTeam team(static_cast<unsigned>(ranges.size()));
    const auto workspaces = backend.new_workspaces(*model, {block.n_rows(), block.n_rows()}, team);
    std::vector<float> x(std::size_t{block.n_rows()} * spec.hidden);
    team.run([&](unsigned member) {
      runtime::encode(backend, *workspaces[member], static_cast<std::uint32_t>(spec.layers.size()),
                      block, ranges[member], runtime::Rows::all);
      backend.read(*workspaces[member], runtime::Tap::hidden,
                   std::span(x).subspan(std::size_t{ranges[member].begin} * spec.hidden,
                                        std::size_t{ranges[member].size()} * spec.hidden));
    });
    return x;
  }
};

TEST_P(RowSplit, TakesUnevenAndEmptyRanges) {
  const OwnedModel model =
      make_tiny_model({.n_heads = {4, 0, 2, 1}, .intermediate = {64, 9, 0, 3}});
  const Sentence sentence = make_sentence(11, 3);
  const std::vector<float> whole = hidden(model.spec(), sentence, {{0, 11}});

  EXPECT_EQ(hidden(model.spec(), sentence, {{0, 1}, {1, 11}}), whole);
  EXPECT_EQ(hidden(model.spec(), sentence, {{0, 10}, {10, 10}, {10, 11}}), whole);
  EXPECT_EQ(hidden(model.spec(), sentence, {{0, 0}, {0, 6}, {6, 11}}), whole);
}

TEST_P(RowSplit, ProjectsTheWordsOfEachRange) {
  const OwnedModel model = make_tiny_model({.embedding_rank = 9});
  const Sentence sentence = make_sentence(60, 3);  // more rows than one call of a linear takes
  const std::vector<float> whole = hidden(model.spec(), sentence, {{0, 60}});

  EXPECT_EQ(hidden(model.spec(), sentence, {{0, 1}, {1, 60}}), whole);
  EXPECT_EQ(hidden(model.spec(), sentence, {{0, 50}, {50, 50}, {50, 60}}), whole);
}

TEST_P(RowSplit, SurvivesManyMeetings) {
  // Members race through thin layers: a key overwritten too early would show.
  const OwnedModel model = make_tiny_model({.n_heads = std::vector<std::uint32_t>(24, 1),
                                            .intermediate = std::vector<std::uint32_t>(24)});
  const Sentence sentence = make_sentence(6, 5);
  const std::vector<float> whole = hidden(model.spec(), sentence, {{0, 6}});

  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(hidden(model.spec(), sentence, {{0, 1}, {1, 5}, {5, 6}}), whole) << round;
  }
}

std::string backend_name(const ::testing::TestParamInfo<const Backend*>& given) {
  return test_name(*given.param);
}

INSTANTIATE_TEST_SUITE_P(EveryBackend, RowSplit, ::testing::ValuesIn(all_backends()), backend_name);

}  // namespace
}  // namespace espalier::testing
