#include "cli.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <new>

#include "espalier/error.hpp"
#include "interrupt.hpp"
#include "json_text.hpp"
#include "output.hpp"
#include "suggest.hpp"

namespace espalier::tools {
namespace {

bool is_positional(const OptionText& text) {
  return !text.name.starts_with('-');
}

std::string in_quotes(std::string_view text) {
  return "'" + one_line(text, 80) + "'";
}

[[noreturn]] void fail_usage(const std::string& message) {
  throw Error(ErrorCode::usage, message);
}

// "-o,--output" as an error calls it: "--output".
std::string_view long_name(const OptionText& text) {
  return text.name.substr(text.name.rfind(',') + 1);
}

void set_choice(const OptionText& text, const std::string& given) {
  const std::vector<std::string_view> choices = split(text.choices, '|');
  if (std::find(choices.begin(), choices.end(), given) != choices.end()) return;
  std::string list(choices[0]);
  for (std::size_t choice = 1; choice < choices.size(); ++choice) {
    list += (choice + 1 == choices.size() ? " or " : ", ") + std::string(choices[choice]);
  }
  fail_usage(std::string(long_name(text)) + " takes " + list + ", not " + in_quotes(given) +
             did_you_mean(given, choices));
}

// One number and nothing else, in the option's range; `kind` is how an error calls it.
template <typename Number>
Number number_in_range(const OptionText& text, const std::string& given, std::string_view kind) {
  Number number = 0;
  const char* end = given.data() + given.size();
  const std::from_chars_result result = std::from_chars(given.data(), end, number);
  const auto value = static_cast<double>(number);
  if (result.ec == std::errc() && result.ptr == end && value >= text.min && value <= text.max) {
    return number;
  }
  const bool bounded = text.max != std::numeric_limits<std::uint32_t>::max();
  fail_usage(std::string(long_name(text)) + " takes " + std::string(kind) + " " +
             (bounded ? "from " + shortest_text(text.min) + " to " + shortest_text(text.max)
                      : "of at least " + shortest_text(text.min)) +
             ", not " + in_quotes(given));
}

struct SetField {
  const OptionText& text;
  const std::vector<std::string>& given;

