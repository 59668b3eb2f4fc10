// The table of formats, the choice among them, and what all readers share.
#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include "base/printable.hpp"
#include "data/formats.hpp"

namespace espalier::data {
namespace {

struct Entry {
  Format format;
  std::string_view name;
  std::span<const std::string_view> extensions;
  Guess (*guess)(std::string_view head);
  std::unique_ptr<Reader> (*open)(std::unique_ptr<LineSource>, const Columns&);
};

constexpr std::array<std::string_view, 3> kJsonl = {".jsonl", ".ndjson", ".json"};
constexpr std::array<std::string_view, 3> kConll = {".conll", ".iob", ".bio"};
constexpr std::array<std::string_view, 1> kCsv = {".csv"};
constexpr std::array<std::string_view, 2> kTsv = {".tsv", ".tab"};

// TSV comes first: it is what a file is taken for that nothing speaks for.
constexpr std::array<Entry, 4> kReaders = {{
    {Format::tsv, "tsv", kTsv, guess_tsv, open_tsv},
    {Format::csv, "csv", kCsv, guess_csv, open_csv},
    {Format::jsonl, "jsonl", kJsonl, guess_jsonl, open_jsonl},
    {Format::conll, "conll", kConll, guess_conll, open_conll},
}};

constexpr std::string_view kAutomaticName = "auto";

std::string extension_of(std::filesystem::path path) {
  if (path.extension() == ".gz") path = path.stem();
  std::string extension = path.extension().string();
  for (char& letter : extension) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return extension;
}

const Entry& entry_of(Format format) {
  return *std::find_if(kReaders.begin(), kReaders.end(),
                       [&](const Entry& entry) { return entry.format == format; });
}

const Entry& guess_entry(const std::filesystem::path& path, std::string_view head) {
  const std::string extension = extension_of(path);
  const Entry* best = nullptr;
  Guess best_guess = Guess::no;
  for (const Entry& entry : kReaders) {
    const auto& known = entry.extensions;
    const bool is_named = std::find(known.begin(), known.end(), extension) != known.end();
    Guess guess = entry.guess(head);
    if (is_named && guess != Guess::no) guess = std::max(guess, Guess::named);
    if (guess > best_guess) {
      best = &entry;
      best_guess = guess;
    }
  }
  return *best;  // not null, as TSV is always possible
}

}  // namespace

Format format_from_name(std::string_view name) {
  if (name == kAutomaticName) return Format::automatic;
  std::string known(kAutomaticName);
  for (const Entry& entry : kReaders) {
    if (entry.name == name) return entry.format;
    known += ", " + std::string(entry.name);
  }
  throw Error(ErrorCode::usage, "no data format " + printable(name) + "; known are " + known);
}

std::string_view name_of(Format format) {
  return format == Format::automatic ? kAutomaticName : entry_of(format).name;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::unique_ptr<Reader> Reader::open(const std::filesystem::path& path, Format format,
                                     const Columns& columns) {
  auto lines = std::make_unique<LineSource>(path);
  const std::string_view head = lines->head();
  if (head.empty()) fail_at(lines->place(0), "is empty; a data set needs at least one line");
  const Entry& entry = format == Format::automatic ? guess_entry(path, head) : entry_of(format);
  return entry.open(std::move(lines), columns);
}

Reader::Reader(Format format, std::unique_ptr<LineSource> lines)
    : format_(format), lines_(std::move(lines)) {}

Reader::~Reader() = default;

Place Reader::place(const Row& row) const {
  return lines_->place(row.line);
}

void Reader::set_columns(const std::vector<std::string>& header, const ColumnChoice& choice) {
  columns_.text = header[choice.text];
  if (choice.pair) columns_.pair = header[*choice.pair];
  if (choice.label) columns_.label = header[*choice.label];
  for (const std::size_t slice : choice.slices) columns_.slices.push_back(header[slice]);
}

std::vector<Row> read_all(const std::filesystem::path& path, Format format,
                          const Columns& columns) {
  const auto reader = Reader::open(path, format, columns);
  std::vector<Row> rows;
  Row row;
  while (reader->next(row)) rows.push_back(row);
  return rows;
}

}  // namespace espalier::data
