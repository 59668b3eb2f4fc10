// Preloaded into a program that writes: kills it, as kill -9 would, at the n-th call that changes
// what the disk holds, n from ESPALIER_KILL_AT_CALL. What is killed while it writes has written
// half. So every state that a crash can leave is seen, and none depends on luck.
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdarg>
#include <cstdlib>

namespace {

bool is_the_one() {
  static std::atomic<long> calls_left = [] {
    const char* text = std::getenv("ESPALIER_KILL_AT_CALL");
    return text == nullptr ? 0 : std::atol(text);
  }();
  return --calls_left == 0;
}

void die() {
  ::kill(::getpid(), SIGKILL);
}

template <typename... Arguments>
long call(long number, Arguments... arguments) {
  if (is_the_one()) die();
  return ::syscall(number, arguments...);
}

int open_file(int folder, const char* path, int flags, mode_t mode) {
  if ((flags & (O_CREAT | O_TRUNC)) != 0 && is_the_one()) die();
  return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_file(AT_FDCWD, path, flags, mode);
}

ssize_t write(int file, const void* src, size_t n_bytes) {
  if (is_the_one()) {
    ::syscall(SYS_write, file, src, n_bytes / 2);
    die();
  }
  return ::syscall(SYS_write, file, src, n_bytes);
}

ssize_t sendfile(int dst, int src, off_t* offset, size_t n_bytes) noexcept {
  return call(SYS_sendfile, dst, src, offset, n_bytes);
}

int fsync(int file) {
  return static_cast<int>(call(SYS_fsync, file));
}

int rename(const char* from, const char* to) noexcept {
  return static_cast<int>(call(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to));
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  return static_cast<int>(call(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

int unlink(const char* path) noexcept {
  return static_cast<int>(call(SYS_unlinkat, AT_FDCWD, path, 0));
}

int remove(const char* path) noexcept {
  return static_cast<int>(call(SYS_unlinkat, AT_FDCWD, path, 0));
}

int mkdir(const char* path, mode_t mode) noexcept {
  return static_cast<int>(call(SYS_mkdirat, AT_FDCWD, path, mode));
}

}  // extern "C"
