#include "compress/recipe/split.hpp"

#include <vector>

#include "base/atomic_file.hpp"
#include "base/printable.hpp"
#include "data/lines.hpp"
#include "espalier/error.hpp"

namespace espalier::recipe {
namespace {

constexpr std::size_t kThird = 3;

// The line where each row begins.
std::vector<std::size_t> first_lines(const std::filesystem::path& file, data::Format format,
                                     const data::Columns& columns) {
  const std::unique_ptr<data::Reader> reader = data::Reader::open(file, format, columns);
  std::vector<std::size_t> lines;
  for (data::Row row; reader->next(row);) lines.push_back(row.line);
  return lines;
}

}  // namespace

SplitCounts split_rows(const std::filesystem::path& file, data::Format format,
                       const data::Columns& columns, const SplitFiles& to) {
  const std::vector<std::size_t> starts = first_lines(file, format, columns);
  if (starts.size() < kThird) {
    throw Error(ErrorCode::bad_input,
                printable(file.filename().string()) + " has " + std::to_string(starts.size()) +
                    " rows; a third of them is to decide, which takes at least 3");
  }
  AtomicFile choosing(to.choosing, Overwrite::replace);
  AtomicFile deciding(to.deciding, Overwrite::replace);
  data::LineSource lines(file);
  std::size_t n_begun = 0;
  for (std::string_view line; lines.next(line);) {
    if (n_begun < starts.size() && lines.place().line == starts[n_begun]) ++n_begun;
    const std::string whole = std::string(line) + "\n";
    const bool decides = n_begun > 0 && n_begun % kThird == 0;
    if (n_begun == 0 || decides) deciding.write(whole);  // before the first row: the header
    if (!decides) choosing.write(whole);
  }
  choosing.commit();
  deciding.commit();
  return {.choosing = starts.size() - starts.size() / kThird, .deciding = starts.size() / kThird};
}

}  // namespace espalier::recipe
