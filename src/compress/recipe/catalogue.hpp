// What a recipe may say: the commands that can be stages, with the very options that they have on
// the command line. Filled by whoever knows those commands; this room keeps no list of its own.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::recipe {

struct StageOption {
  std::string name;  ///< without dashes: "target-flops"; of a positional one "DIR"
  bool is_flag = false;
  bool is_repeatable = false;
  bool is_required = false;
  bool is_file = false;  ///< names a file or folder, which counts by its content
  /// Throws Error(usage) for values that the command would refuse. values: none for a flag.
  std::function<void(const std::vector<std::string>& values)> check;
};

struct StageKind {
  std::string verb;  ///< "prune"
  std::vector<StageOption> options;

  /// Null when there is none of that name.
  [[nodiscard]] const StageOption* find(std::string_view name) const {
    for (const StageOption& option : options) {
      if (option.name == name) return &option;
    }
    return nullptr;
  }
};

struct Catalogue {
  std::vector<StageKind> kinds;
  /// "; did you mean 'x'?", or nothing when no candidate is near.
  std::function<std::string(std::string_view word, std::span<const std::string_view> candidates)>
      suggest;

  [[nodiscard]] const StageKind* find(std::string_view verb) const {
    for (const StageKind& kind : kinds) {
      if (kind.verb == verb) return &kind;
    }
    return nullptr;
  }
};

}  // namespace espalier::recipe
