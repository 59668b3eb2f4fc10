// CoNLL columns: a word a line, with its tag in the last column; an empty line ends a sentence. A
// line of TABs alone counts as empty (WNUT-17 has such), and "#" starts a word, not a comment.
#include "data/formats.hpp"

namespace espalier::data {
namespace {

constexpr std::string_view kDocumentStart = "-DOCSTART-";

bool is_document_start(std::string_view line) {
  if (!line.starts_with(kDocumentStart)) return false;
  line.remove_prefix(kDocumentStart.size());
  return line.empty() || line[0] == ' ' || line[0] == '\t' || line[0] == '\r';
}

/// The fields of a line, split at each TAB if it has any, else at runs of blanks.
class Fields {
 public:
  bool tabs() const { return tabs_; }
  const std::vector<std::string_view>& all() const { return fields_; }

  void split(std::string_view line, const Place& place) {
    fields_.clear();
    line = without_cr(line);
    tabs_ = line.find('\t') != std::string_view::npos;
    while (true) {
      if (!tabs_) {
        const std::size_t begin = line.find_first_not_of(' ');
        if (begin == std::string_view::npos) return;
        line.remove_prefix(begin);
      }
      if (fields_.size() == kMaxColumns) {
        fail_at(place, "has more than " + std::to_string(kMaxColumns) + " columns");
      }
      const std::size_t end = line.find(tabs_ ? '\t' : ' ');
      fields_.push_back(line.substr(0, end));
      if (end == std::string_view::npos) return;
      line.remove_prefix(end + 1);
    }
  }

 private:
  bool tabs_ = false;
  std::vector<std::string_view> fields_;
};

class ConllReader final : public Reader {
 public:
  ConllReader(std::unique_ptr<LineSource> source, const Columns& columns)
      : Reader(Format::conll, std::move(source)) {
    if (!columns.pair.empty()) {
      throw Error(ErrorCode::usage, "--pair-column does not go with CoNLL data, a word a line");
    }
    if (!columns.slices.empty()) {
      throw Error(ErrorCode::usage,
                  "--slice-column does not go with CoNLL data, a word a line; write sentences as "
                  "JSONL or TSV rows");
    }
    if (!next_word()) fail_at(lines().place(0), "holds no words");
    first_is_pending_ = true;
    tabs_ = fields_.tabs();
    n_columns_ = fields_.all().size();

    const std::vector<std::string> names = numbered_columns(n_columns_);
    Columns wanted = columns;
    wanted.header = false;
    if (wanted.text.empty()) wanted.text = names.front();
    // The last column is the tag unless the words have it.
    if (wanted.label.empty() && wanted.text != names.back()) wanted.label = names.back();
    choice_ = choose_columns(names, wanted, lines().place());
    set_columns(names, choice_);
  }

  bool next(Row& row) override {
    if (!first_is_pending_ && !next_word()) return false;
    first_is_pending_ = false;
    restart(row, lines().place().line);
    std::size_t n_bytes = 0;
    do {
      add_word(row, n_bytes);
    } while (continue_sentence());
    row.text = join_words(row.words);
    return true;
  }

 private:
  /// Goes on to the next word of the file, over any empty and -DOCSTART- lines.
  bool next_word() {
    while (lines().next(line_)) {
      if (is_blank(line_) || is_document_start(line_)) continue;
      fields_.split(line_, lines().place());
      return true;
    }
    return false;
  }

  /// Goes on to the next word of the same sentence, if there is one.
  bool continue_sentence() {
    if (!lines().next(line_) || is_blank(line_) || is_document_start(line_)) return false;
    fields_.split(line_, lines().place());
    return true;
  }

  void add_word(Row& row, std::size_t& n_bytes) {
    const Place here = lines().place();
    const auto& fields = fields_.all();
    if (fields.size() != n_columns_ || fields_.tabs() != tabs_) {
      fail_at(here, "expected " + std::to_string(n_columns_) + " columns, got " +
                        std::to_string(fields.size()) + "; the first word's columns are split at " +
                        (tabs_ ? "TABs" : "blanks"));
    }
    n_bytes += line_.size();
    if (row.words.size() == kMaxWords || n_bytes > LineSource::kMaxLineBytes) {
      fail_at(place(row),
              "the sentence that starts here has no end within " + std::to_string(kMaxWords) +
                  " words or 64 MiB; an empty line ends a sentence",
              ErrorCode::resource);
    }
    const std::string_view word = fields[choice_.text];
    if (word.empty()) fail_at(here, "the word is empty");
    row.words.emplace_back(word);
    if (!choice_.label) return;
    const std::string_view tag = fields[*choice_.label];
    if (tag.empty()) fail_at(here, "the tag is empty");
    row.tags.emplace_back(tag);
  }

  std::string_view line_;
  Fields fields_;
  bool first_is_pending_ = false;
  bool tabs_ = false;
  std::size_t n_columns_ = 0;
  ColumnChoice choice_;
};

/// O, or a letter of BIOES or BILOU before a type.
bool is_tag(std::string_view tag) {
  if (tag == "O") return true;
  constexpr std::string_view kLetters = "BIESLU";
  return tag.size() > 2 && tag[1] == '-' && kLetters.find(tag[0]) != std::string_view::npos &&
         tag.find(' ') == std::string_view::npos;
}

}  // namespace

Guess guess_conll(std::string_view head) {
  if (is_document_start(without_cr(head.substr(0, head.find('\n'))))) return Guess::sure;
  std::size_t n_words = 0;
  while (!head.empty()) {
    const std::string_view line = without_cr(take_line(head));
    if (is_blank(line) || is_document_start(line)) continue;
    const bool tabs = line.find('\t') != std::string_view::npos;
    const std::size_t last = line.find_last_of(tabs ? '\t' : ' ');
    if (last == std::string_view::npos || !is_tag(line.substr(last + 1))) return Guess::possible;
    ++n_words;
  }
  return n_words != 0 ? Guess::sure : Guess::possible;
}

std::unique_ptr<Reader> open_conll(std::unique_ptr<LineSource> lines, const Columns& columns) {
  return std::make_unique<ConllReader>(std::move(lines), columns);
}

}  // namespace espalier::data
