#include "base/file_bytes.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/huge_pages.hpp"
#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int get() const noexcept { return value_; }

 private:
  int value_;
};

std::string shown(const std::filesystem::path& path) {
  return printable(path.string(), 400);
}

[[noreturn]] void fail(const char* what, const std::filesystem::path& path) {
  const int reason = errno;
  // Not the file's fault: this process or machine has no more memory or descriptors.
  const bool ours = reason == ENOMEM || reason == EMFILE || reason == ENFILE;
  throw Error(ours ? ErrorCode::resource : ErrorCode::bad_input,
              std::string("cannot ") + what + " " + shown(path) + ": " + std::strerror(reason));
}

[[noreturn]] void fail_changed(const char* change, const std::filesystem::path& path) {
  throw Error(ErrorCode::bad_input,
              shown(path) + " became " + change + " while it was read; try again");
}

// At most dst.size() bytes, at least one unless the file ends here.
std::size_t read_some(int descriptor, std::span<std::byte> dst, const std::filesystem::path& path) {
  for (;;) {
    const ssize_t got = ::read(descriptor, dst.data(), dst.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) fail("read", path);
  }
}

// Fills `dst` with the whole file, or fails: half of a file that changes is worse than none.
void read_whole(int descriptor, std::span<std::byte> dst, const std::filesystem::path& path) {
  while (!dst.empty()) {
    const std::size_t got = read_some(descriptor, dst, path);
    if (got == 0) fail_changed("shorter", path);
    dst = dst.subspan(got);
  }
  std::byte more{};
  if (read_some(descriptor, std::span(&more, 1), path) != 0) fail_changed("longer", path);
}

}  // namespace

void FileBytes::Release::operator()(std::byte* data) const noexcept {
  if (mapped_bytes > 0) {
    ::munmap(data, mapped_bytes);
  } else {
    std::free(data);
  }
}

FileBytes FileBytes::allocate(std::size_t size) {
  if (size >= 2 * kHugePage) {
    MappedBytes pages = map_huge_pages(size);
    const std::size_t n_mapped = pages.get_deleter().n_bytes;
    return {pages.release(), size, Release{n_mapped}};
  }
  // aligned_alloc wants a multiple of the alignment; one line more so that an empty file has an
  // address.
  const std::size_t room = (size / kAlignment + 1) * kAlignment;
  auto* data = static_cast<std::byte*>(std::aligned_alloc(kAlignment, room));
  if (data == nullptr) {
    throw Error(ErrorCode::resource, "out of memory: " + std::to_string(size) + " bytes wanted");
  }
  return {data, size, Release{}};
}

FileBytes FileBytes::copy(std::span<const std::byte> bytes) {
  FileBytes owned = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(owned.data_.get(), bytes.data(), bytes.size());
  return owned;
}

FileBytes FileBytes::open(const std::filesystem::path& path, FileAccess access,
                          std::size_t max_bytes) {
  // O_NONBLOCK: opening a FIFO must not hang; it has no effect on a regular file.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail("open", path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail("inspect", path);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::bad_input,
                shown(path) + (S_ISDIR(status.st_mode) ? " is a folder, not a file"
                                                       : " is not a regular file"));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_bytes) {
    throw Error(ErrorCode::resource, shown(path) + " has " + std::to_string(size) +
                                         " bytes, more than the limit of " +
                                         std::to_string(max_bytes));
  }
  if (access == FileAccess::map && size > 0) {
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED) fail("map", path);
    return {static_cast<std::byte*>(data), size, Release{size}};
  }
  FileBytes owned = allocate(size);
  read_whole(file.get(), {owned.data_.get(), size}, path);
  return owned;
}

}  // namespace espalier
