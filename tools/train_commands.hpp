// The verbs of espalier-train, one file each. A new verb is its file, its line here, its row in
// espalier_train.cpp and a row in the front door's table of programs.
#pragma once

#include "cli.hpp"

namespace espalier::tools {

[[nodiscard]] Command vocab_command();
[[nodiscard]] Command new_command();
[[nodiscard]] Command pretrain_command();
[[nodiscard]] Command finetune_command();

}  // namespace espalier::tools
