// Every data set file of the real data, row for row and token for token as its SOURCES.md counts.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "data/labels.hpp"
#include "data/reader.hpp"
#include "tests/support/real_data.hpp"

namespace espalier::data {
namespace {

struct RealFile {
  const char* name;
  std::size_t n_rows;
  Columns columns = {};
  std::map<std::string, std::size_t> labels = {};  // label -> rows, where these are counted
};

const Columns kMrpc{.text = "#1 String", .pair = "#2 String", .label = "Quality"};
const Columns kSentences{.text = "sentence1", .pair = "sentence2"};
const Columns kCola{.text = "4", .label = "2", .header = false};
const Columns kTitles{.text = "1", .label = "2", .header = false};
const Columns kWords{.words = true};

const std::vector<RealFile>& delimited_files() {
  static const std::vector<RealFile> files = {
      {"sst2/train.tsv", 67349, {}, {{"0", 29780}, {"1", 37569}}},
      {"sst2/dev.tsv", 872, {}, {{"0", 428}, {"1", 444}}},
      {"mrpc/train.tsv", 3668, kMrpc, {{"0", 1194}, {"1", 2474}}},
      {"mrpc/dev.tsv", 408, kMrpc, {{"0", 129}, {"1", 279}}},
      {"rte/train.tsv", 2490, kSentences, {{"entailment", 1249}, {"not_entailment", 1241}}},
      {"rte/dev.tsv", 277, kSentences, {{"entailment", 146}, {"not_entailment", 131}}},
      {"stsb/train.tsv", 5749, kSentences},
      {"stsb/dev.tsv", 1500, kSentences},
      {"cola/train.tsv", 8551, kCola, {{"0", 2528}, {"1", 6023}}},
      {"cola/dev.tsv", 1043, kCola, {{"0", 322}, {"1", 721}}},
      {"chinese/chnsenticorp/train.tsv", 9600, {}, {{"0", 4801}, {"1", 4799}}},
      {"chinese/chnsenticorp/dev.tsv", 1200, {}, {{"0", 607}, {"1", 593}}},
      {"chinese/chnsenticorp/test.tsv", 1200, {}, {{"0", 592}, {"1", 608}}},
      {"chinese/chnsenticorp/dev_clean.tsv", 843, {}, {{"0", 353}, {"1", 490}}},
      {"chinese/chnsenticorp/test_clean.tsv", 814, {}, {{"0", 328}, {"1", 486}}},
      {"chinese/lcqmc/dev.tsv", 8802, {}, {{"0", 4400}, {"1", 4402}}},
      {"chinese/lcqmc/test.tsv", 12500, {}, {{"0", 6250}, {"1", 6250}}},
      {"chinese/thucnews_titles/dev.tsv", 10000, kTitles},
      {"chinese/thucnews_titles/test.tsv", 10000, kTitles},
      {"chinese/msra_ner/dev.tsv", 2318, kWords},
      {"chinese/msra_ner/test.tsv", 4636, kWords},
      {"chinese/msra_ner/train_14k.tsv.gz", 14000, kWords},
  };
  return files;
}

TEST(RealFiles, HaveTheRowsAndLabelsThatTheirSourceCounts) {
  ESPALIER_NEEDS_REAL_DATA();
  for (const RealFile& file : delimited_files()) {
    SCOPED_TRACE(file.name);
    const auto reader =
        Reader::open(testing::real_data() / "data" / file.name, Format::automatic, file.columns);
    std::size_t n_rows = 0;
    std::map<std::string, std::size_t> labels;
    Row row;
    while (reader->next(row)) {
      ++n_rows;
      ++labels[row.label];
      EXPECT_FALSE(row.text.empty());
      EXPECT_EQ(row.pair.has_value(), reader->columns().pair.has_value());
    }
    EXPECT_EQ(reader->format(), Format::tsv);
    EXPECT_EQ(n_rows, file.n_rows);
    if (!file.labels.empty()) {
      EXPECT_EQ(labels, file.labels);
    }
  }
}

TEST(RealFiles, HaveAPairByDefaultInLcqmc) {
  ESPALIER_NEEDS_REAL_DATA();

  const auto reader = Reader::open(testing::real_data() / "data/chinese/lcqmc/dev.tsv");

  EXPECT_EQ(reader->columns().text, "text_a");
  EXPECT_EQ(reader->columns().pair, "text_b");
}

TEST(RealFiles, HaveTheSimilarityScoresThatTheirSourceStates) {
  ESPALIER_NEEDS_REAL_DATA();
  const auto reader =
      Reader::open(testing::real_data() / "data/stsb/dev.tsv", Format::automatic, kSentences);
  double sum = 0.0;
  Row row;

  while (reader->next(row)) sum += parse_score(row.label, reader->place(row));

  EXPECT_EQ(reader->columns().label, "score");
  EXPECT_NEAR(sum / 1500, 2.364, 0.0005);
}

struct RealSentences {
  const char* name;
  std::size_t n_sentences;
  std::size_t n_tokens;
  std::size_t n_tags;  // different ones
};

TEST(RealFiles, HaveTheSentencesAndTokensThatTheirSourceCounts) {
  ESPALIER_NEEDS_REAL_DATA();
  for (const RealSentences& file : {RealSentences{"conll2003/eng.train", 14041, 203621, 8},
                                    RealSentences{"conll2003/eng.testa", 3250, 51362, 6},
                                    RealSentences{"conll2003/eng.testb", 3453, 46435, 8},
                                    RealSentences{"wnut17/train.conll", 3394, 62730, 13},
                                    RealSentences{"wnut17/dev.conll", 1009, 15733, 13},
                                    RealSentences{"wnut17/test.conll", 1287, 23394, 13}}) {
    SCOPED_TRACE(file.name);
    const auto reader = Reader::open(testing::real_data() / "data/ner" / file.name);
    std::size_t n_sentences = 0;
    std::size_t n_tokens = 0;
    std::set<std::string> tags;
    Row row;
    while (reader->next(row)) {
      ++n_sentences;
      n_tokens += row.words.size();
      ASSERT_EQ(row.words.size(), row.tags.size());
      tags.insert(row.tags.begin(), row.tags.end());
    }
    EXPECT_EQ(reader->format(), Format::conll);
    EXPECT_EQ(n_sentences, file.n_sentences);
    EXPECT_EQ(n_tokens, file.n_tokens);
    EXPECT_EQ(tags.size(), file.n_tags);
  }
}

}  // namespace
}  // namespace espalier::data
