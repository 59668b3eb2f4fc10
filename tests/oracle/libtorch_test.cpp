// fp32 model files answer as LibTorch does on the checkpoint they were made of.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compress/export/export.hpp"
#include "data/reader.hpp"
#include "espalier/espalier.hpp"
#include "format/writer.hpp"
#include "tests/oracle/libtorch_bert.hpp"
#include "tests/support/real_data.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::testing {
namespace {

Model open_fp32(const std::filesystem::path& folder) {
  const auto exported = compress::export_checkpoint(folder, {.precision = Precision::fp32});
  return Model::open(format::to_bytes(exported.spec()));
}

/// Largest |difference| between what `session` makes of one sentence and what LibTorch made of it.
float difference(const std::vector<float>& theirs, Session& session, const TokenBatch& sentence) {
  std::vector<float> ours(session.output_size(sentence));
  session.run(sentence, ours);
  float worst = ours.size() == theirs.size() ? 0.0F : HUGE_VALF;
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    worst = std::max(worst, std::fabs(ours[i] - theirs[i]));
  }
  return worst;
}

struct Case {
  std::string name;
  TinyCheckpoint checkpoint;
};

class LibTorch : public ::testing::TestWithParam<Case> {};

TEST_P(LibTorch, AgreesOnATinyCheckpoint) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), GetParam().checkpoint);
  const LibTorchBert oracle(checkpoint::Checkpoint::open(folder.path()));
  const Model model = open_fp32(folder.path());

  for (const char* backend : {"auto", "reference"}) {
    Session session(model, {.n_threads = 1, .backend = backend});
    for (const std::string_view text :
         {"the film", "a quite long and odd sentence , is it not ?"}) {
      const TokenBatch sentence = model.tokenizer().encode(std::array{Text{text}});
      const std::vector<float> theirs = oracle.logits(sentence.ids, sentence.segments);
      // Logits are of order 1; 2e-5 is some hundred roundings of fp32, and a tenth of what a norm
      // with an eps of 1e-5 in place of 1e-12 moves them.
      EXPECT_LE(difference(theirs, session, sentence), 2e-5F) << backend << ": " << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    EveryHead, LibTorch,
    ::testing::Values(Case{"Sequence", {}},
                      Case{"UnevenLayers", {.uneven = {{{0, 2, 3}, 40}, {{1}, 16}}}},
                      Case{"LayersWithoutHeadsOrFeedForward",
                           {.layers = 4, .uneven = {{{}, 24}, {{1}, 0}, {{0}, 16}, {{}, 0}}}},
                      Case{"FactorisedWords", {.embedding_rank = 7}},
                      Case{"FactorisedDistilBert", {.distilbert = true, .embedding_rank = 31}},
                      Case{"DistilBert", {.distilbert = true}},
                      Case{"DistilBertToken",
                           {.distilbert = true,
                            .architecture = TinyArchitecture::token_classification,
                            .labels = {"O", "B-X", "I-X"}}},
                      Case{"Token",
                           {.architecture = TinyArchitecture::token_classification,
                            .labels = {"O", "B-X", "I-X"}}}),
    [](const auto& given) { return given.param.name; });

TEST(LibTorchReal, SayTheSameOfEverySentenceOfTheSst2DevSet) {
  ESPALIER_NEEDS_REAL_DATA();
  const auto folder = real_data() / "models/minilm-l6-sst2";
  const LibTorchBert oracle(checkpoint::Checkpoint::open(folder));
  const Model model = open_fp32(folder);
  Session session(model);
  float worst = 0;
  std::size_t n_right = 0;
  const std::vector<data::Row> rows = data::read_all(real_data() / "data/sst2/dev.tsv");

  for (const data::Row& row : rows) {
    const TokenBatch sentence = model.tokenizer().encode(std::array{Text{row.text}});
    const std::vector<float> theirs = oracle.logits(sentence.ids, sentence.segments);
    worst = std::max(worst, difference(theirs, session, sentence));
    const std::vector<Classification> ours = session.classify({std::string_view(row.text)});
    const auto their_label =
        static_cast<std::size_t>(std::max_element(theirs.begin(), theirs.end()) - theirs.begin());
    ASSERT_EQ(ours[0].label, their_label) << "line " << row.line;
    n_right += std::to_string(their_label) == row.label ? 1 : 0;
  }

  EXPECT_EQ(rows.size(), 872U);
  EXPECT_EQ(n_right, 786U);  // 90.14 %
  EXPECT_LE(worst, 1e-3F);
  RecordProperty("max_abs_logit_difference", std::to_string(worst));
  std::cout << "max abs logit difference " << worst << '\n';
}

}  // namespace
}  // namespace espalier::testing
