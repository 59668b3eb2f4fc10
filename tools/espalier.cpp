// The front door: finds the verb and runs it. Names no LibTorch; verbs that need it are handed to
// the programs beside this one.
#include <string>
#include <vector>

#include "base/cpu_info.hpp"
#include "commands.hpp"
#include "espalier/error.hpp"
#include "format/container.hpp"
#include "handoff.hpp"
#include "json_text.hpp"
#include "output.hpp"
#include "run_command.hpp"
#include "suggest.hpp"

namespace espalier::tools {
namespace {

Command run_verb() {
  return run_command("espalier run");
}

struct Verb {
  std::string_view name;
  Command (*make)();
  std::string_view alias = {};
};

constexpr Verb kVerbs[] = {
    {"convert", convert_command},
    {"quantize", quantize_command},
    {"compress", compress_command},
    {"sensitivity", sensitivity_command},
    {"run", run_verb},
    {"evaluate", evaluate_command, "eval"},
    {"bench", bench_command},
    {"compare", compare_command},
    {"profile", profile_command},
    {"tradeoff", tradeoff_command},
    {"report", report_command},
    {"inspect", inspect_command},
    {"verify", verify_command},
    {"export", export_command},
    {"tokenize", tokenize_command},
    {"sys", sys_command},
};

constexpr Handoff kHandoffs[] = {
    {"vocab", "espalier-train"},
    {"new", "espalier-train"},
    {"pretrain", "espalier-train"},
    {"finetune", "espalier-train"},
    {"distill", "espalier-distill"},
    {"prune", "espalier-prune"},
    {"quantize", "espalier-quantize", "--qat", "quantize --qat"},
    {"quantize", "espalier-quantize", "--calib"},
};

const Verb* find_verb(std::string_view name) {
  for (const Verb& verb : kVerbs) {
    if (verb.name == name || (!verb.alias.empty() && verb.alias == name)) return &verb;
  }
  return nullptr;
}

[[noreturn]] void fail_unknown(std::string_view name) {
  std::vector<std::string_view> names = {"help"};
  for (const Verb& verb : kVerbs) names.push_back(verb.name);
  for (const Handoff& handoff : kHandoffs) {
    if (handoff.option.empty()) names.push_back(handoff.verb);
  }
  throw Error(ErrorCode::usage,
              "unknown command '" + one_line(name, 80) + "'" + did_you_mean(name, names));
}

std::string overview() {
  std::string text =
      "makes trained BERT models small and fast, and runs them\n\nusage: espalier COMMAND ...\n\n"
      "  espalier quantize ./my-model -o my-model.espl\n"
      "  espalier run my-model.espl --text 'a charming journey'\n\n";
  for (const Verb& verb : kVerbs) {
    std::string name(verb.name);
    if (!verb.alias.empty()) name += ", " + std::string(verb.alias);
    name.resize(16, ' ');
    text += "  " + name + std::string(verb.make().text.summary) + "\n";
  }
  for (const Handoff& handoff : kHandoffs) {
    text += (&handoff == kHandoffs ? "  " : ", ") + std::string(handoff.verb);
    if (!handoff.option.empty()) text += " " + std::string(handoff.option);
  }
  return text +
         "\n                  need LibTorch: programs of the release build\n"
         "  help COMMAND    its options (the same as COMMAND --help); help --markdown: all of "
         "them\n"
         "\nexit codes: 0 done, 1 failed, 2 usage, 3 bad input file, 4 output could not be "
         "written,\n"
         "  5 accuracy budget missed, 6 device or feature not available, 7 verification failed,\n"
         "  8 out of memory or over a limit, 130 interrupted, 143 terminated\n";
}

void print_markdown() {
  for (const Verb& verb : kVerbs) {
    const Command command = verb.make();
    write_out("### `espalier " + std::string(verb.name) + "`\n\n" +
              std::string(command.text.summary) + "\n\n" + markdown_table(command) + "\n");
  }
}

void print_help(std::span<const std::string> arguments) {
  if (arguments.empty()) {
    write_out(overview());
  } else if (arguments[0] == "--markdown") {
    print_markdown();
  } else if (arguments[0] == "--completion-table") {
    for (const Verb& verb : kVerbs) write_out(completion_table(verb.make()));
  } else if (const Verb* verb = find_verb(arguments[0])) {
    write_out(help_text(verb->make(), "espalier " + std::string(verb->name)));
  } else {
    fail_unknown(arguments[0]);
  }
}

void print_version() {
  write_out(version_line("espalier") + "\ninstruction set " + std::string(isa_name(usable_isa())) +
            ", file format version " + std::to_string(format::kFormatVersion) + "\n");
}

void run_front_door(std::span<const std::string> arguments) {
  if (arguments.empty()) throw Error(ErrorCode::usage, "no command given");
  const std::string& name = arguments[0];
  const std::span<const std::string> rest = arguments.subspan(1);
  if (name == "--version") return print_version();
  if (name == "--help" || name == "-h" || name == "help") return print_help(rest);
  for (const Handoff& handoff : kHandoffs) {
    if (is_for(handoff, name, rest)) hand_off(handoff, rest);
  }
  const Verb* verb = find_verb(name);
  if (verb == nullptr) fail_unknown(name);
  const Command command = verb->make();
  if (parse(command, "espalier " + std::string(verb->name), rest)) command.run();
}

}  // namespace
}  // namespace espalier::tools

int main(int argc, char** argv) {
  using namespace espalier::tools;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  // Errors name the verb, so that "see espalier run --help" is the help that helps.
  const Verb* verb = arguments.empty() ? nullptr : find_verb(arguments[0]);
  const std::string program = "espalier" + (verb ? " " + std::string(verb->name) : std::string());
  return guarded(program, [&] { run_front_door(arguments); });
}
