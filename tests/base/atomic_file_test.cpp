// A file is there whole or not at all, and what is no regular file is left alone.
#include "base/atomic_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "tests/base/atomic_file_testing.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using testing::AsNobody;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::names_in;
using testing::read_file;
using testing::refusal;
using testing::refusal_of;
using testing::replace;
using testing::TemporaryFolder;
using testing::write_file;

TEST(AtomicFile, IsThereWholeAfterCommitAndNotBefore) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "model", Overwrite::refuse);
    file.write("first, ");
    file.write("second");
    EXPECT_FALSE(fs::exists(folder / "model"));

    file.commit();
  }
  EXPECT_EQ(read_file(folder / "model"), "first, second");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("model"));
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "model", Overwrite::refuse);
    file.write("half");
  }
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(AtomicFile, KeepsTheOldFileWithoutCommit) {
  const TemporaryFolder folder;
  write_file(folder / "model", "old");
  {
    AtomicFile file(folder / "model", Overwrite::replace);
    file.write("half");
  }
  EXPECT_EQ(read_file(folder / "model"), "old");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("model"));
}

TEST(AtomicFile, CanTakeTheOldFileAwayBeforeTheNewOneComes) {
  const TemporaryFolder folder;
  const fs::path path = folder / "x";
  testing::write_file(path, "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  AtomicFile file(path, Overwrite::replace);
  file.write("new");

  file.remove_old();
  file.remove_old();  // none left is no error

  EXPECT_FALSE(fs::exists(path));
  file.commit();
  EXPECT_EQ(testing::read_file(path), "new");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(AtomicFile, WritesAnEmptyFile) {
  const TemporaryFolder folder;

  replace(folder / "model", "");

  EXPECT_EQ(read_file(folder / "model"), "");
}

TEST(AtomicFile, ReplacesWhenAsked) {
  const TemporaryFolder folder;
  write_file(folder / "model", "old and longer");

  replace(folder / "model", "new");

  EXPECT_EQ(read_file(folder / "model"), "new");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("model"));
}

TEST(AtomicFile, RefusesAnExistingFileBeforeAnyWork) {
  const TemporaryFolder folder;
  write_file(folder / "model", "old");

  EXPECT_THAT(refusal_of(folder / "model", Overwrite::refuse),
              AllOf(HasSubstr("model' exists"), HasSubstr("--force")));
  EXPECT_EQ(read_file(folder / "model"), "old");
}

TEST(AtomicFile, RefusesAFileThatAppearedMeanwhile) {
  const TemporaryFolder folder;
  std::string message;
  {
    AtomicFile file(folder / "model", Overwrite::refuse);
    file.write("mine");
    write_file(folder / "model", "theirs");

    message = refusal([&] { file.commit(); });
  }
  EXPECT_THAT(message, AllOf(HasSubstr("model' exists"), HasSubstr("--force")));
  EXPECT_EQ(read_file(folder / "model"), "theirs");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("model"));
}

TEST(AtomicFile, RefusesASecondCommit) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "model", Overwrite::replace);
  file.commit();

  EXPECT_NE(refusal([&] { file.commit(); }), "");
}

TEST(AtomicFile, RefusesWhatCannotBeReplacedInOneStep) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "folder");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  fs::create_symlink("pipe", folder / "link");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (folder / "socket").c_str(), sizeof address.sun_path - 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(descriptor);
  const std::set<std::string> before = names_in(folder.path());

  for (const Overwrite overwrite : {Overwrite::refuse, Overwrite::replace}) {
    EXPECT_THAT(refusal_of("/dev/null", overwrite), HasSubstr("'/dev/null' is a device"));
    EXPECT_THAT(refusal_of(folder / "folder", overwrite), HasSubstr("folder' is a folder"));
    EXPECT_THAT(refusal_of(folder / "folder/", overwrite), HasSubstr("is a folder"));
    EXPECT_THAT(refusal_of(folder / "pipe", overwrite), HasSubstr("pipe' is a pipe"));
    EXPECT_THAT(refusal_of(folder / "link", overwrite), HasSubstr("link' is a pipe"));
    EXPECT_THAT(refusal_of(folder / "socket", overwrite), HasSubstr("socket' is a socket"));
  }
  EXPECT_EQ(names_in(folder.path()), before);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(AtomicFile, RefusesPathsWhereNoFileCanBe) {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");

  EXPECT_THAT(refusal_of("", Overwrite::replace), HasSubstr("names no file"));
  EXPECT_THAT(refusal_of(folder / "new/", Overwrite::replace), HasSubstr("names no file"));
  EXPECT_THAT(refusal_of(folder / "missing/model", Overwrite::replace), HasSubstr("No such file"));
  EXPECT_THAT(refusal_of(folder / "file/model", Overwrite::replace), HasSubstr("Not a directory"));
  EXPECT_THAT(refusal_of(folder / std::string(300, 'a'), Overwrite::replace),
              HasSubstr("File name too long"));
}

TEST(AtomicFile, RefusesAFolderThatMayNotBeWritten) {
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms(0555));
  std::string message;
  {
    std::optional<AsNobody> nobody;
    if (::geteuid() == 0) nobody.emplace();
    message = refusal_of(folder / "model", Overwrite::replace);
  }
  fs::permissions(folder.path(), fs::perms(0755));

  EXPECT_THAT(message, AllOf(HasSubstr("model'"), HasSubstr("Permission denied")));
}

TEST(AtomicFile, WritesIntoTheCurrentFolder) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());

  replace("model", "new");

  fs::current_path(before);
  EXPECT_EQ(read_file(folder / "model"), "new");
}

TEST(AtomicFile, ShowsHostileNamesEscaped) {
  EXPECT_THAT(refusal_of("/missing\x1b[2J/model", Overwrite::replace),
              HasSubstr("'/missing\\x1b[2J/model'"));
}

TEST(AtomicFileLink, StaysALinkToTheReplacedFile) {
  const TemporaryFolder folder;
  write_file(folder / "store/model", "old");
  fs::create_symlink("store/model", folder / "inner");
  fs::create_symlink("inner", folder / "outer");

  replace(folder / "outer", "new");

  EXPECT_EQ(fs::read_symlink(folder / "outer"), "inner");
  EXPECT_EQ(fs::read_symlink(folder / "inner"), "store/model");
  EXPECT_EQ(read_file(folder / "store/model"), "new");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("inner", "outer", "store"));
  EXPECT_THAT(names_in(folder / "store"), ElementsAre("model"));
}

TEST(AtomicFileLink, IsRefusedLikeTheFileItLeadsTo) {
  const TemporaryFolder folder;
  write_file(folder / "model", "old");
  fs::create_symlink("model", folder / "link");

  EXPECT_THAT(refusal_of(folder / "link", Overwrite::refuse), HasSubstr("link' exists"));
}

TEST(AtomicFileLink, IsRefusedWhenItLeadsToNothing) {
  const TemporaryFolder folder;
  fs::create_symlink("missing", folder / "link");
  fs::create_symlink("loop", folder / "loop");

  for (const Overwrite overwrite : {Overwrite::refuse, Overwrite::replace}) {
    EXPECT_THAT(refusal_of(folder / "link", overwrite), HasSubstr("symbolic link to nothing"));
    EXPECT_THAT(refusal_of(folder / "loop", overwrite), HasSubstr("Too many levels"));
  }
  EXPECT_THAT(names_in(folder.path()), ElementsAre("link", "loop"));
}

}  // namespace
}  // namespace espalier
