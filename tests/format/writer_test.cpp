// The writer leaves a whole file or none.
#include "format/writer.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>

#include "tests/format/forge.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::testing {
namespace {

std::size_t n_entries(const std::filesystem::path& folder) {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++n;
  return n;
}

ErrorCode code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::failed;
}

/// Lets no file of this process grow past a size: the kernel's own way to a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t n_bytes) {
    before_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit lower{n_bytes, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &lower);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    ::signal(SIGXFSZ, before_);
  }

 private:
  rlimit limit_{};
  void (*before_)(int) = nullptr;
};

TEST(Writer, WritesWhatToBytesGives) {
  const TemporaryFolder folder;
  const OwnedModel model = make_tiny_model();

  format::write_model(model.spec(), folder / "a.espl", Overwrite::refuse);

  const Bytes bytes = format::to_bytes(model.spec());
  const std::string file = read_file(folder / "a.espl");
  EXPECT_EQ(file, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  EXPECT_EQ(n_entries(folder.path()), 1U);
}

TEST(Writer, RefusesToOverwriteAndKeepsWhatIsThere) {
  const TemporaryFolder folder;
  const OwnedModel model = make_tiny_model();
  write_file(folder / "a.espl", "mine");

  const ErrorCode code =
      code_of([&] { format::write_model(model.spec(), folder / "a.espl", Overwrite::refuse); });

  EXPECT_EQ(code, ErrorCode::output);
  EXPECT_EQ(read_file(folder / "a.espl"), "mine");
}

TEST(Writer, ReplacesWhenAsked) {
  const TemporaryFolder folder;
  const OwnedModel model = make_tiny_model();
  write_file(folder / "a.espl", "mine");

  format::write_model(model.spec(), folder / "a.espl", Overwrite::replace);

  EXPECT_NO_THROW((void)format::ModelFile::open(folder / "a.espl"));
}

TEST(Writer, LeavesNothingBehindWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const OwnedModel model = make_tiny_model();
  const std::size_t size = format::to_bytes(model.spec()).size();

  for (const std::size_t limit : {std::size_t{0}, std::size_t{100}, size / 2, size - 1}) {
    ErrorCode code = ErrorCode::failed;
    {
      const FileSizeLimit full(limit);
      code =
          code_of([&] { format::write_model(model.spec(), folder / "a.espl", Overwrite::refuse); });
    }
    EXPECT_EQ(code, ErrorCode::output) << limit;
    EXPECT_EQ(n_entries(folder.path()), 0U) << limit;
  }
}

TEST(Writer, KeepsTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const OwnedModel model = make_tiny_model();
  write_file(folder / "a.espl", "mine");
  {
    const FileSizeLimit full(1000);
    EXPECT_EQ(
        code_of([&] { format::write_model(model.spec(), folder / "a.espl", Overwrite::replace); }),
        ErrorCode::output);
  }
  EXPECT_EQ(read_file(folder / "a.espl"), "mine");
  EXPECT_EQ(n_entries(folder.path()), 1U);
}

TEST(Writer, FailsAsOutputWhereItCannotWrite) {
  const TemporaryFolder folder;
  const OwnedModel model = make_tiny_model();

  for (const std::filesystem::path& path :
       {folder / "missing/a.espl", folder.path(), std::filesystem::path("/dev/full")}) {
    EXPECT_EQ(code_of([&] { format::write_model(model.spec(), path, Overwrite::refuse); }),
              ErrorCode::output)
        << path;
  }
}

TEST(Writer, NeverWritesAModelThatIsNotSound) {
  const TemporaryFolder folder;
  OwnedModel model = make_tiny_model();
  model.edit().labels.pop_back();

  const ErrorCode code =
      code_of([&] { format::write_model(model.spec(), folder / "a.espl", Overwrite::refuse); });

  EXPECT_EQ(code, ErrorCode::failed);
  EXPECT_EQ(n_entries(folder.path()), 0U);
}

TEST(Writer, RefusesAHeaderOverTheLimit) {
  OwnedModel model = make_tiny_model({.labels = std::vector<std::string>(20000, "0")});
  for (std::string& label : model.edit().labels) label.assign(1000, 'x');

  EXPECT_EQ(code_of([&] { (void)format::to_bytes(model.spec()); }), ErrorCode::resource);
}

}  // namespace
}  // namespace espalier::testing
