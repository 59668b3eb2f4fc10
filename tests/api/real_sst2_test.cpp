// The whole way on a real checkpoint: MiniLM-L6 fine-tuned on SST-2, converted and quantized, on
// the 872 sentences of the development set.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "tests/api/tiny_models.hpp"
#include "tests/support/real_data.hpp"

namespace espalier {
namespace {

struct Row {
  std::string text;
  std::size_t label = 0;
};

std::vector<Row> read_dev_set() {
  std::ifstream file(testing::real_data() / "data/sst2/dev.tsv");
  std::vector<Row> rows;
  std::string line;
  std::getline(file, line);  // sentence<TAB>label
  while (std::getline(file, line)) {
    const std::size_t tab = line.rfind('\t');
    rows.push_back({line.substr(0, tab), line.at(tab + 1) == '1' ? 1U : 0U});
  }
  return rows;
}

const std::vector<Row>& dev_set() {
  static const std::vector<Row> rows = read_dev_set();
  return rows;
}

Model open_real(Precision precision) {
  const auto folder = testing::real_data() / "models/minilm-l6-sst2";
  return testing::open_spec(
      compress::export_checkpoint(folder, {.precision = precision, .n_threads = 2}).spec());
}

// Each is made when a test first asks: ctest runs every test as a process of its own.
const Model& fp32_model() {
  static const Model model = open_real(Precision::fp32);
  return model;
}

const Model& int8_model() {
  static const Model model = open_real(Precision::int8);
  return model;
}

std::vector<Classification> answers_of(const Model& model) {
  std::vector<Text> texts;
  for (const Row& row : dev_set()) texts.push_back({.first = row.text, .second = std::nullopt});
  Session session(model);
  return session.classify(texts);
}

double accuracy(const std::vector<Classification>& answers) {
  const std::vector<Row>& rows = dev_set();
  std::size_t n_right = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    n_right += answers[i].label == rows[i].label ? 1 : 0;
  }
  return 100.0 * static_cast<double>(n_right) / static_cast<double>(rows.size());
}

double log_score(const Classification& answer, std::size_t label) {
  double sum = 0;
  for (const float logit : answer.logits) sum += std::exp(double{logit});
  return answer.logits[label] - std::log(sum);
}

TEST(RealSst2, Fp32ReachesTheAccuracyOfTheCheckpoint) {
  ESPALIER_NEEDS_REAL_DATA();
  ASSERT_EQ(dev_set().size(), 872U);

  EXPECT_NEAR(accuracy(answers_of(fp32_model())), 90.14, 0.01);
}

TEST(RealSst2, Int8StaysCloseToFp32) {
  ESPALIER_NEEDS_REAL_DATA();
  const std::vector<Classification> fp32 = answers_of(fp32_model());
  const std::vector<Classification> int8 = answers_of(int8_model());
  double divergence = 0;
  std::size_t n_flips = 0;
  for (std::size_t i = 0; i < fp32.size(); ++i) {
    n_flips += fp32[i].label != int8[i].label ? 1 : 0;
    for (std::size_t label = 0; label < 2; ++label) {
      const double log_p = log_score(fp32[i], label);
      divergence += std::exp(log_p) * (log_p - log_score(int8[i], label));
    }
  }
  divergence /= static_cast<double>(fp32.size());
  RecordProperty("kl", std::to_string(divergence));
  RecordProperty("flips", std::to_string(n_flips));

  EXPECT_LE(divergence, 0.0015);
  EXPECT_LE(n_flips, 9U);
  EXPECT_GE(accuracy(int8), 89.7);
}

TEST(RealSst2, Int8FileIsSmall) {
  ESPALIER_NEEDS_REAL_DATA();

  EXPECT_LE(int8_model().info().file_bytes, 23'800'000U);
}

TEST(RealSst2, BothFilesProveThemselves) {
  ESPALIER_NEEDS_REAL_DATA();

  EXPECT_TRUE(fp32_model().self_test().passed);
  EXPECT_TRUE(int8_model().self_test().passed);
}

TEST(RealSst2, Int8AnswersAreTheSameBitsOnTheReference) {
  ESPALIER_NEEDS_REAL_DATA();
  Session usual(int8_model());
  Session reference(int8_model(), {.backend = "reference"});

  for (std::size_t i = 0; i < dev_set().size(); i += 100) {
    const std::vector<Text> text = {{.first = dev_set()[i].text, .second = std::nullopt}};
    EXPECT_EQ(usual.classify(text)[0].logits, reference.classify(text)[0].logits) << i;
  }
}

}  // namespace
}  // namespace espalier
