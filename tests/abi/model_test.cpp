// Opening, describing and proving a model through the C interface.
#include <array>

#include "api/c_api.hpp"
#include "format/writer.hpp"
#include "tests/abi/c_tiny.hpp"

namespace espalier {
namespace {

using testing::CModel;
using testing::expect_refused;
using testing::open_c;

TEST(Library, SaysItsVersions) {
  EXPECT_EQ(espalier_abi_version(), ESPALIER_ABI_VERSION);
  EXPECT_STREQ(espalier_version(), ESPALIER_EXPECTED_VERSION);
}

TEST(Library, TheClockRunsForward) {
  const std::uint64_t before = espalier_now_ms();

  EXPECT_GT(before, 0U);
  EXPECT_GE(espalier_now_ms(), before);
}

TEST(ModelOpen, GivesTheSameModelReadMappedAndFromMemory) {
  const testing::TemporaryFolder folder;
  const std::string path = (folder / "a.espl").string();
  const std::vector<std::byte> bytes = testing::tiny_bytes();
  testing::write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const espalier_open_options mapped = {sizeof mapped, 1, 0};
  std::array<espalier_model*, 3> models{};
  espalier_error error;

  ASSERT_EQ(espalier_model_open(path.c_str(), nullptr, &models[0], &error), ESPALIER_OK);
  ASSERT_EQ(espalier_model_open(path.c_str(), &mapped, &models[1], &error), ESPALIER_OK);
  ASSERT_EQ(espalier_model_open_memory(bytes.data(), bytes.size(), &models[2], &error),
            ESPALIER_OK);

  EXPECT_STREQ(error.message, "");
  for (espalier_model* model : models) {
    const CModel owned(model);
    espalier_model_info info{};
    info.struct_size = sizeof info;
    EXPECT_EQ(espalier_model_get_info(model, &info, nullptr), ESPALIER_OK);
    EXPECT_EQ(info.file_bytes, bytes.size());
  }
}

TEST(ModelOpen, RefusesWhatIsNoModelAndLeavesNull) {
  std::vector<std::byte> damaged = testing::tiny_bytes();
  damaged[damaged.size() / 2] ^= std::byte{1};
  auto* const untouched = reinterpret_cast<espalier_model*>(&damaged);
  espalier_model* model = untouched;
  espalier_error error;

  expect_refused(espalier_model_open("no-such.espl", nullptr, &model, &error), error,
                 ESPALIER_BAD_INPUT, "no-such.espl");
  EXPECT_EQ(model, nullptr);
  model = untouched;
  expect_refused(espalier_model_open_memory(damaged.data(), damaged.size(), &model, &error), error,
                 ESPALIER_VERIFICATION, "a model in memory");
  EXPECT_EQ(model, nullptr);
  expect_refused(espalier_model_open_memory(damaged.data(), 0, &model, &error), error,
                 ESPALIER_BAD_INPUT, "");
}

TEST(ModelOpen, RefusesNullArguments) {
  const std::byte byte{};
  espalier_model* model = nullptr;
  espalier_error error;

  expect_refused(espalier_model_open(nullptr, nullptr, &model, &error), error, ESPALIER_USAGE,
                 "path is NULL");
  expect_refused(espalier_model_open("x", nullptr, nullptr, &error), error, ESPALIER_USAGE,
                 "model is NULL");
  expect_refused(espalier_model_open_memory(nullptr, 1, &model, &error), error, ESPALIER_USAGE,
                 "bytes is NULL");
  expect_refused(espalier_model_open_memory(&byte, 1, nullptr, &error), error, ESPALIER_USAGE,
                 "model is NULL");
  EXPECT_EQ(espalier_model_open(nullptr, nullptr, nullptr, nullptr), ESPALIER_USAGE);
}

TEST(ModelOpen, RefusesAReservedFieldThatIsSet) {
  const espalier_open_options options = {sizeof options, 0, 1};
  espalier_model* model = nullptr;
  espalier_error error;

  expect_refused(espalier_model_open("x", &options, &model, &error), error, ESPALIER_USAGE,
                 "reserved");
}

TEST(ModelInfo, SaysWhatTheCppInterfaceSays) {
  const std::vector<std::byte> bytes = testing::tiny_bytes();
  const Model expected = Model::open(std::span<const std::byte>(bytes));
  const CModel model = open_c(bytes);
  espalier_model_info info{};
  info.struct_size = sizeof info;

  ASSERT_EQ(espalier_model_get_info(model.get(), &info, nullptr), ESPALIER_OK);

  EXPECT_EQ(info.task, ESPALIER_TASK_CLASSIFY);
  EXPECT_EQ(info.precision, ESPALIER_PRECISION_INT8);
  EXPECT_EQ(info.n_answers, 2U);
  EXPECT_EQ(info.hidden, expected.info().hidden);
  EXPECT_EQ(info.n_layers, expected.info().n_layers);
  EXPECT_EQ(info.vocabulary_size, expected.info().vocabulary_size);
  EXPECT_EQ(info.max_length, expected.info().max_length);
  EXPECT_EQ(info.n_parameters, expected.info().n_parameters);
  EXPECT_EQ(info.checksum, expected.info().checksum);
  ASSERT_EQ(info.n_labels, 2U);
  EXPECT_STREQ(info.labels[0], "negative");
  EXPECT_STREQ(info.labels[1], "positive");
}

TEST(ModelInfo, CountsTheAnswersOfEachTask) {
  const auto n_answers = [](const testing::TinyCheckpoint& tiny) {
    const CModel model = open_c(tiny);
    espalier_model_info info{};
    info.struct_size = sizeof info;
    EXPECT_EQ(espalier_model_get_info(model.get(), &info, nullptr), ESPALIER_OK);
    return std::pair(info.task, info.n_answers);
  };
  using Expected = std::pair<espalier_task, std::uint32_t>;

  EXPECT_EQ(n_answers(testing::tiny_embedder()), Expected(ESPALIER_TASK_EMBED, 32U));
  EXPECT_EQ(n_answers(testing::tiny_tagger()), Expected(ESPALIER_TASK_TAG, 0U));
  EXPECT_EQ(n_answers(testing::tiny_mask_filler()), Expected(ESPALIER_TASK_FILL_MASK, 0U));
}

TEST(ModelInfo, RefusesNullArguments) {
  const CModel model = open_c();
  espalier_model_info info{};
  info.struct_size = sizeof info;
  espalier_error error;

  expect_refused(espalier_model_get_info(nullptr, &info, &error), error, ESPALIER_USAGE,
                 "model is NULL");
  expect_refused(espalier_model_get_info(model.get(), nullptr, &error), error, ESPALIER_USAGE,
                 "info is NULL");
}

TEST(SelfTest, PassesOnEveryDevice) {
  const CModel model = open_c();
  for (const std::string& device : testing::backends_here()) {
    espalier_self_test_report report{};
    report.struct_size = sizeof report;

    ASSERT_EQ(espalier_model_self_test(model.get(), device.c_str(), &report, nullptr), ESPALIER_OK);

    EXPECT_EQ(report.passed, 1U);
    EXPECT_EQ(report.n_cases, 4U);
    EXPECT_EQ(report.tolerance, 0.0F);
  }
}

TEST(SelfTest, SaysWhenAnAnswerIsNotTheStoredOne) {
  const compress::ExportedModel exported = testing::export_tiny();
  format::ModelSpec spec = exported.spec();
  spec.self_test.cases[1].expected[0] += 0.5F;
  const CModel model = open_c(format::to_bytes(spec));
  espalier_self_test_report report{};
  report.struct_size = sizeof report;

  ASSERT_EQ(espalier_model_self_test(model.get(), nullptr, &report, nullptr), ESPALIER_OK);

  EXPECT_EQ(report.passed, 0U);
  EXPECT_GT(report.worst_difference, 0.1F);
}

TEST(SelfTest, RefusesNullArgumentsAndUnknownDevices) {
  const CModel model = open_c();
  espalier_self_test_report report{};
  report.struct_size = sizeof report;
  espalier_error error;

  expect_refused(espalier_model_self_test(nullptr, nullptr, &report, &error), error, ESPALIER_USAGE,
                 "model is NULL");
  expect_refused(espalier_model_self_test(model.get(), nullptr, nullptr, &error), error,
                 ESPALIER_USAGE, "report is NULL");
  expect_refused(espalier_model_self_test(model.get(), "abacus", &report, &error), error,
                 ESPALIER_USAGE, "abacus");
}

TEST(Error, ALongMessageIsCutBetweenCharacters) {
  // After a prefix of either length some cut would fall inside a character of two bytes.
  for (const std::string prefix : {"", "x"}) {
    std::string message = prefix;
    while (message.size() < 600) message += "\xC3\xA9";
    espalier_error error;

    EXPECT_EQ(c_api::report(&error, ESPALIER_FAILED, message), ESPALIER_FAILED);

    const std::string kept = error.message;
    EXPECT_EQ(kept, message.substr(0, kept.size()));
    EXPECT_EQ(kept.size(), prefix.size() + (495 - prefix.size()) / 2 * 2);
  }
}

TEST(Error, ThatIsNotOneOfOursHasAStatusToo) {
  espalier_error error;

  EXPECT_EQ(c_api::guard(&error, [] { throw std::bad_alloc(); }), ESPALIER_RESOURCE);
  EXPECT_EQ(c_api::guard(&error, [] { throw std::length_error("vector"); }), ESPALIER_RESOURCE);
  EXPECT_EQ(c_api::guard(&error, [] { throw std::logic_error("a bug"); }), ESPALIER_FAILED);
  EXPECT_STREQ(error.message, "a bug");
  EXPECT_EQ(c_api::guard(&error, [] { throw 7; }), ESPALIER_FAILED);
  EXPECT_EQ(error.code, ESPALIER_FAILED);
}

}  // namespace
}  // namespace espalier
