// What a killed writer left behind goes with the next run, and nothing else does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <string>

#include "base/atomic_file.hpp"
#include "tests/base/atomic_file_testing.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using testing::names_in;
using testing::read_file;
using testing::replace;
using testing::TemporaryFolder;
using testing::write_file;

// Lets another process begin a file and get killed.
void begin_and_die(const fs::path& path) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AtomicFile file(path, Overwrite::replace);
    file.write("half");
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST(AtomicFileLeftovers, OfAKilledWriterGoWithTheNextRun) {
  const TemporaryFolder folder;
  write_file(folder / "model", "old");
  begin_and_die(folder / "model");
  begin_and_die(folder / "model");
  ASSERT_EQ(names_in(folder.path()).size(), 2U);  // the second removed what the first left
  EXPECT_EQ(read_file(folder / "model"), "old");

  replace(folder / "model", "new");

  EXPECT_THAT(names_in(folder.path()), ElementsAre("model"));
}

TEST(AtomicFileLeftovers, BesideTheTargetOfALinkGoToo) {
  const TemporaryFolder folder;
  write_file(folder / "store/model", "old");
  fs::create_symlink("store/model", folder / "link");
  begin_and_die(folder / "link");
  ASSERT_EQ(names_in(folder / "store").size(), 2U);

  replace(folder / "link", "new");

  EXPECT_THAT(names_in(folder / "store"), ElementsAre("model"));
}

TEST(AtomicFileLeftovers, AreNotTheFilesOfALivingWriter) {
  const TemporaryFolder folder;
  AtomicFile first(folder / "model", Overwrite::replace);
  first.write("first");
  {
    AtomicFile second(folder / "model", Overwrite::replace);
    second.write("second");
    EXPECT_EQ(names_in(folder.path()).size(), 2U);
    second.commit();
  }
  EXPECT_EQ(read_file(folder / "model"), "second");

  first.commit();

  EXPECT_EQ(read_file(folder / "model"), "first");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("model"));
}

TEST(AtomicFileLeftovers, AreOnlyRegularFilesOfExactlyThatName) {
  const TemporaryFolder folder;
  const std::set<std::string> others = {
      ".model.abcdef",            // as rsync would name it
      ".model.espalier-abcde",    // too short
      ".model.espalier-abcdefg",  // too long
      ".other.espalier-abcdef",   // of another destination
      "model.espalier-abcdef",    // not hidden
  };
  for (const std::string& name : others) write_file(folder / name, "mine");
  fs::create_directory(folder / ".model.espalier-folder");
  ASSERT_EQ(::mkfifo((folder / ".model.espalier-apipe2").c_str(), 0600), 0);
  fs::create_symlink(".model.abcdef", folder / ".model.espalier-alink2");
  std::set<std::string> expected = names_in(folder.path());
  write_file(folder / ".model.espalier-abcdef", "left behind");

  replace(folder / "model", "new");

  expected.insert("model");
  EXPECT_EQ(names_in(folder.path()), expected);
}

}  // namespace
}  // namespace espalier
