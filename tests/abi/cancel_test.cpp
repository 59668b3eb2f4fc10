// Calls that give up: before they begin, between two blocks, and at a deadline.
#include <atomic>
#include <chrono>
#include <memory>

#include "runtime/executor.hpp"
#include "runtime/reference/reference.hpp"
#include "tests/abi/c_tiny.hpp"

namespace espalier {
namespace {

using testing::c_text;
using testing::CModel;
using testing::CSession;
using testing::expect_refused;
using testing::open_c;
using testing::session_c;

/// The reference back end, which counts the blocks it is given and calls `on_block` at each.
class CountingBackend final : public runtime::Backend {
 public:
  explicit CountingBackend(std::function<void(int)> on_block) : on_block_(std::move(on_block)) {}

  [[nodiscard]] int n_blocks() const { return n_blocks_; }

  std::string_view name() const noexcept override { return "counting"; }
  std::string_view path(const runtime::PreparedModel& model) const noexcept override {
    return inner_.path(model);
  }
  std::unique_ptr<runtime::PreparedModel> prepare(const format::ModelSpec& spec) const override {
    return inner_.prepare(spec);
  }
  std::vector<std::unique_ptr<runtime::Workspace>> new_workspaces(
      const runtime::PreparedModel& model, const runtime::Limits& limits,
      ThreadTeam& team) const override {
    return inner_.new_workspaces(model, limits, team);
  }
  void embed(runtime::Workspace& workspace, const runtime::TokenBlock& block,
             runtime::RowRange rows) const override {
    on_block_(++n_blocks_);
    inner_.embed(workspace, block, rows);
  }
  void attend(runtime::Workspace& workspace, std::uint32_t layer,
              runtime::Rows rows) const override {
    inner_.attend(workspace, layer, rows);
  }
  void project_add_norm(runtime::Workspace& workspace, std::uint32_t layer,
                        runtime::Rows rows) const override {
    inner_.project_add_norm(workspace, layer, rows);
  }
  void feed_forward_add_norm(runtime::Workspace& workspace, std::uint32_t layer,
                             runtime::Rows rows) const override {
    inner_.feed_forward_add_norm(workspace, layer, rows);
  }
  void head(runtime::Workspace& workspace, std::span<const std::uint32_t> rows,
            std::span<float> dst) const override {
    inner_.head(workspace, rows, dst);
  }
  void read(const runtime::Workspace& workspace, runtime::Tap tap,
            std::span<float> dst) const override {
    inner_.read(workspace, tap, dst);
  }

