// Labelled rows from the command line: which columns, which format, what they mean to a task.
// Shared by the programs that train on them.
#pragma once

#include <string>

#include "cli.hpp"
#include "compress/checkpoint/checkpoint.hpp"
#include "compress/objective/task.hpp"

namespace espalier::tools {

struct DataRequest {
  std::string train;
  std::string eval;
  std::string text_column;
  std::string pair_column;
  std::string label_column;
  bool no_header = false;
  std::string data_format = "auto";
};

template <typename Visitor>
void visit_data(DataRequest& request, Visitor&& visitor) {
  visitor({.name = "--train", .help = "labelled rows, .gz too", .value = "FILE", .required = true},
          request.train);
  visitor({.name = "--eval", .help = "rows to choose the best epoch by", .value = "FILE"},
          request.eval);
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

/// The rows of `file` as `kind` reads them. Throws Error(usage) when a task on pairs gets single
/// texts, and what read_labelled_rows() throws.
[[nodiscard]] objective::LabelledRows read_rows(const DataRequest& request,
                                                const objective::TaskKind& kind,
                                                const std::string& file, bool need_label);

/// Rows that need no labels: as above, or a text a line when the file is called .txt or .txt.gz.
[[nodiscard]] objective::LabelledRows read_unlabelled(const DataRequest& request,
                                                      const objective::TaskKind& kind,
                                                      const std::string& file);

/// The tokenizer of a checkpoint, as it was trained with. Throws Error(bad_input) when it knows
/// more pieces than the model embeds.
[[nodiscard]] text::TokenizerSpec tokenizer_of(const checkpoint::Checkpoint& checkpoint);

}  // namespace espalier::tools
