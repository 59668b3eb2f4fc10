// Structs of callers whose header is older or newer than the library.
#include <cstring>

#include "tests/abi/c_tiny.hpp"

namespace espalier {
namespace {

using testing::CModel;
using testing::expect_refused;
using testing::open_c;

/// A struct of a header that has 16 bytes more.
template <typename T>
struct Newer {
  T known;
  std::uint64_t added[2];
};

TEST(Options, OfAnOlderCallerLeaveTheRestAsUsual) {
  const CModel model = open_c();
  espalier_session_options options{};
  options.device = "reference";
  options.n_threads = 3;
  options.max_length = 7;  // behind what this caller knows: not looked at
  options.struct_size = offsetof(espalier_session_options, n_threads);
  espalier_session* session = nullptr;

  ASSERT_EQ(espalier_session_open(model.get(), &options, &session, nullptr), ESPALIER_OK);

  const testing::CSession owned(session);
  espalier_session_info info{};
  info.struct_size = sizeof info;
  ASSERT_EQ(espalier_session_get_info(session, &info, nullptr), ESPALIER_OK);
  EXPECT_STREQ(info.device, "reference");
  EXPECT_EQ(info.max_length, 64U);
}

TEST(Options, OfANewerCallerThatAsksForNothingNewAreTaken) {
  const CModel model = open_c();
  Newer<espalier_session_options> options{};
  options.known.struct_size = sizeof options;
  options.known.max_length = 16;
  espalier_session* session = nullptr;

  ASSERT_EQ(espalier_session_open(model.get(), &options.known, &session, nullptr), ESPALIER_OK);

  const testing::CSession owned(session);
  espalier_session_info info{};
  info.struct_size = sizeof info;
  ASSERT_EQ(espalier_session_get_info(session, &info, nullptr), ESPALIER_OK);
  EXPECT_EQ(info.max_length, 16U);
}

TEST(Options, OfANewerCallerThatAsksForMoreAreRefused) {
  const CModel model = open_c();
  Newer<espalier_session_options> options{};
  options.known.struct_size = sizeof options;
  options.added[1] = std::uint64_t{1} << 63;  // the very last byte
  espalier_session* session = nullptr;
  espalier_error error;

  expect_refused(espalier_session_open(model.get(), &options.known, &session, &error), error,
                 ESPALIER_UNAVAILABLE, "newer library");
  EXPECT_EQ(session, nullptr);
}

TEST(Options, SizesThatNoVersionHadAreRefused) {
  const CModel model = open_c();
  for (const std::size_t size : {std::size_t{0}, std::size_t{4}, std::size_t{13}, SIZE_MAX - 7}) {
    espalier_session_options options{};
    options.struct_size = size;
    espalier_session* session = nullptr;
    espalier_error error;

    expect_refused(espalier_session_open(model.get(), &options, &session, &error), error,
                   ESPALIER_USAGE, "struct_size is " + std::to_string(size));
  }
}

TEST(Info, OfAnOlderCallerIsNotWrittenBeyondItsEnd) {
  const CModel model = open_c();
  espalier_model_info info;
  std::memset(&info, 0x5A, sizeof info);
  info.struct_size = offsetof(espalier_model_info, n_layers);

  ASSERT_EQ(espalier_model_get_info(model.get(), &info, nullptr), ESPALIER_OK);

  EXPECT_EQ(info.struct_size, offsetof(espalier_model_info, n_layers));
  EXPECT_EQ(info.hidden, 32U);
  EXPECT_EQ(info.n_layers, 0x5A5A5A5AU);
  EXPECT_EQ(info.checksum, 0x5A5A5A5A5A5A5A5AU);
}

TEST(Info, OfANewerCallerHasZerosWhereThisVersionKnowsNothing) {
  const CModel model = open_c();
  Newer<espalier_model_info> info;
  std::memset(&info, 0x5A, sizeof info);
  info.known.struct_size = sizeof info;

  ASSERT_EQ(espalier_model_get_info(model.get(), &info.known, nullptr), ESPALIER_OK);

  EXPECT_EQ(info.known.struct_size, sizeof info);
  EXPECT_EQ(info.known.hidden, 32U);
  EXPECT_EQ(info.added[0], 0U);
  EXPECT_EQ(info.added[1], 0U);
}

TEST(Info, WithoutASizeIsRefused) {
  const CModel model = open_c();
  espalier_model_info info{};
  espalier_error error;

  expect_refused(espalier_model_get_info(model.get(), &info, &error), error, ESPALIER_USAGE,
                 "info->struct_size is 0");
}

TEST(CallOptions, OfAnyAgeFollowTheSameRule) {
  const CModel model = open_c();
  const testing::CSession session = testing::session_c(model);
  const espalier_text text = testing::c_text("the film");
  float scores[2];
  const std::int32_t cancel = 1;
  Newer<espalier_call_options> options{};
  options.known.cancel = &cancel;
  const auto ask = [&](espalier_error* error) {
    return espalier_classify(session.get(), &text, 1, &options.known, scores, 2, nullptr, error);
  };
  espalier_error error;

  options.known.struct_size = offsetof(espalier_call_options, cancel);
  EXPECT_EQ(ask(&error), ESPALIER_OK) << error.message;
  options.known.struct_size = sizeof options;
  expect_refused(ask(&error), error, ESPALIER_CANCELLED, "cancelled");
  options.added[0] = 1;
  expect_refused(ask(&error), error, ESPALIER_UNAVAILABLE, "newer library");
}

}  // namespace
}  // namespace espalier