 private:
  const runtime::Backend& inner_ = runtime::reference_backend();
  std::function<void(int)> on_block_;
  mutable std::atomic<int> n_blocks_{0};
};

/// `n_sentences` of 8 tokens, a block each where blocks have 8 rows.
TokenBatch batch_of(std::size_t n_sentences) {
  TokenBatch batch;
  batch.offsets = {0};
  for (std::size_t sentence = 0; sentence < n_sentences; ++sentence) {
    for (int token = 0; token < 8; ++token) batch.ids.push_back(TokenId{2 + token});
    batch.offsets.push_back(static_cast<std::uint32_t>(batch.ids.size()));
  }
  batch.segments.assign(batch.ids.size(), 0);
  return batch;
}

ErrorCode code_of_run(runtime::Executor& executor, const TokenBatch& batch,
                      const CallLimits& call) {
  std::vector<float> dst(executor.output_size(batch));
  try {
    executor.run(batch, dst, call);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode{};
}

TEST(CallLimits, ACancelledRunDoesTheBlocksUnderWayAndNoMore) {
  const compress::ExportedModel exported = testing::export_tiny();
  for (const unsigned n_threads : {1U, 3U}) {
    std::int32_t cancel = 0;
    const CountingBackend backend([&](int block) {
      if (block == 5) std::atomic_ref(cancel).store(1);
    });
    const auto model = backend.prepare(exported.spec());
    runtime::Executor executor(backend, *model, exported.spec(), n_threads, {8, 64});
    const TokenBatch batch = batch_of(200);

    EXPECT_EQ(code_of_run(executor, batch, {.cancel = &cancel}), ErrorCode::cancelled);

    EXPECT_GE(backend.n_blocks(), 5);
    EXPECT_LE(backend.n_blocks(), static_cast<int>(5 + n_threads - 1 + n_threads));
    std::atomic_ref(cancel).store(0);
    EXPECT_EQ(code_of_run(executor, batch, {.cancel = &cancel}), ErrorCode{});
  }
}

TEST(CallLimits, ADeadlineThatPassesMeanwhileStopsARun) {
  const compress::ExportedModel exported = testing::export_tiny();
  CallLimits call;
  call.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  const CountingBackend backend([&](int block) {
    if (block == 5) call.deadline = std::chrono::steady_clock::now();
  });
  const auto model = backend.prepare(exported.spec());
  runtime::Executor executor(backend, *model, exported.spec(), 1, {8, 64});

  EXPECT_EQ(code_of_run(executor, batch_of(200), call), ErrorCode::deadline);

  EXPECT_EQ(backend.n_blocks(), 5);
}

TEST(CallLimits, SentencesThatATeamSplitsAreStoppedBetweenToo) {
  const compress::ExportedModel exported = testing::export_tiny();
  std::int32_t cancel = 0;
  const CountingBackend backend([&](int) { std::atomic_ref(cancel).store(1); });
  const auto model = backend.prepare(exported.spec());
  runtime::Executor executor(backend, *model, exported.spec(), 2, {8, 64});

  // Two sentences for two threads would be dealt whole, one is split: each is a run of the team.
  EXPECT_EQ(code_of_run(executor, batch_of(1), {.cancel = &cancel}), ErrorCode{});
  EXPECT_EQ(backend.n_blocks(), 2);
  EXPECT_EQ(code_of_run(executor, batch_of(1), {.cancel = &cancel}), ErrorCode::cancelled);
  EXPECT_EQ(backend.n_blocks(), 2);
}

TEST(CallLimits, ACallThatWasDoneBeforeItsLimitIsDone) {
  const compress::ExportedModel exported = testing::export_tiny();
  std::int32_t cancel = 0;
  const CountingBackend backend([&](int block) {
    if (block == 3) std::atomic_ref(cancel).store(1);
  });
  const auto model = backend.prepare(exported.spec());
  runtime::Executor executor(backend, *model, exported.spec(), 1, {8, 64});

  EXPECT_EQ(code_of_run(executor, batch_of(3), {.cancel = &cancel}), ErrorCode{});
}

espalier_call_options call_options() {
  espalier_call_options options{};
  options.struct_size = sizeof options;
  return options;
}

TEST(Cancel, BeforeACallStopsItAndTheSessionCanBeAskedAgain) {
  const CModel model = open_c();
  const CSession session = session_c(model);
  const espalier_text text = c_text("the film");
  volatile std::int32_t cancel = 1;
  espalier_call_options options = call_options();
  options.cancel = &cancel;
  float scores[2];
  espalier_error error;

  expect_refused(espalier_classify(session.get(), &text, 1, &options, scores, 2, nullptr, &error),
                 error, ESPALIER_CANCELLED, "cancelled");
  EXPECT_EQ(cancel, 1);  // the caller's alone
  cancel = 0;
  EXPECT_EQ(espalier_classify(session.get(), &text, 1, &options, scores, 2, nullptr, &error),
            ESPALIER_OK);
}

TEST(Cancel, StopsEveryKindOfCall) {
  const CModel tagger = open_c(testing::tiny_tagger());
  const CModel embedder = open_c(testing::tiny_embedder());
  const CModel filler = open_c(testing::tiny_mask_filler());
  const CSession tags = session_c(tagger);
  const CSession embeds = session_c(embedder);
  const CSession fills = session_c(filler);
  const espalier_text text = c_text("[MASK]");
  const std::int32_t cancel = 1;
  espalier_call_options options = call_options();
  options.cancel = &cancel;
  std::vector<float> values(32);
  espalier_result* result = nullptr;

  EXPECT_EQ(espalier_tag(tags.get(), &text, 1, &options, &result, nullptr), ESPALIER_CANCELLED);
  EXPECT_EQ(espalier_embed(embeds.get(), &text, 1, &options, values.data(), 32, nullptr, nullptr),
            ESPALIER_CANCELLED);
  EXPECT_EQ(espalier_fill_mask(fills.get(), &text, 1, 5, &options, nullptr, &result, nullptr),
            ESPALIER_CANCELLED);
  EXPECT_EQ(result, nullptr);
}

TEST(Deadline, ThatHasPassedStopsACallAndOneFarAwayDoesNot) {
  const CModel model = open_c();
  const CSession session = session_c(model);
  const espalier_text text = c_text("the film");
  float scores[2];
  espalier_error error;
  const auto ask = [&](std::uint64_t deadline_ms) {
    espalier_call_options options = call_options();
    options.deadline_ms = deadline_ms;
    return espalier_classify(session.get(), &text, 1, &options, scores, 2, nullptr, &error);
  };

  expect_refused(ask(1), error, ESPALIER_DEADLINE, "deadline passed");
  expect_refused(ask(espalier_now_ms()), error, ESPALIER_DEADLINE, "deadline passed");
  EXPECT_EQ(ask(espalier_now_ms() + 3'600'000), ESPALIER_OK);
  EXPECT_EQ(ask(UINT64_MAX), ESPALIER_OK);
  EXPECT_EQ(ask(0), ESPALIER_OK);
}

TEST(CallOptions, RefuseAReservedFieldThatIsSet) {
  const CModel model = open_c();
  const CSession session = session_c(model);
  const espalier_text text = c_text("the film");
  float scores[2];
  espalier_error error;
  espalier_call_options options = call_options();
  options.reserved = 1;

  expect_refused(espalier_classify(session.get(), &text, 1, &options, scores, 2, nullptr, &error),
                 error, ESPALIER_USAGE, "reserved");
}

}  // namespace
}  // namespace espalier
