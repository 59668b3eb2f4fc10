// JSONL: one object a line. Its first line says which columns there are; each later line must have
// those that are read, and may have others.
#include "data/formats.hpp"
#include "data/json_line.hpp"

namespace espalier::data {
namespace {

class JsonlReader final : public Reader {
 public:
  JsonlReader(std::unique_ptr<LineSource> source, const Columns& columns)
      : Reader(Format::jsonl, std::move(source)), words_(columns.words) {
    if (!columns.header) {
      throw Error(ErrorCode::usage,
                  "--no-header does not go with JSONL, where each line names its columns");
    }
    if (!lines().next(line_) || is_blank(line_)) {
      fail_at(lines().place(1), "is empty; the first line must hold a JSON object");
    }
    const std::vector<std::string> keys = json_keys(line_, lines().place());
    const ColumnChoice choice = choose_columns(keys, columns, lines().place());
    set_columns(keys, choice);
    keys_.push_back(keys[choice.text]);
    if (choice.pair) keys_.push_back(keys[*choice.pair]);
    if (choice.label) keys_.push_back(keys[*choice.label]);
    for (const std::size_t slice : choice.slices) keys_.push_back(keys[slice]);
  }

  bool next(Row& row) override {
    if (!first_ && !lines().next(line_)) return false;
    first_ = false;
    const Place here = lines().place();
    if (is_blank(line_)) {
      while (lines().next(line_)) {
        if (!is_blank(line_)) {
          fail_at(here, "is empty; rows must follow each other without a gap");
        }
      }
      return false;
    }
    auto values = json_values(line_, keys_, here);
    for (std::size_t index = 0; index < keys_.size(); ++index) {
      if (!values[index]) fail_at(here, "has no value for " + list_names({&keys_[index], 1}));
    }

    restart(row, here.line);
    if (columns().pair) row.pair = take_text(std::move(*values[1]), here);
    const std::size_t n_slices = columns().slices.size();
    JsonValue* label = columns().label ? &*values[keys_.size() - n_slices - 1] : nullptr;
    if (words_) {
      take_words(std::move(*values[0]), label, here, row);
    } else {
      row.text = take_text(std::move(*values[0]), here);
      if (label != nullptr) {
        row.label = take_cell(std::move(*label));
      }
    }
    for (std::size_t index = keys_.size() - n_slices; index < keys_.size(); ++index) {
      row.slices.push_back(take_cell(std::move(*values[index])));
    }
    return true;
  }

 private:
  static std::string take_text(JsonValue value, const Place& here) {
    if (value.kind != JsonValue::Kind::text) fail_at(here, "the text must be a JSON string");
    return std::move(value.text);
  }

  static std::string take_cell(JsonValue value) {
    return value.kind == JsonValue::Kind::list ? to_json_list(value.items) : std::move(value.text);
  }

  /// Words and tags may each be a list, or a string with blanks between.
  static void take_words(JsonValue words, const JsonValue* tags, const Place& here, Row& row) {
    const bool listed = words.kind == JsonValue::Kind::list;
    row.words = listed ? std::move(words.items) : split_blanks(words.text, here);
    row.text = listed ? join_words(row.words) : take_text(std::move(words), here);
    if (tags != nullptr) {
      row.tags = tags->kind == JsonValue::Kind::list ? tags->items : split_blanks(tags->text, here);
    }
    check_words(row, tags != nullptr, here);
  }

  bool words_;
  std::vector<std::string> keys_;  // text, then pair, label and slices as far as they are read
  std::string_view line_;
  bool first_ = true;  // line_ holds the first line, not handed out yet
};

}  // namespace

Guess guess_jsonl(std::string_view head) {
  const std::string_view first = without_cr(take_line(head));
  const std::size_t brace = first.find_first_not_of(" \t");
  if (brace == std::string_view::npos || first[brace] != '{') return Guess::possible;
  const std::size_t after = first.find_first_not_of(" \t", brace + 1);
  const bool object = after != std::string_view::npos && first[after] == '"';
  return object ? Guess::sure : Guess::possible;
}

std::unique_ptr<Reader> open_jsonl(std::unique_ptr<LineSource> lines, const Columns& columns) {
  return std::make_unique<JsonlReader>(std::move(lines), columns);
}

}  // namespace espalier::data
