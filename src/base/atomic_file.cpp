#include "base/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// mkstemp makes files of mode 0600; readers other than the owner expect the mode of a plain create.
mode_t mode_for(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) return status.st_mode & 0777;
  // Reads the mask without changing it: umask(2) would, for every thread of the process.
  unsigned mask = 022;
  if (std::FILE* file = std::fopen("/proc/self/status", "re")) {
    char line[256];
    while (std::fgets(line, sizeof line, file) != nullptr) {
      if (std::sscanf(line, "Umask: %o", &mask) == 1) break;
    }
    std::fclose(file);
  }
  return 0666 & ~mask;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path, Overwrite overwrite)
    : path_(std::move(path)), overwrite_(overwrite) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) {
    throw Error(ErrorCode::output, printable(path_.string(), 400) + " is a folder, not a file");
  }
  if (overwrite_ == Overwrite::refuse && std::filesystem::exists(path_, ignored)) {
    throw Error(ErrorCode::output,
                printable(path_.string(), 400) + " exists; give --force to replace it");
  }
  temporary_ = (folder_of(path_) / ("." + path_.filename().string() + ".XXXXXX")).string();
  descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
  if (descriptor_ < 0) {
    temporary_.clear();
    fail("create a file beside");
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* what) const {
  throw Error(ErrorCode::output, std::string("cannot ") + what + " " +
                                     printable(path_.string(), 400) + ": " + std::strerror(errno));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  if (::fchmod(descriptor_, mode_for(path_)) != 0) fail("set the mode of");
  if (::fsync(descriptor_) != 0) fail("sync");
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("close");
  // link() refuses an existing name atomically; rename() replaces it atomically.
  if (overwrite_ == Overwrite::refuse) {
    if (::link(temporary_.c_str(), path_.c_str()) != 0) fail("create");
    ::unlink(temporary_.c_str());
  } else if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail("replace");
  }
  temporary_.clear();
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail("open the folder of");
  const int synced = ::fsync(folder);
  ::close(folder);
  // Some file systems cannot sync a folder and say so with EINVAL: nothing more can be done there.
  if (synced != 0 && errno != EINVAL) fail("sync the folder of");
}

}  // namespace espalier
