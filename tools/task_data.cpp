#include "task_data.hpp"

#include <algorithm>

#include "data/lines.hpp"
#include "espalier/error.hpp"
#include "report.hpp"
#include "text/utf8.hpp"

namespace espalier::tools {

objective::LabelledRows read_rows(const DataRequest& request, const objective::TaskKind& kind,
                                  const std::string& file, bool need_label) {
  data::Columns columns;
  columns.text = request.text_column;
  columns.pair = request.pair_column;
  columns.label = request.label_column;
  columns.header = !request.no_header;
  columns.words = kind.name == "tag";
  columns.need_label = need_label;
  objective::LabelledRows rows =
      objective::read_labelled_rows(file, data::format_from_name(request.data_format), columns);
  // They become names in config.json, which is UTF-8.
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    const std::vector<std::string>& tags = rows.rows[row].tags;
    if (text::is_valid_utf8(rows.rows[row].label) &&
        std::all_of(tags.begin(), tags.end(), text::is_valid_utf8)) {
      continue;
    }
    data::fail_at(rows.place(row),
                  "the label is not UTF-8; convert the file (iconv -f ... -t UTF-8)");
  }
  if (kind.needs_pair && !rows.rows.front().pair) {
    throw Error(ErrorCode::usage, "task " + std::string(kind.name) +
                                      " reads two texts a row, and '" + rows.file +
                                      "' has one; name the second with --pair-column");
  }
  return rows;
}

objective::LabelledRows read_unlabelled(const DataRequest& request, const objective::TaskKind& kind,
                                        const std::string& file) {
  if (!file.ends_with(".txt") && !file.ends_with(".txt.gz")) {
    return read_rows(request, kind, file, /*need_label=*/false);
  }
  objective::LabelledRows rows{.file = base_name(file), .rows = {}};
  data::LineSource lines(file);
  for (std::string_view line; lines.next(line);) {
    if (data::is_blank(line)) continue;
    if (!text::is_valid_utf8(line)) {
      data::fail_at(lines.place(),
                    "the text is not UTF-8; convert the file (iconv -f ... -t UTF-8)");
    }
    data::Row& row = rows.rows.emplace_back();
    row.line = lines.place().line;
    row.text = data::without_cr(line);
  }
  if (rows.rows.empty()) data::fail_at({rows.file, 0}, "there is no text in it");
  return rows;
}

text::TokenizerSpec tokenizer_of(const checkpoint::Checkpoint& checkpoint) {
  text::TokenizerSpec spec = text::load_tokenizer_spec(checkpoint.model_folder());
  if (checkpoint.embedding() && checkpoint.embedding()->lower_case) spec.lowercase = true;
  if (spec.pieces.size() > checkpoint.config().vocab) {
    throw Error(ErrorCode::bad_input, "the tokenizer has " + std::to_string(spec.pieces.size()) +
                                          " pieces, the model embeds " +
                                          std::to_string(checkpoint.config().vocab) +
                                          "; is vocab.txt from another model?");
  }
  return spec;
}

}  // namespace espalier::tools
