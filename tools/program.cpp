#include "program.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "compress/train/device.hpp"
#include "espalier/error.hpp"
#include "json_text.hpp"
#include "output.hpp"
#include "suggest.hpp"

namespace espalier::tools {
namespace {

using Verbs = std::span<Command (*const)()>;

std::string overview(std::string_view program, std::string_view summary, Verbs verbs) {
  std::string text = std::string(summary) + "\n\nusage: " + std::string(program) +
                     " COMMAND ... (or: espalier COMMAND ...)\n\n";
  std::size_t width = 12;
  for (Command (*const make)() : verbs) width = std::max(width, make().text.name.size() + 2);
  for (Command (*const make)() : verbs) {
    const Command command = make();
    std::string name(command.text.name);
    name.resize(width, ' ');
    text += "  " + name + std::string(command.text.summary) + "\n";
  }
  return text;
}

[[noreturn]] void fail_unknown(const std::string& name, Verbs verbs) {
  std::vector<std::string> names;
  for (Command (*const make)() : verbs) names.emplace_back(make().text.name);
  const std::vector<std::string_view> views(names.begin(), names.end());
  throw Error(ErrorCode::usage,
              "unknown command '" + one_line(name, 80) + "'" + did_you_mean(name, views));
}

void print_markdown(Verbs verbs) {
  std::string common;
  for (Command (*const make)() : verbs) {
    const Command command = make();
    write_out("### `espalier " + std::string(command.text.name) + "`\n\n" +
              std::string(command.text.summary) + "\n\n" + markdown_table(command) + "\n");
    const bool has_common =
        std::any_of(command.options.begin(), command.options.end(),
                    [](const BoundOption& option) { return option.text.common; });
    if (has_common) common = markdown_table(command, /*common=*/true);
  }
  if (common.empty()) return;
  write_out("### `espalier training`\n\noptions of all verbs that train\n\n" + common);
}

}  // namespace

int run_program(std::string_view program, std::string_view summary, Verbs verbs, int argc,
                char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string first = arguments.empty() ? "" : arguments[0];
  std::string name(program);
  for (Command (*const make)() : verbs) {
    if (make().text.name == first) name = "espalier " + first;
  }
  return guarded(name, [&] {
    if (first == "--version") {
      return write_out(version_line(program) + "\nLibTorch " +
                       std::string(train::libtorch_version()) + "\n");
    }
    if (first == "help" && arguments.size() > 1 && arguments[1] == "--markdown") {
      return print_markdown(verbs);
    }
    if (first == "help" && arguments.size() > 1 && arguments[1] == "--completion-table") {
      for (Command (*const make)() : verbs) write_out(completion_table(make()));
      return;
    }
    if (first.empty() || first == "help" || first == "--help" || first == "-h") {
      return write_out(overview(program, summary, verbs));
    }
    for (Command (*const make)() : verbs) {
      const Command command = make();
      if (command.text.name != first) continue;
      if (parse(command, name, std::span(arguments).subspan(1))) command.run();
      return;
    }
    fail_unknown(first, verbs);
  });
}

}  // namespace espalier::tools
