// Which format a file is taken for.
#include "tests/data/data_file.hpp"

namespace espalier::data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Format guessed(const DataFile& file, const Columns& columns = {}) {
  return Reader::open(file.path(), Format::automatic, columns)->format();
}

TEST(Format, IsGuessedFromTheContentWhateverTheName) {
  EXPECT_EQ(guessed({"a.csv", "text\tlabel\nx\t1\n"}), Format::tsv);
  EXPECT_EQ(guessed({"a.tsv", "{\"text\": \"x\", \"label\": 1}\n"}), Format::jsonl);
  EXPECT_EQ(guessed({"a.tsv", "EU NNP I-NP I-ORG\nis VBZ I-VP O\n\n"}), Format::conll);
  EXPECT_EQ(guessed({"eng.train", "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\n"}), Format::conll);
  EXPECT_EQ(guessed({"a.txt", "text,label\nx,1\n"}), Format::csv);
  EXPECT_EQ(guessed({"a", "text\tlabel, really\nx\t1\n"}, {.need_label = false}), Format::tsv);
}

TEST(Format, IsGuessedFromTheNameWhereTheContentIsOpen) {
  const Columns one{.text = "1", .header = false, .need_label = false};
  const char* content = "no, or yes\n";

  EXPECT_EQ(guessed({"a.tsv", content}, one), Format::tsv);
  EXPECT_EQ(guessed({"a.csv", content}, one), Format::csv);
  EXPECT_EQ(guessed({"a.TSV", content}, one), Format::tsv);
  EXPECT_EQ(guessed(DataFile::gzipped("a.tsv.gz", content), one), Format::tsv);
  EXPECT_EQ(guessed({"a", content}, one), Format::csv);
  EXPECT_EQ(guessed({"a.csv", "\"a\tb\",1\n"}, one), Format::csv);
  EXPECT_EQ(guessed({"a.conll", "EU\tNNP\nis\tVBZ\n"}), Format::conll);
  EXPECT_EQ(guessed({"a.conll", "EU NNP\nis VBZ\n"}), Format::conll);
}

TEST(Format, OfPlainTextWithoutATellingNameIsTsv) {
  EXPECT_EQ(
      guessed({"a.txt", "one text a line\n"}, {.text = "1", .header = false, .need_label = false}),
      Format::tsv);
}

TEST(Format, OfSentencesWithTagsInOneRowIsTsv) {
  EXPECT_EQ(guessed({"a.tsv", "text_a\tlabel\nx y\tO O\n"}), Format::tsv);
  EXPECT_EQ(
      guessed({"a", "x y\tO O\nz z\tO B-LOC\n"}, {.text = "1", .label = "2", .header = false}),
      Format::tsv);
}

TEST(Format, GivenByNameIsNotGuessed) {
  EXPECT_THAT(error_of({"a.tsv", "text\tlabel\nx\t1\n"}, {}, Format::jsonl),
              HasSubstr("not valid JSON"));
  EXPECT_EQ(rows_of({"a.conll", "text O\n"}, {.need_label = false}, Format::conll).size(), 1u);
}

TEST(Format, GoesByNamesThatReadBack) {
  for (const Format format :
       {Format::automatic, Format::tsv, Format::csv, Format::jsonl, Format::conll}) {
    EXPECT_EQ(format_from_name(name_of(format)), format);
  }
  EXPECT_EQ(format_from_name("auto"), Format::automatic);
  try {
    (void)format_from_name("xml");
    FAIL() << "took an unknown format";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_THAT(error.what(), HasSubstr("auto, tsv, csv, jsonl, conll"));
  }
}

struct Sample {
  Format format;
  const char* content;  // the third line is malformed
};

class EveryFormat : public ::testing::TestWithParam<Sample> {};

TEST_P(EveryFormat, RefusesAMalformedLineByItsNumberAndItsFile) {
  const auto& [format, content] = GetParam();

  EXPECT_THAT(error_of({"bad\n.file", content}, {}, format),
              AllOf(StartsWith("3 line 3 of '"), HasSubstr("bad\\x0a.file': ")));
}

TEST_P(EveryFormat, ReadsTheSameFromGzip) {
  const auto& [format, content] = GetParam();
  std::string good(content);
  good.resize(good.find('\n', good.find('\n') + 1) + 1);

  const auto plain = rows_of({"a", good}, {}, format);
  const auto packed = rows_of(DataFile::gzipped("a.gz", good), {}, format);

  ASSERT_FALSE(plain.empty());
  EXPECT_EQ(texts_of(plain), texts_of(packed));
}

INSTANTIATE_TEST_SUITE_P(Table, EveryFormat,
                         ::testing::Values(Sample{Format::tsv, "text\tlabel\nx\t1\ny\n"},
                                           Sample{Format::csv, "text,label\nx,1\ny\n"},
                                           Sample{Format::jsonl,
                                                  "{\"text\":\"x\",\"label\":1}\n"
                                                  "{\"text\":\"y\",\"label\":1}\n{\"text\":\n"},
                                           Sample{Format::conll, "x O\ny O\nz\n"}),
                         [](const auto& test) { return std::string(name_of(test.param.format)); });

}  // namespace
}  // namespace espalier::data