  void operator()(bool* field) const { *field = true; }
  void operator()(std::string* field) const {
    if (!text.choices.empty()) set_choice(text, given[0]);
    *field = given[0];
  }
  void operator()(std::optional<std::string>* field) const { *field = given[0]; }
  void operator()(std::vector<std::string>* field) const { *field = given; }
  void operator()(std::uint32_t* field) const {
    *field = static_cast<std::uint32_t>(
        number_in_range<std::uint64_t>(text, given[0], "a whole number"));
  }
  void operator()(double* field) const {
    *field = number_in_range<double>(text, given[0], "a number");
  }
  void operator()(std::optional<double>* field) const {
    *field = number_in_range<double>(text, given[0], "a number");
  }
};

void add_option(CLI::App& app, const BoundOption& option) {
  const auto set = [&option](const std::vector<std::string>& given) {
    set_option(option, given);
    return true;
  };
  const std::string name(option.text.name);
  if (std::holds_alternative<bool*>(option.field)) {
    app.add_flag_callback(name, [set] { set({}); });
    return;
  }
  CLI::Option* added = app.add_option(name, set);
  // One value each time the option is named; "[a,b]" stays the text it is.
  added->type_size(1)->expected(1)->allow_extra_args(false)->required(option.text.required);
  if (std::holds_alternative<std::vector<std::string>*>(option.field)) {
    added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    added->expected(is_positional(option.text) ? -1 : 1);
  }
}

bool takes_value(const Command& command, std::string_view name) {
  for (const BoundOption& option : command.options) {
    if (std::holds_alternative<bool*>(option.field) || is_positional(option.text)) continue;
    for (const std::string_view known : split(option.text.name, ',')) {
      if (known == name) return true;
    }
  }
  return false;
}

// "--text=T" as "--text" "T": CLI11 reads "--text=" as an option without its value.
std::vector<std::string> without_equals(const Command& command,
                                        std::span<const std::string> arguments) {
  std::vector<std::string> plain;
  bool is_value = false;
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    if (!is_value && argument.starts_with("--") && equals != std::string::npos &&
        takes_value(command, argument.substr(0, equals))) {
      plain.push_back(argument.substr(0, equals));
      plain.push_back(argument.substr(equals + 1));
      continue;
    }
    is_value = !is_value && takes_value(command, argument);
    plain.push_back(argument);
  }
  return plain;
}

// CLI11's "--top: At Most 1 required but received 2" in plain words.
std::string mismatch(std::string_view message) {
  const std::string name(message.substr(0, message.find(':')));
  const bool repeated = message.find("At Most") != std::string_view::npos;
  return name + (repeated ? " was given more than once" : " needs a value");
}

[[noreturn]] void fail_unknown(const Command& command, const std::vector<std::string>& extra) {
  std::vector<std::string_view> names = {"--help"};
  for (const BoundOption& option : command.options) {
    if (is_positional(option.text)) continue;
    for (const std::string_view name : split(option.text.name, ',')) names.push_back(name);
  }
  const auto dashed = std::find_if(extra.begin(), extra.end(), [](const std::string& argument) {
    return argument.starts_with('-') && argument.size() > 1;
  });
  if (dashed == extra.end()) fail_usage("one argument too many: " + in_quotes(extra.front()));
  const std::string name = dashed->substr(0, dashed->find('='));
  fail_usage("unknown option " + in_quotes(name) + did_you_mean(name, names));
}

// The value of an option as --help names it, "FILE"; empty for a flag.
std::string value_name(const BoundOption& option) {
  if (std::holds_alternative<bool*>(option.field)) return {};
  if (!option.text.choices.empty()) return std::string(option.text.choices);
  return std::string(option.text.value.empty() ? "N" : option.text.value);
}

std::string default_value(const BoundOption& option) {
  if (const auto* field = std::get_if<std::string*>(&option.field)) return **field;
  if (const auto* field = std::get_if<std::uint32_t*>(&option.field)) {
    return **field == 0 ? std::string() : std::to_string(**field);  // 0 is explained by the help
  }
  if (const auto* field = std::get_if<double*>(&option.field)) {
    return **field == 0 ? std::string() : shortest_text(**field);
  }
  return {};
}

std::string usage_line(const Command& command, const std::string& program) {
  std::string line = program;
  std::string required;
  for (const BoundOption& option : command.options) {
    const std::string name(long_name(option.text));
    if (is_positional(option.text)) {
      const bool many = std::holds_alternative<std::vector<std::string>*>(option.field);
      line += " " + name + (many ? "..." : "");
    } else if (option.text.required) {
      required += " " + name + " " + value_name(option);
    }
  }
  return line + required + " [options]";
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end = 0; end != std::string_view::npos; text.remove_prefix(end + 1)) {
    end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
  }
  return parts;
}

void set_option(const BoundOption& option, const std::vector<std::string>& given) {
  std::visit(SetField{option.text, given}, option.field);
}

std::string shortest_text(double number) {
  char digits[32];
  const bool whole = std::floor(number) == number && std::abs(number) < 1e15;
  const std::to_chars_result result =
      whole ? std::to_chars(std::begin(digits), std::end(digits), static_cast<long long>(number))
            : std::to_chars(std::begin(digits), std::end(digits), number);
  return {digits, result.ptr};
}

bool parse(const Command& command, const std::string& program,
           std::span<const std::string> arguments) {
  CLI::App app;
  app.set_help_flag("-h,--help");
  for (const BoundOption& option : command.options) add_option(app, option);
  try {
    std::vector<std::string> plain = without_equals(command, arguments);
    std::reverse(plain.begin(), plain.end());  // CLI11 takes its arguments from the back
    app.parse(std::move(plain));
    return true;
  } catch (const CLI::CallForHelp&) {
    write_out(help_text(command, program));
    return false;
  } catch (const CLI::ExtrasError&) {
    fail_unknown(command, app.remaining());
  } catch (const CLI::ArgumentMismatch& error) {
    fail_usage(mismatch(error.what()));
  } catch (const CLI::ParseError& error) {
    // A missing argument is the consequence when another one was mistyped.
    const std::vector<std::string> extra = app.remaining();
    if (!extra.empty()) fail_unknown(command, extra);
    fail_usage(std::string(error.what()) + "; usage: " + usage_line(command, program));
  }
}

