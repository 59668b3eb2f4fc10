// Finds the folder with real checkpoints and data sets that long tests measure on.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace espalier::testing {

/// The folder named by ESPALIER_DATA (it holds data/ and models/), or an empty path.
inline std::filesystem::path real_data() {
  const char* folder = std::getenv("ESPALIER_DATA");
  return folder == nullptr ? std::filesystem::path() : std::filesystem::path(folder);
}

}  // namespace espalier::testing

/// Skips the running test, by name and with the remedy, when no real data is at hand.
#define ESPALIER_NEEDS_REAL_DATA()            \
  if (espalier::testing::real_data().empty()) \
  GTEST_SKIP() << "needs real data: set ESPALIER_DATA to the folder with data/ and models/"
