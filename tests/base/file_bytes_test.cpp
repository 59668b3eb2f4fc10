// The bytes of a file, whole and aligned, or an error that says whose fault it is.
#include "base/file_bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "espalier/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

bool out_of_memory = false;

}  // namespace

// Ours in this program, so that memory runs out when a test says so.
extern "C" void* aligned_alloc(size_t alignment, size_t n_bytes) noexcept {
  void* data = nullptr;
  if (out_of_memory || ::posix_memalign(&data, alignment, n_bytes) != 0) return nullptr;
  return data;
}

namespace espalier {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::write_file;

constexpr FileAccess kBoth[] = {FileAccess::read, FileAccess::map};

std::string text_of(const FileBytes& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

bool is_aligned(const FileBytes& file) {
  return reinterpret_cast<std::uintptr_t>(file.bytes().data()) % FileBytes::kAlignment == 0;
}

// The Error of opening `path`.
std::optional<Error> refusal(const fs::path& path, FileAccess access = FileAccess::read,
                             std::size_t max_bytes = SIZE_MAX) {
  try {
    (void)FileBytes::open(path, access, max_bytes);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << path << " was opened";
  return std::nullopt;
}

void expect_refusal(const std::optional<Error>& error, ErrorCode code, const std::string& says) {
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), code) << error->what();
  EXPECT_THAT(error->what(), HasSubstr(says));
}

TEST(FileBytes, HoldTheWholeFileAligned) {
  const TemporaryFolder folder;

  for (const std::size_t size : {1U, 63U, 64U, 65U, 100'000U}) {
    std::string text(size, 'x');
    text.front() = '\0';
    text.back() = '\n';
    write_file(folder / "file", text);
    for (const FileAccess access : kBoth) {
      const FileBytes file = FileBytes::open(folder / "file", access);
      EXPECT_EQ(text_of(file), text);
      EXPECT_TRUE(is_aligned(file));
    }
  }
}

TEST(FileBytes, OfAnEmptyFileAreNone) {
  const TemporaryFolder folder;
  write_file(folder / "file", "");

  for (const FileAccess access : kBoth) {
    const FileBytes file = FileBytes::open(folder / "file", access);
    EXPECT_TRUE(file.bytes().empty());
    EXPECT_NE(file.bytes().data(), nullptr);
  }
}

TEST(FileBytes, StayWhenTheFileIsReplacedOrRemoved) {
  const TemporaryFolder folder;

  for (const FileAccess access : kBoth) {
    write_file(folder / "file", "old");
    const FileBytes file = FileBytes::open(folder / "file", access);
    fs::remove(folder / "file");
    EXPECT_EQ(text_of(file), "old");
  }
}

TEST(FileBytes, AreCopiedAligned) {
  const std::string text = "unaligned source";
  const auto source = std::as_bytes(std::span(text)).subspan(1);

  const FileBytes copy = FileBytes::copy(source);

  EXPECT_EQ(text_of(copy), "naligned source");
  EXPECT_NE(copy.bytes().data(), source.data());
  EXPECT_TRUE(is_aligned(copy));
  EXPECT_TRUE(FileBytes::copy({}).bytes().empty());
}

TEST(FileBytes, KeepTheirAddressWhenMoved) {
  const TemporaryFolder folder;
  write_file(folder / "file", "text");

  for (const FileAccess access : kBoth) {
    FileBytes first = FileBytes::open(folder / "file", access);
    const std::byte* address = first.bytes().data();

    const FileBytes second = std::move(first);

    EXPECT_EQ(second.bytes().data(), address);
    EXPECT_EQ(text_of(second), "text");
    EXPECT_TRUE(first.bytes().empty());  // NOLINT(bugprone-use-after-move): that is the question
  }
}

TEST(FileBytes, ReplaceWhatTheyAreAssignedTo) {
  const TemporaryFolder folder;
  write_file(folder / "file", "mapped");
  FileBytes file = FileBytes::copy(std::as_bytes(std::span("owned", 5)));

  file = FileBytes::open(folder / "file", FileAccess::map);
  EXPECT_EQ(text_of(file), "mapped");

  file = FileBytes::copy(std::as_bytes(std::span("owned", 5)));
  EXPECT_EQ(text_of(file), "owned");
}

TEST(FileBytes, AreLimitedToMaxBytes) {
  const TemporaryFolder folder;
  write_file(folder / "file", "12345");

  for (const FileAccess access : kBoth) {
    EXPECT_EQ(text_of(FileBytes::open(folder / "file", access, 5)), "12345");
    expect_refusal(refusal(folder / "file", access, 4), ErrorCode::resource,
                   "file' has 5 bytes, more than the limit of 4");
  }
}

TEST(FileBytes, RefuseWhatIsNoRegularFileAndDoNotHang) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);

  for (const FileAccess access : kBoth) {
    expect_refusal(refusal(folder / "missing", access), ErrorCode::bad_input,
                   "missing': No such file");
    expect_refusal(refusal(folder.path(), access), ErrorCode::bad_input, "is a folder, not a file");
    expect_refusal(refusal(folder / "pipe", access), ErrorCode::bad_input,
                   "pipe' is not a regular file");
    expect_refusal(refusal("/dev/zero", access), ErrorCode::bad_input,
                   "'/dev/zero' is not a regular file");
    expect_refusal(refusal("", access), ErrorCode::bad_input, "'': No such file");
  }
}

TEST(FileBytes, RefuseAFileThatMayNotBeRead) {
  const TemporaryFolder folder;
  write_file(folder / "file", "text");
  fs::permissions(folder.path(), fs::perms(0755));
  fs::permissions(folder / "file", fs::perms::none);
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }

  const std::optional<Error> error = refusal(folder / "file");

  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  expect_refusal(error, ErrorCode::bad_input, "file': Permission denied");
}

TEST(FileBytes, RefuseAFileThatIsLongerThanItsSize) {
  if (!fs::exists("/proc/self/status")) GTEST_SKIP() << "needs /proc, whose files say 0 bytes";

  expect_refusal(refusal("/proc/self/status"), ErrorCode::bad_input, "became longer");
}

TEST(FileBytes, RefuseAFileThatIsShorterThanItsSize) {
  const fs::path path = "/sys/devices/system/cpu/online";
  if (!fs::exists(path)) GTEST_SKIP() << "needs /sys, whose files say 4096 bytes";

  expect_refusal(refusal(path), ErrorCode::bad_input, "became shorter");
}

TEST(FileBytes, DoNotBlameTheFileWhenDescriptorsRunOut) {
  const TemporaryFolder folder;
  write_file(folder / "file", "text");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);

  const std::optional<Error> error = refusal(folder / "file");

  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  expect_refusal(error, ErrorCode::resource, "Too many open files");
}

TEST(FileBytes, DoNotBlameTheFileWhenMemoryRunsOut) {
  const TemporaryFolder folder;
  write_file(folder / "file", "12345");
  out_of_memory = true;

  const std::optional<Error> error = refusal(folder / "file");

  out_of_memory = false;
  expect_refusal(error, ErrorCode::resource, "out of memory: 5 bytes");
}

}  // namespace
}  // namespace espalier
