// Disks fail at any step. The system calls below are ours in this program: each fails when told to.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>

#include "base/atomic_file.hpp"
#include "espalier/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

struct Faults {
  int calls_before_failure = -1;  // negative: none fails
  int failure = EIO;
  bool interrupted_and_short = false;  // write() is interrupted, then takes seven bytes, in turn
  bool interrupt_next = true;
  bool knows_no_replace = true;
  int folder_sync = 0;  // what fsync() of a folder fails with; 0: it does not
};

Faults faults;

bool fails_now() {
  if (faults.calls_before_failure < 0 || faults.calls_before_failure-- > 0) return false;
  errno = faults.failure;
  return true;
}

int result(long value) {
  return static_cast<int>(value);
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* src, size_t n_bytes) {
  if (fails_now()) return -1;
  if (faults.interrupted_and_short) {
    faults.interrupt_next = !faults.interrupt_next;
    if (!faults.interrupt_next) {
      errno = EINTR;
      return -1;
    }
    n_bytes = std::min<size_t>(n_bytes, 7);
  }
  return ::syscall(SYS_write, file, src, n_bytes);
}

int fsync(int file) {
  if (fails_now()) return -1;
  struct stat status {};
  if (faults.folder_sync != 0 && ::fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
    errno = faults.folder_sync;
    return -1;
  }
  return result(::syscall(SYS_fsync, file));
}

int fchmod(int file, mode_t mode) noexcept {
  return fails_now() ? -1 : result(::syscall(SYS_fchmod, file, mode));
}

int rename(const char* src, const char* dst) noexcept {
  return fails_now() ? -1 : result(::syscall(SYS_renameat2, AT_FDCWD, src, AT_FDCWD, dst, 0));
}

int renameat2(int src_folder, const char* src, int dst_folder, const char* dst,
              unsigned flags) noexcept {
  if (fails_now()) return -1;
  if (!faults.knows_no_replace && (flags & RENAME_NOREPLACE) != 0) {
    errno = EINVAL;
    return -1;
  }
  return result(::syscall(SYS_renameat2, src_folder, src, dst_folder, dst, flags));
}

}  // extern "C"

namespace espalier {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::read_file;
using testing::TemporaryFolder;
using testing::write_file;

class AtomicFileFaults : public ::testing::Test {
 protected:
  void TearDown() override { faults = {}; }

  [[nodiscard]] std::filesystem::path path() const { return folder_ / "model"; }
  [[nodiscard]] std::ptrdiff_t n_files() const {
    return std::distance(std::filesystem::directory_iterator(folder_.path()), {});
  }

  // Writes "new" in three steps while `wanted` holds; the message of the Error(output), if any.
  [[nodiscard]] std::string write_new(const Faults& wanted, Overwrite overwrite) const {
    std::string message;
    faults = wanted;
    try {
      AtomicFile file(path(), overwrite);
      for (const char* letter : {"n", "e", "w"}) file.write(letter);
      file.commit();
    } catch (const Error& error) {
      faults = {};
      EXPECT_EQ(error.code(), ErrorCode::output) << error.what();
      message = error.what();
    }
    faults = {};
    return message;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(AtomicFileFaults, AtAnyStepLeaveTheOldFileOrTheNewOne) {
  int n_failures = 0;
  int n_new_in_spite_of_failure = 0;
  for (;; ++n_failures) {
    write_file(path(), "old");

    const std::string message = write_new({.calls_before_failure = n_failures}, Overwrite::replace);

    if (message.empty()) break;
    EXPECT_THAT(message, HasSubstr("model': Input/output error"));
    EXPECT_EQ(n_files(), 1);
    const std::string content = read_file(path());
    EXPECT_THAT(content, AnyOf("old", "new"));
    if (content == "new") ++n_new_in_spite_of_failure;
  }
  EXPECT_EQ(read_file(path()), "new");
  EXPECT_EQ(n_failures, 7);                 // three writes, mode, sync, rename, sync of the folder
  EXPECT_EQ(n_new_in_spite_of_failure, 1);  // only the last comes after the rename
}

TEST_F(AtomicFileFaults, AtAnyStepLeaveNoFileOrTheNewOne) {
  int n_failures = 0;
  for (;; ++n_failures) {
    std::filesystem::remove(path());

    const std::string message = write_new({.calls_before_failure = n_failures}, Overwrite::refuse);

    if (message.empty()) break;
    EXPECT_EQ(n_files(), n_failures == 5 ? 1 : 0) << message;  // 5: the sync of the folder
  }
  EXPECT_EQ(n_failures, 6);
  EXPECT_EQ(read_file(path()), "new");
}

TEST_F(AtomicFileFaults, SayThatTheDiskIsFull) {
  EXPECT_THAT(write_new({.calls_before_failure = 1, .failure = ENOSPC}, Overwrite::refuse),
              HasSubstr("cannot write '"));
  EXPECT_EQ(n_files(), 0);
}

TEST_F(AtomicFileFaults, LikeInterruptedAndShortWritesLoseNothing) {
  const std::string text(1000, 'x');
  faults.interrupted_and_short = true;

  AtomicFile file(path(), Overwrite::refuse);
  file.write(text);
  file.commit();

  EXPECT_EQ(read_file(path()), text);
}

TEST_F(AtomicFileFaults, DoNotIncludeFoldersThatCannotBeSynced) {
  EXPECT_EQ(write_new({.folder_sync = EINVAL}, Overwrite::replace), "");
  EXPECT_THAT(write_new({.folder_sync = EIO}, Overwrite::replace), HasSubstr("sync the folder"));
}

TEST_F(AtomicFileFaults, DoNotIncludeFileSystemsWhoseRenameAlwaysReplaces) {
  EXPECT_EQ(write_new({.knows_no_replace = false}, Overwrite::refuse), "");

  EXPECT_EQ(read_file(path()), "new");
  EXPECT_EQ(n_files(), 1);
}

TEST_F(AtomicFileFaults, LetNoRaceReplaceAFileEvenThere) {
  std::string message;
  {
    AtomicFile file(path(), Overwrite::refuse);
    write_file(path(), "theirs");
    faults.knows_no_replace = false;
    try {
      file.commit();
    } catch (const Error& error) {
      message = error.what();
    }
  }
  EXPECT_THAT(message, HasSubstr("exists; give --force"));
  EXPECT_EQ(read_file(path()), "theirs");
  EXPECT_EQ(n_files(), 1);
}

TEST_F(AtomicFileFaults, IncludeTheLimitOfAFilesSize) {
  write_file(path(), "old");
  const auto before = ::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit limit = {.rlim_cur = 2, .rlim_max = old_limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);

  const std::string message = write_new({}, Overwrite::replace);

  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  ::signal(SIGXFSZ, before);
  EXPECT_THAT(message, HasSubstr("File too large"));
  EXPECT_EQ(read_file(path()), "old");
  EXPECT_EQ(n_files(), 1);
}

}  // namespace
}  // namespace espalier
