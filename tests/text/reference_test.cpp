// Real vocabularies and texts against what the reference tokenizer made of them, and nothing
// waived: hard cases (ids, tokens, character offsets), bulk lines (ids), pairs under three
// truncations.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "espalier/error.hpp"
#include "tests/support/real_data.hpp"
#include "tests/text/gunzip.hpp"
#include "text/spans.hpp"
#include "text/tokenizer.hpp"

namespace espalier::text {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::vector<std::int32_t> ids_of(const TokenBatch& batch) {
  std::vector<std::int32_t> ids;
  for (const TokenId id : batch.ids) ids.push_back(to_int(id));
  return ids;
}

class Reference : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ESPALIER_NEEDS_REAL_DATA();
    folder_ = testing::real_data() / "data" / "tokenizer";
    const std::string name = GetParam();
    const fs::path vocab = fs::path(::testing::TempDir()) / ("espalier_reference_" + name);
    fs::create_directories(vocab);
    fs::copy_file(testing::real_data() / "data" / "vocab" / (name + ".txt"), vocab / "vocab.txt",
                  fs::copy_options::overwrite_existing);
    std::ofstream(vocab / "tokenizer_config.json")
        << json{{"do_lower_case", name == "bert-base-uncased"}};
    tokenizer_ = std::make_unique<Tokenizer>(load_tokenizer_spec(vocab));
    fs::remove_all(vocab);
  }

  [[nodiscard]] std::vector<std::string> expected(const std::string& kind,
                                                  const std::string& extension) const {
    return lines_of(gunzip(folder_ / "expected" / (kind + "." + GetParam() + extension)));
  }

  // The bulk texts in the order of their expectations.
  [[nodiscard]] std::vector<std::string> bulk_texts() const {
    std::vector<std::string> texts;
    for (const json& text : json::parse(read_file(folder_ / "blns.json"))) {
      texts.push_back(text.get<std::string>());
    }
    for (const char* name : {"tatoeba_multilingual.tsv", "udhr_scripts.tsv"}) {
      for (const std::string& line : lines_of(read_file(folder_ / name))) {
        texts.push_back(line.substr(line.find('\t') + 1));
      }
    }
    return texts;
  }

  [[nodiscard]] TokenBatch encode(const std::string& text) const {
    TokenBatch batch;
    Scratch scratch;
    tokenizer_->encode({text}, {.truncation = Truncation::none}, batch, scratch);
    return batch;
  }

  fs::path folder_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(Reference, HardCasesHaveTheSameIdsTokensAndOffsets) {
  const std::vector<std::string> cases = lines_of(read_file(folder_ / "hard_cases.jsonl"));
  const std::vector<std::string> answers = expected("hard_cases", ".jsonl.gz");
  ASSERT_EQ(cases.size(), 172U);
  ASSERT_EQ(answers.size(), cases.size());

  for (std::size_t at = 0; at < cases.size(); ++at) {
    const json given = json::parse(cases[at]);
    const json answer = json::parse(answers[at]);
    const std::string text = given["text"];
    const TokenBatch batch = encode(text);
    std::vector<std::string> tokens;
    for (const TokenId id : batch.ids) tokens.emplace_back(tokenizer_->piece(id));
    json offsets = json::array();
    for (const ByteSpan span : character_spans(text, batch.spans)) {
      offsets.push_back({span.begin, span.end});
    }

    EXPECT_EQ(json(ids_of(batch)), answer["ids"]) << cases[at];
    EXPECT_EQ(json(tokens), answer["tokens"]) << cases[at];
    EXPECT_EQ(offsets, answer["offsets"]) << cases[at];
  }
}

TEST_P(Reference, BulkLinesHaveTheSameIds) {
  const std::vector<std::string> texts = bulk_texts();
  const std::vector<std::string> answers = expected("bulk", ".tsv.gz");
  ASSERT_GE(answers.size(), 2345U);

  std::size_t n_different = 0;
  std::string first_different;
  for (const std::string& answer : answers) {
    const std::size_t tab = answer.find('\t');
    const std::size_t index = std::stoul(answer.substr(0, tab));
    std::string ids;
    for (const std::int32_t id : ids_of(encode(texts.at(index)))) {
      if (!ids.empty()) ids += ' ';
      ids += std::to_string(id);
    }
    if (ids == answer.substr(tab + 1)) continue;
    ++n_different;
    if (first_different.empty()) first_different = texts[index] + "\n" + ids + "\n" + answer;
  }
  EXPECT_EQ(n_different, 0U) << first_different;
}

TEST_P(Reference, PairsAreTruncatedAlike) {
  const std::map<std::string, Truncation> strategies = {
      {"longest_first", Truncation::longest_first},
      {"only_first", Truncation::only_first},
      {"only_second", Truncation::only_second}};
  std::vector<json> pairs;
  for (const std::string& line : lines_of(read_file(folder_ / "pairs.jsonl"))) {
    pairs.push_back(json::parse(line));
  }
  const std::vector<std::string> answers = expected("pairs_truncation", ".jsonl.gz");
  ASSERT_EQ(answers.size(), 1260U);

  Scratch scratch;
  for (const std::string& line : answers) {
    const json answer = json::parse(line);
    const json& pair = pairs.at(answer["pair"].get<std::size_t>());
    const std::string first = pair["a"];
    const std::string second = pair["b"];
    const EncodeOptions options = {.max_length = answer["max_length"],
                                   .truncation = strategies.at(answer["strategy"])};
    TokenBatch batch;
    const auto encode_pair = [&] { tokenizer_->encode({first, second}, options, batch, scratch); };
    if (answer.contains("error")) {
      EXPECT_THROW(encode_pair(), Error) << line;
      EXPECT_EQ(batch.n_tokens(), 0U);
      continue;
    }
    encode_pair();
    EXPECT_EQ(json(ids_of(batch)), answer["ids"]) << line;
    EXPECT_EQ(json(batch.segments), answer["type_ids"]) << line;
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, Reference,
                         ::testing::Values("bert-base-uncased", "bert-base-cased",
                                           "bert-base-chinese", "bert-base-multilingual-cased"),
                         [](const auto& vocabulary) {
                           std::string name = vocabulary.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace espalier::text
