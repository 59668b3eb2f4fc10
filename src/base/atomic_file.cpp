#include "base/atomic_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRandomLetters = 6;

std::string shown(const fs::path& path) {
  return printable(path.string(), 400);
}

[[noreturn]] void fail_at(const fs::path& path, const char* what, int reason) {
  throw Error(ErrorCode::output,
              std::string("cannot ") + what + " " + shown(path) + ": " + std::strerror(reason));
}

[[noreturn]] void fail_exists(const fs::path& path) {
  throw Error(ErrorCode::output, shown(path) + " exists; give --force to replace it");
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// What the temporary files of a destination begin with. A mark of our own: plain ".NAME.XXXXXX" is
// what rsync calls its unfinished files, and those are not ours to remove.
std::string temporary_prefix(const fs::path& destination) {
  return "." + destination.filename().string() + ".espalier-";
}

// The file that is to be written: `path` itself, or what it leads to as a symbolic link.
fs::path checked_destination(const fs::path& path, Overwrite overwrite) {
  struct stat entry {};
  if (::lstat(path.c_str(), &entry) != 0) {
    if (errno != ENOENT) fail_at(path, "inspect", errno);
    if (!path.has_filename()) throw Error(ErrorCode::output, shown(path) + " names no file");
    return path;
  }
  const bool is_link = S_ISLNK(entry.st_mode);
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) {
    // Like cp, which does not write through such a link either: where it leads may be a surprise.
    if (errno == ENOENT && is_link) {
      throw Error(ErrorCode::output, shown(path) + " is a symbolic link to nothing; remove it");
    }
    fail_at(path, "inspect", errno);
  }
  if (S_ISDIR(file.st_mode)) {
    throw Error(ErrorCode::output, shown(path) + " is a folder, not a file");
  }
  if (!S_ISREG(file.st_mode)) {
    throw Error(ErrorCode::output, shown(path) + " is a " +
                                       (S_ISFIFO(file.st_mode)   ? "pipe"
                                        : S_ISSOCK(file.st_mode) ? "socket"
                                                                 : "device") +
                                       "; output goes to regular files only");
  }
  if (overwrite == Overwrite::refuse) fail_exists(path);
  if (!is_link) return path;
  std::error_code error;
  fs::path target = fs::canonical(path, error);
  if (error) fail_at(path, "follow the link", error.value());
  return target;
}

bool is_temporary_of(const std::string& prefix, const std::string& name) {
  return name.size() == prefix.size() + kRandomLetters &&
         name.compare(0, prefix.size(), prefix) == 0;
}

// Removes the file unless a writer has it locked. What cannot be opened or locked stays.
void remove_if_stale(const fs::path& path) noexcept {
  // For writing, because NFS locks exclusively only then; O_NONBLOCK in case it is a pipe.
  const int file = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return;
  struct stat status {};
  if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
      ::flock(file, LOCK_EX | LOCK_NB) == 0) {
    ::unlink(path.c_str());
  }
  ::close(file);
}

void remove_stale_temporaries(const fs::path& destination) {
  const std::string prefix = temporary_prefix(destination);
  std::error_code error;  // a folder that cannot be listed keeps what is in it
  fs::directory_iterator entry(folder_of(destination), error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (is_temporary_of(prefix, entry->path().filename().string())) remove_if_stale(entry->path());
  }
}

// A name that no other writer of the destination is likely to try.
std::string temporary_name(const fs::path& destination) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  std::array<unsigned char, kRandomLetters> random{};
  if (::getrandom(random.data(), random.size(), 0) < 0) {
    fail_at(destination, "name a file beside", errno);
  }
  std::string name = temporary_prefix(destination);
  for (const unsigned char byte : random) name += kLetters[byte % kLetters.size()];
  return (folder_of(destination) / name).string();
}

