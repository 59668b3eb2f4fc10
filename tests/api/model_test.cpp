// Opening, describing and proving a model through the public API.
#include "espalier/model.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/api/tiny_models.hpp"

namespace espalier {
namespace {

using testing::TemporaryFolder;

/// A file with a tiny model in it.
std::filesystem::path write_tiny(const TemporaryFolder& folder) {
  const std::filesystem::path file = folder / "a.espl";
  format::write_model(testing::export_tiny().spec(), file, Overwrite::refuse);
  return file;
}

template <typename Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + ": " + error.what();
  }
  return "no error";
}

TEST(Model, SaysWhatItsFileHolds) {
  const TemporaryFolder folder;
  const std::filesystem::path file = write_tiny(folder);

  const Model model = Model::open(file);

  const ModelInfo& info = model.info();
  EXPECT_EQ(info.task, Task::classify);
  EXPECT_EQ(info.precision, Precision::int8);
  EXPECT_EQ(info.hidden, 32U);
  EXPECT_EQ(info.n_layers, 2U);
  EXPECT_EQ(info.max_length, 64U);
  EXPECT_EQ(info.vocabulary_size, model.tokenizer().vocabulary_size());
  EXPECT_EQ(info.file_bytes, std::filesystem::file_size(file));
  EXPECT_EQ(info.labels, (std::vector<std::string>{"negative", "positive"}));
}

TEST(Model, CountsEveryParameterOfTheCheckpoint) {
  std::uint64_t n_expected = 0;
  for (const testing::TinyTensor& tensor : testing::tiny_tensors({})) {
    n_expected += tensor.values.size();
  }

  EXPECT_EQ(testing::open_tiny().info().n_parameters, n_expected);
  EXPECT_EQ(testing::open_tiny({}, Precision::fp32).info().n_parameters, n_expected);
}

TEST(Model, AnswersTheSameReadMappedAndFromMemory) {
  const TemporaryFolder folder;
  const std::filesystem::path file = write_tiny(folder);
  const std::string bytes = testing::read_file(file);
  const Model models[] = {Model::open(file), Model::open(file, {.map_file = true}),
                          Model::open(std::as_bytes(std::span(bytes)))};

  std::vector<std::vector<float>> logits;
  for (const Model& model : models) {
    Session session(model);
    logits.push_back(session.classify({"the film is good"})[0].logits);
  }

  EXPECT_EQ(logits[0], logits[1]);
  EXPECT_EQ(logits[0], logits[2]);
}

TEST(Model, PassesItsSelfTestOnEveryBackEnd) {
  for (const Precision precision : {Precision::int8, Precision::fp32, Precision::bf16}) {
    const Model model = testing::open_tiny({}, precision);
    for (const std::string& backend : testing::backends_here()) {
      const SelfTestReport report = model.self_test(backend);

      EXPECT_TRUE(report.passed) << backend << ": " << report.worst_difference;
      EXPECT_EQ(report.n_cases, 4U);
      EXPECT_EQ(report.tolerance == 0.0F, precision == Precision::int8);
    }
  }
}

TEST(Model, FailsItsSelfTestWhenAnExpectedAnswerIsTamperedWith) {
  const compress::ExportedModel exported = testing::export_tiny();
  format::ModelSpec spec = exported.spec();
  float& expected = spec.self_test.cases[2].expected[1];
  expected = std::nextafter(expected, 10.0F);  // int8 answers are compared bit by bit

  const SelfTestReport report = testing::open_spec(spec).self_test();

  EXPECT_FALSE(report.passed);
  EXPECT_GT(report.worst_difference, 0.0F);
}

TEST(Model, NamesTheFileInEveryRefusal) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.espl";
  testing::write_file(file, "not a model at all, but long enough to be looked at");

  EXPECT_EQ(refusal([&] {
              (void)Model::open(file);
            }).rfind("3: while opening '" + file.string() + "': ", 0),
            0U);
  EXPECT_EQ(refusal([&] { (void)Model::open(folder / "missing"); }).rfind("3: while opening ", 0),
            0U);
}

TEST(Model, RefusesADamagedFile) {
  std::vector<std::byte> bytes = format::to_bytes(testing::export_tiny().spec());
  bytes[bytes.size() / 2] ^= std::byte{1};

  EXPECT_EQ(refusal([&] {
              (void)Model::open(std::span<const std::byte>(bytes));
            }).rfind("7: while opening a model in memory: ", 0),
            0U);
}

TEST(Model, RefusesAForgedTokenizer) {
  const compress::ExportedModel exported = testing::export_tiny();
  format::ModelSpec spec = exported.spec();
  const format::AddedToken token = {.content = "[MASK]", .id = spec.tokenizer.mask};
  spec.tokenizer.added = {token, token};  // each is sound, but a tokenizer takes none twice

  EXPECT_EQ(refusal([&] { (void)testing::open_spec(spec); }).rfind("7: ", 0), 0U);
}

TEST(Model, TokenizesAsItsCheckpointFolderDoes) {
  const TemporaryFolder folder;
  testing::write_tiny_checkpoint(folder.path());
  const Tokenizer of_folder = Tokenizer::open(folder.path());
  const Model model = testing::open_tiny();
  const std::vector<std::string> texts = testing::some_texts();

  const TokenBatch a = of_folder.encode(testing::as_texts(texts));
  const TokenBatch b = model.tokenizer().encode(testing::as_texts(texts));

  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.spans, b.spans);
  EXPECT_EQ(of_folder.max_length(), model.tokenizer().max_length());
}

TEST(Tokenizer, RefusesAnIdOutsideTheVocabulary) {
  const Model model = testing::open_tiny();

  EXPECT_EQ(model.tokenizer().piece(TokenId{4}), "[MASK]");
  EXPECT_EQ(refusal([&] { (void)model.tokenizer().piece(TokenId{-1}); }).rfind("3: ", 0), 0U);
  EXPECT_EQ(refusal([&] { (void)model.tokenizer().piece(TokenId{100000}); }).rfind("3: ", 0), 0U);
}

TEST(Tokenizer, CountsSpansInCharacters) {
  const std::vector<ByteSpan> bytes = {{0, 3}, {4, 7}};

  EXPECT_EQ(character_spans("\xE4\xBB\x8A \xE5\xBE\x88", bytes),
            (std::vector<ByteSpan>{{0, 1}, {2, 3}}));
}

TEST(Tokenizer, NamesTheFolderItCannotOpen) {
  const TemporaryFolder folder;

  EXPECT_NE(refusal([&] { (void)Tokenizer::open(folder.path()); }).find(folder.path().string()),
            std::string::npos);
}

}  // namespace
}  // namespace espalier
