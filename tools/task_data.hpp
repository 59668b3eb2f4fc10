// Labelled rows of a data request: what they mean to a task. Shared by the programs that train on
// them.
#pragma once

#include <string>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/objective/task.hpp"
#include "data_request.hpp"

namespace espalier::tools {

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
