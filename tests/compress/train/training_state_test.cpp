#include "compress/train/training_state.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "espalier/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::train {
namespace {

const Settings kSettings = {{"--epochs", "3"}, {"--seed", "1"}};

class TrainingState : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "state.safetensors"; }

  void save() const {
    save_state(
        file(),
        {.step = 7, .finished = false, .best_epoch = 1, .epochs_since_best = 2, .best_score = 0.1},
        kSettings, {{"weight", at::full({2, 3}, 0.25, at::kFloat)}});
  }

  std::string refusal(const Settings& settings) const {
    try {
      static_cast<void>(SavedState::open(file(), settings));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  espalier::testing::TemporaryFolder folder_;
};

TEST_F(TrainingState, ComesBackAsItWas) {
  save();
  const at::Tensor weight = at::zeros({2, 3}, at::kFloat);

  const SavedState state = SavedState::open(file(), kSettings);
  state.copy_to({{"weight", weight}});

  EXPECT_EQ(state.position().step, 7U);
  EXPECT_EQ(state.position().best_epoch, 1);
  EXPECT_EQ(state.position().epochs_since_best, 2U);
  EXPECT_EQ(state.position().best_score, 0.1);
  EXPECT_FALSE(state.position().finished);
  EXPECT_TRUE(weight.equal(at::full({2, 3}, 0.25, at::kFloat)));
}

TEST_F(TrainingState, NamesTheSettingThatDiffers) {
  save();

  EXPECT_NE(refusal({{"--epochs", "4"}, {"--seed", "1"}}).find("--epochs=3, now it is --epochs=4"),
            std::string::npos);
  EXPECT_NE(refusal({{"--epochs", "3"}}).find("--seed=1, now it is missing"), std::string::npos);
  EXPECT_EQ(refusal(kSettings), "");
}

TEST_F(TrainingState, RefusesAnotherShapeAndAMissingTensor) {
  save();
  const SavedState state = SavedState::open(file(), kSettings);

  EXPECT_THROW(state.copy_to({{"weight", at::zeros({3, 2}, at::kFloat)}}), Error);
  EXPECT_THROW(state.copy_to({{"weight", at::zeros({2, 3}, at::kDouble)}}), Error);
  EXPECT_THROW(state.copy_to({{"bias", at::zeros({2, 3}, at::kFloat)}}), Error);
}

TEST_F(TrainingState, RefusesAFileCutAnywhere) {
  save();
  std::ifstream whole(file(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(whole)), {});

  for (std::size_t length = 0; length < bytes.size(); ++length) {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes.substr(0, length);
    EXPECT_NE(refusal(kSettings), "") << "cut after " << length << " bytes";
  }
}

}  // namespace
}  // namespace espalier::train
