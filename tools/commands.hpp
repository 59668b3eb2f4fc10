// The verbs of `espalier`, one file each. A new verb is its file, its line here and its row in
// espalier.cpp.
#pragma once

#include "cli.hpp"

namespace espalier::tools {

[[nodiscard]] Command convert_command();
[[nodiscard]] Command quantize_command();
[[nodiscard]] Command compress_command();
[[nodiscard]] Command sensitivity_command();
[[nodiscard]] Command evaluate_command();
[[nodiscard]] Command bench_command();
[[nodiscard]] Command compare_command();
[[nodiscard]] Command profile_command();
[[nodiscard]] Command report_command();
[[nodiscard]] Command tradeoff_command();
[[nodiscard]] Command export_command();
[[nodiscard]] Command inspect_command();
[[nodiscard]] Command verify_command();
[[nodiscard]] Command tokenize_command();
[[nodiscard]] Command sys_command();

}  // namespace espalier::tools
