#include "task_data.hpp"

#include "data/lines.hpp"
#include "espalier/error.hpp"
#include "report.hpp"

namespace espalier::tools {

objective::LabelledRows read_rows(const DataRequest& request, const objective::TaskKind& kind,
                                  const std::string& file, bool need_label) {
  objective::LabelledRows rows = objective::read_labelled_rows(
      file, request.columns.format(), request.columns.columns(kind.name == "tag", need_label));
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
    objective::check_utf8(line, "text", lines.place());
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
