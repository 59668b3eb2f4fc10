#include "base/file_bytes.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

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

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path) {
  throw Error(ErrorCode::bad_input,
              "cannot " + what + " " + printable(path.string(), 400) + ": " + std::strerror(errno));
}

void read_all(int descriptor, std::byte* dst, std::size_t size, const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(descriptor, dst + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path);
    if (got == 0) {
      throw Error(ErrorCode::bad_input,
                  printable(path.string(), 400) + " became shorter while it was read; try again");
    }
    done += static_cast<std::size_t>(got);
  }
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
    throw Error(ErrorCode::bad_input, printable(path.string(), 400) + " is not a regular file");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_bytes) {
    throw Error(ErrorCode::resource, printable(path.string(), 400) + " has " +
                                         std::to_string(size) + " bytes, more than the limit of " +
                                         std::to_string(max_bytes));
  }
  if (access == FileAccess::map && size > 0) {
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED) fail("map", path);
    return {static_cast<std::byte*>(data), size, Release{size}};
  }
  FileBytes owned = allocate(size);
  read_all(file.get(), owned.data_.get(), size, path);
  return owned;
}

}  // namespace espalier
