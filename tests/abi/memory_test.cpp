// What espalier_estimate_memory says, held against what the heap really takes. Not built under
// sanitizers, which replace operator new and keep what is freed.
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "tests/abi/c_tiny.hpp"
#include "tests/support/counted_new.hpp"

namespace {

std::atomic<std::int64_t> n_mapped_bytes{0};

}  // namespace

// In place of the C library's: pages that this program maps itself. What its heap maps it does not
// ask for here.
extern "C" void* mmap(void* at, std::size_t size, int protection, int flags, int file, off_t from) {
  n_mapped_bytes += static_cast<std::int64_t>(size);
  return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, protection, flags, file, from));
}

extern "C" int munmap(void* at, std::size_t size) {
  n_mapped_bytes -= static_cast<std::int64_t>(size);
  return static_cast<int>(::syscall(SYS_munmap, at, size));
}

namespace espalier {
namespace {

using testing::c_text;
using testing::CModel;
using testing::CSession;
using testing::expect_refused;
using testing::held;
using testing::most_held;
using testing::open_c;
using testing::session_c;
using testing::TinyArchitecture;

/// All of the heap, that of C libraries too, and pages mapped beside it.
std::int64_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd) + n_mapped_bytes;
}

struct Estimated {
  std::int64_t model, packed, session, call;
};

Estimated estimate_of(const CModel& model, const espalier_session_options& options,
                      std::size_t n_texts, std::size_t n_tokens) {
  espalier_memory memory{};
  memory.struct_size = sizeof memory;
  espalier_error error;
  EXPECT_EQ(espalier_estimate_memory(model.get(), &options, n_texts, n_tokens, &memory, &error),
            ESPALIER_OK)
      << error.message;
  const auto bytes = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  return {bytes(memory.model_bytes), bytes(memory.packed_bytes), bytes(memory.session_bytes),
          bytes(memory.call_bytes)};
}

/// Borrows `device`.
espalier_session_options options_for(const char* device, unsigned n_threads) {
  espalier_session_options options{};
  options.struct_size = sizeof options;
  options.device = device;
  options.n_threads = n_threads;
  return options;
}

/// Large enough for what the estimate is about to outweigh what every model has.
testing::TinyCheckpoint medium(TinyArchitecture architecture) {
  testing::TinyCheckpoint tiny;
  tiny.architecture = architecture;
  tiny.hidden = 192;
  tiny.intermediate = 512;
  tiny.positions = 256;
  tiny.max_seq_length = 256;
  tiny.sentence_transformers = architecture == TinyArchitecture::model;
  if (architecture == TinyArchitecture::token_classification) {
    tiny.labels = testing::tiny_tagger().labels;
  }
  return tiny;
}

class Estimate : public ::testing::TestWithParam<Precision> {};

