// Memory runs out at the n-th allocation, for every n until a call is through: each time the C
// interface says so, what it was called on can be used again, and nothing is lost. Not built under
// sanitizers, which replace operator new too.

#include "tests/abi/c_tiny.hpp"
#include "tests/support/counted_new.hpp"

namespace espalier::testing {
namespace {

constexpr long kTooMany = 100'000;  // a loop that has not ended by then never will

/// Calls `call` with the n-th allocation failing, n = 0, 1, ... until it is ESPALIER_OK, and
/// returns n. `undo` frees what the last, good call made.
template <typename Call, typename Undo>
long failures_until_success(Call&& call, Undo&& undo) {
  for (long n = 0; n < kTooMany; ++n) {
    const long live = n_live;
    espalier_error error;
    allocations_until_bad = n;
    const espalier_status status = call(&error);
    allocations_until_bad = -1;
    if (status == ESPALIER_OK) {
      undo();
      return n;
    }
    EXPECT_EQ(status, ESPALIER_RESOURCE) << "allocation " << n << ": " << error.message;
    EXPECT_NE(error.message[0], '\0');
    EXPECT_EQ(n_live, live) << "allocation " << n << " lost memory";
    if (::testing::Test::HasFailure()) break;
  }
  return -1;
}

TEST(Allocation, ThatFailsWhileAModelIsOpenedCostsNothing) {
  const std::vector<std::byte> bytes = tiny_bytes();
  espalier_model* model = nullptr;

  const long n = failures_until_success(
      [&](espalier_error* error) {
        const auto status = espalier_model_open_memory(bytes.data(), bytes.size(), &model, error);
        EXPECT_EQ(model != nullptr, status == ESPALIER_OK);
        return status;
      },
      [&] { espalier_model_free(model); });

  EXPECT_GT(n, 10);
}

TEST(Allocation, ThatFailsWhileASessionIsOpenedCostsNothing) {
  const CModel model = open_c();
  for (const std::string& device : backends_here()) {
    SCOPED_TRACE(device);
    espalier_session_options options = {};
    options.struct_size = sizeof options;
    options.device = device.c_str();
    options.n_threads = 1;
    // Weights are packed once for all sessions of a device, by the first.
    const CSession first = session_c(model, options);
    espalier_session* session = nullptr;

    const long n = failures_until_success(
        [&](espalier_error* error) {
          return espalier_session_open(model.get(), &options, &session, error);
        },
        [&] { espalier_session_free(session); });

    EXPECT_GT(n, 0);
  }
}

TEST(Allocation, ThatFailsInACallLeavesTheSessionFit) {
  const CModel model = open_c();
  const std::vector<std::string> strings = {"the film is good", "bad"};
  const std::vector<espalier_text> texts = c_texts(strings);
  for (const std::string& device : backends_here()) {
    SCOPED_TRACE(device);
    espalier_session_options options = {};
    options.device = device.c_str();
    options.n_threads = 1;
    std::vector<float> expected(4);
    {
      const CSession session = session_c(model, options);
      ASSERT_EQ(espalier_classify(session.get(), texts.data(), texts.size(), nullptr,
                                  expected.data(), expected.size(), nullptr, nullptr),
                ESPALIER_OK);
    }
    const CSession session = session_c(model, options);
    std::vector<float> scores(4);
    bool is_ok = false;
    long n = 0;
    for (; n < kTooMany && !is_ok; ++n) {
      espalier_error error;
      allocations_until_bad = n;
      const espalier_status status =
          espalier_classify(session.get(), texts.data(), texts.size(), nullptr, scores.data(),
                            scores.size(), nullptr, &error);
      allocations_until_bad = -1;
      is_ok = status == ESPALIER_OK;
      ASSERT_TRUE(is_ok || status == ESPALIER_RESOURCE) << n << ": " << error.message;
    }
    EXPECT_GT(n, 1);
    EXPECT_EQ(scores, expected);
  }
}

TEST(Allocation, ThatFailsWhileTextIsCutIntoTokensCostsNothing) {
  const CModel model = open_c();
  const std::vector<std::string> strings = {"the film is good", "john lives in berlin"};
  const std::vector<espalier_text> texts = c_texts(strings);
  espalier_result* result = nullptr;

  const long n = failures_until_success(
      [&](espalier_error* error) {
        return espalier_tokenize(model.get(), texts.data(), texts.size(), nullptr, nullptr, &result,
                                 error);
      },
      [&] { espalier_result_free(result); });

  EXPECT_GT(n, 0);
}

}  // namespace
}  // namespace espalier::testing
