// Who may read a file that was written, and while it is written.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/atomic_file.hpp"
#include "tests/base/atomic_file_testing.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

using testing::AsNobody;
using testing::names_in;
using testing::read_file;
using testing::replace;
using testing::TemporaryFolder;
using testing::write_file;

struct stat status_of(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

mode_t mode_of(const fs::path& path) {
  return status_of(path).st_mode & 07777;
}

class Umask {
 public:
  explicit Umask(mode_t mask) : old_(::umask(mask)) {}
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;
  ~Umask() { ::umask(old_); }

 private:
  mode_t old_;
};

TEST(AtomicFileMode, OfANewFileIsWhatTheUmaskLeaves) {
  const TemporaryFolder folder;
  const Umask mask(027);

  for (const Overwrite overwrite : {Overwrite::refuse, Overwrite::replace}) {
    const fs::path path = folder / (overwrite == Overwrite::refuse ? "a" : "b");
    AtomicFile file(path, overwrite);
    file.commit();
    EXPECT_EQ(mode_of(path), 0640U);
  }
}

TEST(AtomicFileMode, OfAReplacedFileStaysWhateverTheUmask) {
  const TemporaryFolder folder;
  const Umask mask(077);

  for (const mode_t mode : {0600U, 0664U, 0755U, 0444U}) {
    write_file(folder / "model", "old");
    ASSERT_EQ(::chmod((folder / "model").c_str(), mode), 0);

    replace(folder / "model", "new");

    EXPECT_EQ(mode_of(folder / "model"), mode);
    fs::remove(folder / "model");
  }
}

TEST(AtomicFileMode, KeepsAPrivateFilePrivateWhileItIsWritten) {
  const TemporaryFolder folder;
  const Umask mask(0);
  write_file(folder / "model", "old");
  ASSERT_EQ(::chmod((folder / "model").c_str(), 0600), 0);

  const AtomicFile file(folder / "model", Overwrite::replace);

  ASSERT_EQ(names_in(folder.path()).size(), 2U);
  for (const std::string& name : names_in(folder.path())) EXPECT_EQ(mode_of(folder / name), 0600U);
}

TEST(AtomicFileMode, KeepsOwnerAndGroupWhereTheSystemAllowsIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give a file away";
  const TemporaryFolder folder;
  write_file(folder / "model", "old");
  ASSERT_EQ(::chown((folder / "model").c_str(), 12345, 23456), 0);

  replace(folder / "model", "new");

  EXPECT_EQ(status_of(folder / "model").st_uid, 12345U);
  EXPECT_EQ(status_of(folder / "model").st_gid, 23456U);
}

TEST(AtomicFileMode, GivesAnotherGroupNoneOfTheOldGroupsRights) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be two users";
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms(0777));
  write_file(folder / "model", "old");
  ASSERT_EQ(::chown((folder / "model").c_str(), 12345, 23456), 0);
  ASSERT_EQ(::chmod((folder / "model").c_str(), 0664), 0);
  {
    const AsNobody nobody;
    replace(folder / "model", "new");
  }
  EXPECT_EQ(read_file(folder / "model"), "new");
  EXPECT_EQ(status_of(folder / "model").st_uid, AsNobody::kNobody);
  EXPECT_EQ(mode_of(folder / "model"), 0604U);
}

}  // namespace
}  // namespace espalier
