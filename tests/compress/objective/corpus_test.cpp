// Text files as sequences: where documents end, how sequences are filled, what is refused.
#include "compress/objective/corpus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "espalier/error.hpp"
#include "tests/compress/objective/small_corpus.hpp"
#include "tests/support/real_data.hpp"

namespace espalier::objective {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr CorpusOptions kSeparate = {.packing = Packing::separate};

TEST(Corpus, TakesEachLineForADocument) {
  const Corpus corpus = small_corpus("the cat\nthe dog\nrain", kSeparate);

  EXPECT_THAT(sequences_of(corpus),
              ElementsAre("[CLS] the cat [SEP]", "[CLS] the dog [SEP]", "[CLS] rain [SEP]"));
  EXPECT_EQ(corpus.n_documents, 3U);
}

TEST(Corpus, TakesBlankLinesForTheEndsOfDocumentsWhereThereAreSome) {
  const Corpus corpus = small_corpus("the\ncat\n \t\r\n\nthe dog\n", kSeparate);

  EXPECT_THAT(sequences_of(corpus), ElementsAre("[CLS] the cat [SEP]", "[CLS] the dog [SEP]"));
  EXPECT_EQ(corpus.n_documents, 2U);
}

TEST(Corpus, LooksForBlankLinesBetweenOthersOnly) {
  EXPECT_THAT(sequences_of(small_corpus("\n\nthe cat\nthe dog\n\n\n", kSeparate)),
              ElementsAre("[CLS] the cat [SEP]", "[CLS] the dog [SEP]"));
}

TEST(Corpus, FollowsALayoutThatIsStated) {
  CorpusOptions options = kSeparate;
  options.layout = DocumentLayout::lines;
  EXPECT_THAT(sequences_of(small_corpus("the\ncat\n\ndog", options)),
              ElementsAre("[CLS] the [SEP]", "[CLS] cat [SEP]", "[CLS] dog [SEP]"));

  options.layout = DocumentLayout::blank_lines;
  EXPECT_THAT(sequences_of(small_corpus("the\ncat\n", options)),
              ElementsAre("[CLS] the cat [SEP]"));
}

TEST(Corpus, JoinsDocumentsWithASeparatorBetweenThem) {
  const Corpus corpus = small_corpus("the cat\nthe dog\nrain");

  EXPECT_THAT(sequences_of(corpus), ElementsAre("[CLS] the cat [SEP] the dog [SEP] rain [SEP]"));
  EXPECT_EQ(corpus.n_documents, 3U);
  EXPECT_EQ(corpus.n_pieces, 5U);
}

TEST(Corpus, FillsSequencesAndKeepsTheRest) {
  EXPECT_THAT(
      sequences_of(small_corpus("the and of to\nin is it", {.max_length = 5})),
      ElementsAre("[CLS] the and of [SEP]", "[CLS] to [SEP] in [SEP]", "[CLS] is it [SEP]"));
  EXPECT_THAT(sequences_of(small_corpus("the and of to in is it",
                                        {.max_length = 5, .packing = Packing::separate})),
              ElementsAre("[CLS] the and of [SEP]", "[CLS] to in is [SEP]", "[CLS] it [SEP]"));
}

TEST(Corpus, EndsASequenceOnceWhereTheNextDocumentDoesNotFit) {
  // Behind "the cat" there is room for a separator and one piece, or for no piece at all.
  EXPECT_THAT(sequences_of(small_corpus("the cat\ntreeness", {.max_length = 6})),
              ElementsAre("[CLS] the cat [SEP]", "[CLS] tree ##ness [SEP]"));
  EXPECT_THAT(sequences_of(small_corpus("the cat\nrain", {.max_length = 5})),
              ElementsAre("[CLS] the cat [SEP]", "[CLS] rain [SEP]"));
}

TEST(Corpus, CutsBetweenWordsUnlessAWordIsLongerThanASequence) {
  EXPECT_THAT(sequences_of(small_corpus("the cat treeness", {.max_length = 5})),
              ElementsAre("[CLS] the cat [SEP]", "[CLS] tree ##ness [SEP]"));
  EXPECT_THAT(sequences_of(small_corpus("the cxyzq", {.max_length = 5})),
              ElementsAre("[CLS] the [SEP]", "[CLS] c ##x ##y [SEP]", "[CLS] ##z ##q [SEP]"));
}

TEST(Corpus, LeavesOutSequencesOfUnknownWords) {
  const Corpus corpus = small_corpus("é ж ж\nthe ж cat\nж", kSeparate);

  EXPECT_THAT(sequences_of(corpus),
              ElementsAre("[CLS] e [UNK] [UNK] [SEP]", "[CLS] the [UNK] cat [SEP]"));
  EXPECT_EQ(corpus.n_unknown, 4U);
  EXPECT_EQ(corpus.n_documents, 3U);
}

TEST(Corpus, KnowsWhatItsPiecesAre) {
  const Corpus corpus = small_corpus("treeness 今 #");
  const text::Tokenizer tokenizer = tiny_tokenizer();
  const auto kind = [&](const char* piece) { return corpus.kind(*tokenizer.find(piece)); };

  for (const char* piece : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    EXPECT_EQ(kind(piece), PieceKind::special) << piece;
  }
  EXPECT_EQ(kind("tree"), PieceKind::word);
  EXPECT_EQ(kind("今"), PieceKind::word);
  EXPECT_EQ(kind("#"), PieceKind::word);
  EXPECT_EQ(kind("##ness"), PieceKind::continuation);
}

TEST(Corpus, SaysWhereASequenceWasRead) {
  const testing::TemporaryFolder folder;
  const std::vector<fs::path> paths = {folder / "a.txt", folder / "b.txt"};
  testing::write_file(paths[0], "\nthe and of to\nin");
  testing::write_file(paths[1], "is\nit");

  const Corpus corpus = load_corpus(paths, tiny_tokenizer(), {.max_length = 4});

  EXPECT_THAT(sequences_of(corpus),
              ElementsAre("[CLS] the and [SEP]", "[CLS] of to [SEP]", "[CLS] in [SEP]",
                          "[CLS] is [SEP]", "[CLS] it [SEP]"));
  EXPECT_EQ(corpus.place(1), "line 2 of 'a.txt'");
  EXPECT_EQ(corpus.place(2), "line 3 of 'a.txt'");
  EXPECT_EQ(corpus.place(4), "line 2 of 'b.txt'");
}

TEST(Corpus, NeverJoinsALineToTheFileBefore) {
  const testing::TemporaryFolder folder;
  const std::vector<fs::path> paths = {folder / "a.txt", folder / "b.txt"};
  testing::write_file(paths[0], "the\n\ncat");
  testing::write_file(paths[1], "dog\n\nrain");

  const Corpus corpus = load_corpus(paths, tiny_tokenizer(), kSeparate);

  EXPECT_EQ(corpus.n_documents, 4U);
}

std::string refusal(std::string_view bytes, ErrorCode code = ErrorCode::bad_input,
                    const CorpusOptions& options = {}) {
  try {
    (void)small_corpus(bytes, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "not refused";
}

TEST(Corpus, RefusesWhatIsNoText) {
  EXPECT_THAT(refusal(""), AllOf(HasSubstr("text.txt"), HasSubstr("holds no text")));
  EXPECT_THAT(refusal("\n \n"), HasSubstr("holds no text"));
  EXPECT_THAT(refusal("the cat\n\nthe d\xF6g\n"),
              AllOf(HasSubstr("line 3 of "), HasSubstr("not UTF-8")));
  EXPECT_THAT(refusal("ж\nж"), HasSubstr("knows no piece"));
  EXPECT_THAT(refusal("the", ErrorCode::usage, {.max_length = 2}), HasSubstr("no room"));
}

TEST(Corpus, NeedsFilesAndAMask) {
  const std::vector<fs::path> missing = {"no/such/file.txt"};
  text::TokenizerSpec spec;
  spec.pieces = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "the"};
  spec.mask.clear();

  EXPECT_THROW((void)load_corpus({}, tiny_tokenizer(), {}), Error);
  EXPECT_THROW((void)load_corpus(missing, tiny_tokenizer(), {}), Error);
  try {
    (void)load_corpus(missing, text::Tokenizer(spec), {});
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no [MASK]"));
  }
}

struct RealText {
  const char* file;
  const char* vocabulary;
  std::size_t n_documents;
};

class RealCorpus : public ::testing::TestWithParam<RealText> {};

TEST_P(RealCorpus, FillsNearlyAllOfEverySequence) {
  ESPALIER_NEEDS_REAL_DATA();
  const fs::path data = testing::real_data() / "data";
  const testing::TemporaryFolder folder;
  fs::copy_file(data / "vocab" / GetParam().vocabulary, folder / "vocab.txt");
  const fs::path path = data / "text" / GetParam().file;

  const Corpus corpus = load_corpus(
      {&path, 1}, text::Tokenizer(text::load_tokenizer_spec(folder.path())), {.max_length = 128});

  const auto n_sequences = static_cast<double>(corpus.tokens.n_sentences());
  EXPECT_EQ(corpus.n_documents, GetParam().n_documents);
  EXPECT_GE(static_cast<double>(corpus.tokens.n_tokens()) / (128 * n_sequences), 0.99);
  EXPECT_LE(static_cast<double>(corpus.n_unknown), 0.01 * static_cast<double>(corpus.n_pieces));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, RealCorpus,
    ::testing::Values(RealText{"books_en.txt.gz", "bert-base-uncased.txt", 13},
                      RealText{"wiki_zh_paragraphs.txt.gz", "bert-base-chinese.txt", 1318}),
    [](const auto& given) { return std::string(given.param.file).substr(0, 5); });

}  // namespace
}  // namespace espalier::objective