TEST_P(Estimate, OfModelAndSessionsIsNoLessThanTheHeapTakesAndNotTwiceThat) {
  const std::vector<std::byte> bytes =
      testing::tiny_bytes(medium(TinyArchitecture::sequence_classification), GetParam());
  const espalier_text text = c_text("the film is good");
  for (const std::string& device : testing::backends_here()) {
    for (const unsigned n_threads : {1U, 3U}) {
      SCOPED_TRACE(device + ", threads: " + std::to_string(n_threads));
      const espalier_session_options options = options_for(device.c_str(), n_threads);
      float scores[2];

      const std::int64_t before = heap_bytes();
      const CModel model = open_c(bytes);
      const std::int64_t opened = heap_bytes();
      const CSession first = session_c(model, options);
      const std::int64_t with_first = heap_bytes();
      const CSession second = session_c(model, options);
      const std::int64_t with_second = heap_bytes();
      for (const CSession* session : {&first, &second}) {
        ASSERT_EQ(espalier_classify(session->get(), &text, 1, nullptr, scores, 2, nullptr, nullptr),
                  ESPALIER_OK);
      }
      const std::int64_t at_work = heap_bytes();

      const Estimated estimate = estimate_of(model, options, 1, 8);
      EXPECT_GE(estimate.model, opened - before);
      EXPECT_LE(estimate.model, 2 * (opened - before));
      EXPECT_GE(estimate.session, with_second - with_first);
      EXPECT_LE(estimate.session, 2 * (with_second - with_first));
      EXPECT_GE(estimate.packed + 2 * estimate.session + 2 * estimate.call, at_work - opened);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, Estimate,
                         ::testing::Values(Precision::fp32, Precision::int8, Precision::bf16));

TEST(Estimate, OfACallIsNoLessThanItHoldsAtMost) {
  constexpr std::size_t kTexts = 300;
  constexpr std::size_t kTokens = 64;
  std::string words;
  for (std::size_t word = 0; word < kTokens - 2; ++word) words += "bad ";
  const std::vector<espalier_text> texts(kTexts, c_text(words));
  for (const TinyArchitecture architecture :
       {TinyArchitecture::sequence_classification, TinyArchitecture::token_classification,
        TinyArchitecture::model}) {
    SCOPED_TRACE(static_cast<int>(architecture));
    const CModel model = open_c(medium(architecture));
    const espalier_session_options options = options_for("auto", 1);
    const CSession session = session_c(model, options);
    std::vector<float> values(kTexts * 192);
    espalier_result* result = nullptr;

    const std::int64_t before = held;
    most_held = before;
    espalier_status status = ESPALIER_FAILED;
    switch (architecture) {
      case TinyArchitecture::sequence_classification:
        status = espalier_classify(session.get(), texts.data(), kTexts, nullptr, values.data(),
                                   values.size(), nullptr, nullptr);
        break;
      case TinyArchitecture::token_classification:
        status = espalier_tag(session.get(), texts.data(), kTexts, nullptr, &result, nullptr);
        break;
      case TinyArchitecture::model:
      case TinyArchitecture::masked_lm:
        status = espalier_embed(session.get(), texts.data(), kTexts, nullptr, values.data(),
                                values.size(), nullptr, nullptr);
        break;
    }
    const std::int64_t most = most_held - before;
    espalier_result_free(result);

    ASSERT_EQ(status, ESPALIER_OK);
    const std::int64_t estimate = estimate_of(model, options, kTexts, kTokens).call;
    EXPECT_GE(estimate, most);
    EXPECT_LE(estimate, 3 * most);
  }
}

TEST(Estimate, GrowsWithThreadsLengthAndTexts) {
  const CModel model = open_c(medium(TinyArchitecture::sequence_classification));
  espalier_session_options options = options_for("reference", 1);
  const Estimated one = estimate_of(model, options, 1, 64);
  const Estimated many = estimate_of(model, options, 1000, 64);
  options.n_threads = 4;
  const Estimated four = estimate_of(model, options, 1, 64);

  EXPECT_GT(many.call, 100 * 1000);
  EXPECT_EQ(many.session, one.session);
  EXPECT_GT(four.session, 3 * one.session);
  EXPECT_EQ(four.model, one.model);
}

TEST(Estimate, RefusesNullAndWhatTheModelDoesNotTake) {
  const CModel model = open_c();
  espalier_memory memory{};
  memory.struct_size = sizeof memory;
  espalier_error error;

  expect_refused(espalier_estimate_memory(nullptr, nullptr, 1, 1, &memory, &error), error,
                 ESPALIER_USAGE, "model is NULL");
  expect_refused(espalier_estimate_memory(model.get(), nullptr, 1, 1, nullptr, &error), error,
                 ESPALIER_USAGE, "memory is NULL");
  expect_refused(espalier_estimate_memory(model.get(), nullptr, 1, 65, &memory, &error), error,
                 ESPALIER_USAGE, "n_tokens is 65");
  expect_refused(espalier_estimate_memory(model.get(), nullptr, SIZE_MAX, 64, &memory, &error),
                 error, ESPALIER_USAGE, "n_texts");
  const espalier_session_options unknown = options_for("abacus", 1);
  expect_refused(espalier_estimate_memory(model.get(), &unknown, 1, 1, &memory, &error), error,
                 ESPALIER_USAGE, "abacus");
}

}  // namespace
}  // namespace espalier
