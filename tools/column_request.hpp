// Which columns of a data file are meant, and its format: the options of every verb that reads
// labelled rows.
#pragma once

#include <string>
#include <vector>

#include "cli.hpp"
#include "data/reader.hpp"

namespace espalier::tools {

struct ColumnRequest {
  std::string text_column;
  std::string pair_column;
  std::string label_column;
  std::vector<std::string> slice_columns;
  bool no_header = false;
  std::string data_format = "auto";

  [[nodiscard]] data::Columns columns(bool words, bool need_label) const {
    return {.text = text_column,
            .pair = pair_column,
            .label = label_column,
            .slices = slice_columns,
            .header = !no_header,
            .need_label = need_label,
            .words = words};
  }
  [[nodiscard]] data::Format format() const { return data::format_from_name(data_format); }
};

template <typename Visitor>
void visit_columns(ColumnRequest& request, Visitor&& visitor) {
  visitor({.name = "--text-column", .help = "else text, sentence, text_a or review", .value = "C"},
          request.text_column);
  visitor({.name = "--pair-column", .help = "second text; else text_b beside text_a", .value = "C"},
          request.pair_column);
  visitor({.name = "--label-column",
           .help = "else label, labels or score; CoNLL: the last",
           .value = "C"},
          request.label_column);
  visitor({.name = "--no-header", .help = "line 1 is a row; columns are 1, 2, 3 ..."},
          request.no_header);
  visitor({.name = "--data-format",
           .help = "else guessed from the content",
           .choices = "auto|tsv|csv|jsonl|conll"},
          request.data_format);
}

/// Only verbs that score rows by slices have it.
template <typename Visitor>
void visit_slices(ColumnRequest& request, Visitor&& visitor) {
  visitor({.name = "--slice-column",
           .help = "scores for each value of this column too; repeat for more",
           .value = "C"},
          request.slice_columns);
}

}  // namespace espalier::tools
