#include "data/lines.hpp"

#include "tests/data/data_file.hpp"

namespace espalier::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> lines_of(const DataFile& file) {
  LineSource source(file.path());
  std::vector<std::string> lines;
  std::string_view line;
  while (source.next(line)) lines.emplace_back(line);
  return lines;
}

std::string line_error_of(const DataFile& file) {
  try {
    lines_of(file);
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + " " + error.what();
  }
  return "no error";
}

TEST(LineSource, EndsTheLastLineWithOrWithoutALineFeed) {
  EXPECT_THAT(lines_of({"a", "x\n\ny\n"}), ElementsAre("x", "", "y"));
  EXPECT_THAT(lines_of({"a", "x\n\ny"}), ElementsAre("x", "", "y"));
  EXPECT_THAT(lines_of({"a", "\n"}), ElementsAre(""));
  EXPECT_THAT(lines_of({"a", ""}), IsEmpty());
}

TEST(LineSource, DropsAByteOrderMarkAtTheStartOnly) {
  EXPECT_THAT(lines_of({"a", "\xEF\xBB\xBFx\n\xEF\xBB\xBFy"}), ElementsAre("x", "\xEF\xBB\xBFy"));
  EXPECT_THAT(lines_of({"a", "\xEF\xBB\xBF"}), IsEmpty());
}

TEST(LineSource, SplitsAtLineFeedsOnly) {
  const std::string content(
      "a\xE2\x80\xA8"
      "b\vc\fd\0e\rf\n",
      14);

  EXPECT_THAT(lines_of({"a", content}), ElementsAre(content.substr(0, content.size() - 1)));
}

TEST(LineSource, JoinsLinesThatCrossItsBuffer) {
  // Around 2^18 bytes, the buffer's size, so that each part of a line falls on its edge once.
  for (std::size_t n_bytes = (1 << 18) - 3; n_bytes < (1 << 18) + 3; ++n_bytes) {
    const std::string long_line(n_bytes, 'x');

    EXPECT_THAT(lines_of({"a", long_line + "\nshort\n" + long_line}),
                ElementsAre(long_line, "short", long_line))
        << n_bytes;
  }
}

TEST(LineSource, ReadsGzipByContentNotByName) {
  EXPECT_THAT(lines_of(DataFile::gzipped("a.tsv.gz", "x\ny\n")), ElementsAre("x", "y"));
  EXPECT_THAT(lines_of(DataFile::gzipped("a.tsv", "x\ny\n")), ElementsAre("x", "y"));
  EXPECT_THAT(line_error_of({"a.tsv.gz", "x\ny\n"}), HasSubstr("holds no gzip data"));
}

TEST(LineSource, RefusesGzipDataCutAtAnyByte) {
  std::string content;
  for (int line = 0; line < 40; ++line) content += std::to_string(line * line) + "\n";
  const DataFile whole = DataFile::gzipped("a.gz", content);
  std::ifstream stream(whole.path(), std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});

  for (std::size_t n_kept = 1; n_kept < bytes.size(); ++n_kept) {
    EXPECT_THAT(line_error_of({"a.gz", bytes.substr(0, n_kept)}), HasSubstr("gzip data")) << n_kept;
  }
}

TEST(LineSource, RefusesGzipDataWithAWrongChecksum) {
  const DataFile whole = DataFile::gzipped("a.gz", "some text\n");
  std::ifstream stream(whole.path(), std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(stream), {});
  bytes[bytes.size() - 6] = static_cast<char>(bytes[bytes.size() - 6] ^ 1);

  EXPECT_THAT(line_error_of({"a.gz", bytes}), HasSubstr("damaged or truncated gzip data"));
}

TEST(LineSource, RefusesALineOver64MiBAndTakesOneOf64MiB) {
  const std::string limit(LineSource::kMaxLineBytes, 'x');

  EXPECT_EQ(lines_of({"a", "short\n" + limit}).back().size(), limit.size());
  EXPECT_THAT(line_error_of({"a", "short\n" + limit + "x\n"}),
              testing::AllOf(testing::StartsWith("8 line 2 of"), HasSubstr("64 MiB")));
}

TEST(LineSource, SaysWhyAFileCannotBeRead) {
  const DataFile file("a", "x");

  EXPECT_THAT(line_error_of({"a", std::string("\xFF\xFEx\0", 4)}), HasSubstr("UTF-16"));
  EXPECT_THROW(LineSource(file.path().parent_path()), Error);
  try {
    LineSource source(file.path().parent_path() / "absent");
    FAIL() << "opened a file that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_THAT(error.what(), HasSubstr("No such file"));
  }
}

}  // namespace
}  // namespace espalier::data
