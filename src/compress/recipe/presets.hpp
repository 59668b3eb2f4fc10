// The recipes that come with the program, in the same YAML that users write.
#pragma once

#include <span>
#include <string_view>

namespace espalier::recipe {

struct Preset {
  std::string_view name;
  std::string_view text;
};

/// Lightest cut first: light, balanced, small, tiny.
[[nodiscard]] std::span<const Preset> presets();

/// Throws Error(usage), listing the names, when there is none of that name.
[[nodiscard]] const Preset& preset(std::string_view name);

}  // namespace espalier::recipe