std::string help_text(const Command& command, const std::string& program) {
  std::string help =
      std::string(command.text.summary) + "\n\nusage: " + usage_line(command, program) + "\n\n";
  for (const std::string_view example : split(command.text.examples, '\n')) {
    help += "  " + std::string(example) + "\n";
  }
  help += "\n";
  constexpr std::size_t kWidest = 50;  // a longer name has a line to itself
  std::size_t width = 10;
  std::vector<std::string> left;
  for (const BoundOption& option : command.options) {
    const std::string value = is_positional(option.text) ? std::string() : value_name(option);
    std::string name(option.text.name);
    if (const std::size_t comma = name.find(','); comma != std::string::npos) {
      name.insert(comma + 1, " ");
    }
    left.push_back(name + (value.empty() ? "" : " " + value));
    if (left.back().size() <= kWidest) width = std::max(width, left.back().size());
  }
  left.push_back("-h, --help");
  for (std::size_t row = 0; row < left.size(); ++row) {
    const bool is_help = row == command.options.size();
    const std::string fallback = is_help ? std::string() : default_value(command.options[row]);
    if (left[row].size() > width) {
      help += "  " + left[row] + "\n";
      left[row].clear();
    }
    help += "  " + left[row] + std::string(width - left[row].size() + 2, ' ') +
            (is_help ? "this text" : std::string(command.options[row].text.help)) +
            (fallback.empty() ? "" : " [" + fallback + "]") + "\n";
  }
  if (!command.text.details.empty()) help += "\n" + std::string(command.text.details) + "\n";
  return help;
}

std::string markdown_table(const Command& command, bool common) {
  const auto cell = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
      text.insert(at, "\\");
    }
    return text;
  };
  std::string table = "| option | value | default | meaning |\n|---|---|---|---|\n";
  for (const BoundOption& option : command.options) {
    if (option.text.common != common) continue;
    const std::string fallback = default_value(option);
    table += "| `" + std::string(option.text.name) + "` | " +
             cell(is_positional(option.text) ? std::string() : value_name(option)) + " | " +
             cell(option.text.required ? "required" : fallback) + " | " +
             cell(std::string(option.text.help)) + " |\n";
  }
  return table;
}

std::string completion_table(const Command& command) {
  // "quantize --qat" is called, and completed, as quantize.
  const std::string_view verb = command.text.name.substr(0, command.text.name.find(' '));
  const auto line = [verb](std::string_view names, std::string_view value, std::string_view help) {
    std::string text(verb);
    for (const std::string_view field : {names, value, help}) {
      text += '\t' + (field.empty() ? std::string("-") : std::string(field));
    }
    for (char& letter : text) letter = letter == '\'' || letter == '"' ? ' ' : letter;
    return text + '\n';
  };
  std::string table = line("", "", command.text.summary);
  for (const BoundOption& option : command.options) {
    if (is_positional(option.text)) continue;
    table += line(option.text.name, value_name(option), option.text.help);
  }
  return table;
}

int guarded(const std::string& program, const std::function<void()>& body) {
  const auto fail = [&](ErrorCode code, const std::string& message) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), message.c_str());
    return static_cast<int>(code);
  };
  try {
    catch_signals();
    body();
    flush_out();
    return 0;
  } catch (const ReaderGone&) {
    return 0;
  } catch (const Error& error) {
    const bool usage = error.code() == ErrorCode::usage;
    return fail(error.code(), error.what() + (usage ? " (see " + program + " --help)" : ""));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::resource, "out of memory; give it more, or a smaller model or batch");
  } catch (const std::exception& error) {
    return fail(ErrorCode::failed, error.what());
  }
}

std::string_view version() noexcept {
  return ESPALIER_VERSION;
}

std::string_view compiler() noexcept {
  return ESPALIER_COMPILER;
}

std::string version_line(std::string_view program) {
  return std::string(program) + " " + std::string(version()) + " (" + std::string(compiler()) + ")";
}

}  // namespace espalier::tools
