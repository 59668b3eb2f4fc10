// The command line of the programs. Each verb states its options once, as a struct of defaults with
// a visit(options, visitor) beside it; parsing, --help and the tables of the README follow from
// that.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace espalier::tools {

/// What visit() says about one option.
struct OptionText {
  std::string_view name;          ///< "-o,--output"; without dashes, "MODEL", it is positional
  std::string_view help;          ///< lower case, no full stop
  std::string_view value = {};    ///< stands for the value in --help: "FILE"
  std::string_view choices = {};  ///< "fp32|int8": nothing else is accepted
  double min = 0;                 ///< of a number, itself allowed
  double max = std::numeric_limits<std::uint32_t>::max();
  bool required = false;
  bool common = false;  ///< the same in several verbs: the README lists it once for all of them
};

/// A field to fill: a flag, a text, a text that may be absent, texts of an option that may be
/// repeated, a number, or a number that may be absent.
using OptionField =
    std::variant<bool*, std::string*, std::optional<std::string>*, std::vector<std::string>*,
                 std::uint32_t*, double*, std::optional<double>*>;

struct BoundOption {
  OptionText text;
  OptionField field;
};

/// Options that most verbs have, for use in their visit(). threads: 0 when it is not given.
template <typename Visitor>
void visit_threads(std::uint32_t& threads, Visitor&& visitor) {
  visitor(OptionText{.name = "-t,--threads",
                     .help = "threads; without it one for each processor",
                     .min = 1,
                     .max = 1024},
          threads);
}
template <typename Visitor>
void visit_quiet(bool& quiet, Visitor&& visitor) {
  visitor(OptionText{.name = "-q,--quiet", .help = "no notes on standard error"}, quiet);
}

struct CommandText {
  std::string_view name;          ///< "run"
  std::string_view summary;       ///< one line, lower case
  std::string_view examples;      ///< lines shown first by --help, each without its indent
  std::string_view details = {};  ///< what has to be known besides the options
};

/// A verb, or a whole program that has none.
struct Command {
  CommandText text;
  std::vector<BoundOption> options;
  std::function<void()> run;  ///< after parsing; throws Error when it fails
};

/// The options of a struct with its fields: visit(options, visitor) calls visitor(OptionText,
/// field) for each.
template <typename Options>
std::vector<BoundOption> bound_options(Options& options) {
  std::vector<BoundOption> bound;
  visit(options, [&bound](const OptionText& option, auto& field) {
    bound.push_back({option, &field});
  });
  return bound;
}

template <typename Options>
Command make_command(const CommandText& text, void (*run)(const Options&)) {
  auto options = std::make_shared<Options>();
  return {text, bound_options(*options), [options, run] { run(*options); }};
}

/// Fills the command's fields from `arguments`. Returns false when --help was asked for and
/// printed. program: as the user calls it, "espalier run". Throws Error(usage) with a suggestion.
[[nodiscard]] bool parse(const Command& command, const std::string& program,
                         std::span<const std::string> arguments);

/// Fills one field with the values `given`, as parse() does: none for a flag. Throws Error(usage)
/// for what is no choice or out of range.
void set_option(const BoundOption& option, const std::vector<std::string>& given);

/// The text of --help: examples, then options, on one screen.
[[nodiscard]] std::string help_text(const Command& command, const std::string& program);

/// The parts of `text` between separators; of an empty text one empty part.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

/// A number as options show it: whole ones without an exponent, others with the digits they need.
[[nodiscard]] std::string shortest_text(double number);

/// The command's own options, or those it has in common with others, as a Markdown table.
[[nodiscard]] std::string markdown_table(const Command& command, bool common = false);

/// What shell completion needs: for the command and each of its options a line of verb, names,
/// value and help, with tabs between and "-" for none. Holds no quotes.
[[nodiscard]] std::string completion_table(const Command& command);

/// Runs `body` and turns what it throws into one line on standard error and an exit code.
[[nodiscard]] int guarded(const std::string& program, const std::function<void()>& body);

/// "espalier 0.1.0", compiler and language: the first line of --version.
[[nodiscard]] std::string version_line(std::string_view program);
[[nodiscard]] std::string_view version() noexcept;
[[nodiscard]] std::string_view compiler() noexcept;

}  // namespace espalier::tools
