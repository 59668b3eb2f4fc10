// How a session's wish and the environment choose a back end.
#include "api/backends.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/cpu_info.hpp"
#include "espalier/error.hpp"
#include "tests/support/variable.hpp"

namespace espalier::api {
namespace {

using testing::Variable;

TEST(Backends, EndWithTheOneThatRunsEverywhere) {
  EXPECT_EQ(backends().back().name, "reference");
  EXPECT_NE(backends().back().make(), nullptr);
}

TEST(Backends, AutoTakesTheFastestThatRunsHere) {
  unsetenv("ESPALIER_BACKEND");

  const std::string_view expected = usable_isa() >= Isa::avx2 ? "cpu" : "reference";

  EXPECT_EQ(choose_backend("auto").name, expected);
  EXPECT_EQ(choose_backend("").name, expected);
}

TEST(Backends, TheEnvironmentReplacesAuto) {
  const Variable variable("ESPALIER_BACKEND", "reference");

  EXPECT_EQ(choose_backend("auto").name, "reference");
}

TEST(Backends, TheEnvironmentDoesNotReplaceAnExplicitChoice) {
  if (usable_isa() < Isa::avx2) GTEST_SKIP() << "needs a second back end: a processor with AVX2";
  const Variable variable("ESPALIER_BACKEND", "reference");

  EXPECT_EQ(choose_backend("cpu").name, "cpu");
}

TEST(Backends, AutoFallsBackBelowAvx2) {
  const Variable variable("ESPALIER_MAX_ISA", "baseline");

  EXPECT_EQ(choose_backend("auto").name, "reference");
  try {
    (void)choose_backend("cpu");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
  }
}

TEST(Backends, AnUnknownNameIsRefusedWithTheKnownOnes) {
  try {
    (void)choose_backend("gpu\n");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_EQ(std::string(error.what()),
              "back end 'gpu\\x0a' is unknown; this build has auto, cpu, reference");
  }
}

TEST(Backends, AnUnknownNameInTheEnvironmentIsRefusedByTheVariable) {
  const Variable variable("ESPALIER_BACKEND", "fast");

  try {
    (void)choose_backend("auto");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_EQ(std::string(error.what()).rfind("ESPALIER_BACKEND: ", 0), 0U) << error.what();
  }
}

}  // namespace
}  // namespace espalier::api