// Locks a new temporary file as that of a living writer. False when another writer's clean-up was
// faster; true also on file systems without locks, where no clean-up gets one either.
bool claim(int descriptor, const std::string& path) noexcept {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

// Gives the file its name, atomically, unless that name is taken (EEXIST). 0 or -1 with errno.
int rename_to_new(const char* src, const char* dst) noexcept {
  if (::renameat2(AT_FDCWD, src, AT_FDCWD, dst, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  // Not every file system knows that flag (NFS); a second name is refused just as surely.
  if (::link(src, dst) != 0) return -1;
  ::unlink(src);
  return 0;
}

// Makes a rename durable. 0 or the reason why not.
int sync_folder(const fs::path& folder) noexcept {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int reason = descriptor < 0 || ::fsync(descriptor) != 0 ? errno : 0;
  if (descriptor >= 0) ::close(descriptor);
  // Some file systems cannot sync a folder (EINVAL) and some folders may be written but not opened
  // (EACCES): nothing more can be done there.
  if (reason == EINVAL || reason == EACCES) reason = 0;
  return reason;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path, Overwrite overwrite)
    : path_(std::move(path)),
      destination_(checked_destination(path_, overwrite)),
      overwrite_(overwrite) {
  remove_stale_temporaries(destination_);
  create_temporary();
}

AtomicFile::~AtomicFile() {
  // Removed before it is closed: while it is locked, no clean-up can mistake it for a stale one.
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AtomicFile::fail(const char* what) const {
  fail_at(path_, what, errno);
}

void AtomicFile::create_temporary() {
  struct stat old {};
  const bool exists = ::stat(destination_.c_str(), &old) == 0;
  // A private file stays private while its successor is written.
  const mode_t mode = exists ? old.st_mode & 0666 : 0666;
  constexpr int kAttempts = 100;  // each fails only by a chance of one in 32^6, or a race
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::string name = temporary_name(destination_);
    const int created = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (created < 0 && errno == EEXIST) continue;
    if (created < 0) fail("create a file beside");
    if (claim(created, name)) {
      descriptor_ = created;
      temporary_ = std::move(name);
      return;
    }
    ::close(created);
  }
  throw Error(ErrorCode::output, "cannot create a file beside " + shown(path_) +
                                     ": each name tried is taken; remove old files there");
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::keep_owner_and_mode() {
  struct stat old {};
  struct stat mine {};
  if (::stat(destination_.c_str(), &old) != 0) return;  // a new file after all
  if (::fstat(descriptor_, &mine) != 0) fail("inspect the new file of");
  mode_t mode = old.st_mode & 0777;
  const bool same = old.st_uid == mine.st_uid && old.st_gid == mine.st_gid;
  if (!same && ::fchown(descriptor_, old.st_uid, old.st_gid) != 0 &&
      ::fchown(descriptor_, static_cast<uid_t>(-1), old.st_gid) != 0) {
    mode &= 0707;  // what the old group might do is not for another one
  }
  if (::fchmod(descriptor_, mode) != 0) fail("set the mode of");
}

void AtomicFile::remove_old() {
  if (overwrite_ == Overwrite::refuse) return;
  keep_owner_and_mode();
  if (::unlink(destination_.c_str()) != 0) {
    if (errno == ENOENT) return;
    fail("remove");
  }
  if (const int reason = sync_folder(folder_of(destination_)); reason != 0) {
    fail_at(path_, "sync the folder of", reason);
  }
}

void AtomicFile::commit() {
  if (overwrite_ == Overwrite::replace) keep_owner_and_mode();
  if (::fsync(descriptor_) != 0) fail("sync");
  if (overwrite_ == Overwrite::refuse) {
    if (rename_to_new(temporary_.c_str(), destination_.c_str()) != 0) {
      if (errno == EEXIST) fail_exists(path_);
      fail("create");
    }
  } else if (::rename(temporary_.c_str(), destination_.c_str()) != 0) {
    fail("replace");
  }
  temporary_.clear();
  // Closed, and so unlocked, only under its new name. After fsync() a close has nothing to lose.
  ::close(std::exchange(descriptor_, -1));
  if (const int reason = sync_folder(folder_of(destination_)); reason != 0) {
    fail_at(path_, "sync the folder of", reason);
  }
}

}  // namespace espalier
