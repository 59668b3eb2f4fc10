// Real child processes: exit codes, what they print, and signals.
#include "compress/recipe/runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <csignal>
#include <fstream>
#include <sstream>

#include "espalier/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::recipe {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Runner : public ::testing::Test {
 protected:
  // A program that does what `script` says with its arguments.
  fs::path program(const std::string& script) const {
    fs::path path = folder_.path() / "program";
    std::ofstream(path) << "#!/bin/sh\n" << script;
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  StageJob job() const {
    return {.title = "1-prune",
            .words = {"prune", "a b"},
            .output = folder_.path() / "out",
            .report = folder_.path() / "report"};
  }
  std::string report() const {
    std::ifstream stream(folder_.path() / "report");
    std::ostringstream all;
    all << stream.rdbuf();
    return all.str();
  }
  ErrorCode refusal(const std::string& script, int signal = 0) {
    ChildRunner runner(
        program(script), [signal] { return signal; }, true);
    try {
      (void)runner.run(job());
    } catch (const Error& error) {
      message_ = error.what();
      return error.code();
    }
    ADD_FAILURE();
    return ErrorCode::failed;
  }

  testing::TemporaryFolder folder_;
  std::string message_;
};

TEST_F(Runner, KeepsWhatTheCommandPrints) {
  ChildRunner runner(
      program("printf '%s|' \"$@\""), [] { return 0; }, false);

  EXPECT_GE(runner.run(job()).seconds, 0);
  EXPECT_EQ(report(), "prune|a b|--force|--format|json|");
}

TEST_F(Runner, GoesOnWhereATrainingSaved) {
  fs::create_directories(folder_.path() / "out" / "training");
  std::ofstream(folder_.path() / "out" / "training" / "state.safetensors") << "x";
  ChildRunner runner(
      program("printf '%s|' \"$@\""), [] { return 0; }, true);

  (void)runner.run(job());

  EXPECT_EQ(report(), "prune|a b|--resume|--format|json|--quiet|");
}

TEST_F(Runner, PassesOnTheExitCodeOfTheCommand) {
  EXPECT_EQ(refusal("exit 3"), ErrorCode::bad_input);
  EXPECT_THAT(message_, HasSubstr("1-prune ended with exit code 3"));
  EXPECT_EQ(refusal("exit 6"), ErrorCode::unavailable);
  EXPECT_EQ(refusal("exit 77"), ErrorCode::failed);
  EXPECT_EQ(refusal("kill -KILL $$"), ErrorCode::failed);
  EXPECT_THAT(message_, HasSubstr("ended by signal 9"));
}

TEST_F(Runner, RepeatsTheLastLineOfWhatItKeepsWhenTheCommandFails) {
  const std::string says = "echo first >&2; echo 'prune: no heads are left' >&2; exit 2";
  ChildRunner runner(
      program(says), [] { return 0; }, true, ChildRunner::Messages::kept);
  ::testing::internal::CaptureStderr();
  try {
    (void)runner.run(job());
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_THAT(error.what(), HasSubstr("ended with exit code 2: prune: no heads are left"));
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "first\nprune: no heads are left\n");
}

TEST_F(Runner, PassesASignalOnOnceAndWaitsForTheCommandToSave) {
  const std::string saves = "trap 'echo saved; exit 130' INT TERM; while :; do :; done";
  int n_asked = 0;
  ChildRunner runner(
      program(saves), [&n_asked] { return ++n_asked > 10 ? SIGTERM : 0; }, true);
  try {
    (void)runner.run(job());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::terminated);
    EXPECT_THAT(error.what(), HasSubstr("the same command goes on"));
  }
  EXPECT_EQ(report(), "saved\n");
}

}  // namespace
}  // namespace espalier::recipe
