#include "report.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "json_text.hpp"
#include "output.hpp"

namespace espalier::tools {
void print_json(const nlohmann::ordered_json& object) {
  nlohmann::ordered_json report = {{"schema_version", kSchemaVersion}};
  report.update(object);
  write_out(report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

double shortest(float number) {
  char digits[32];
  const std::to_chars_result written = std::to_chars(digits, digits + sizeof digits, number);
  double value = 0;
  std::from_chars(digits, written.ptr, value);  // not finite: "inf" and "nan" read back too
  return value;
}

std::vector<double> shortest(std::span<const float> numbers) {
  std::vector<double> values;
  for (const float number : numbers) values.push_back(shortest(number));
  return values;
}

std::string key_value_text(const std::vector<std::pair<std::string, std::string>>& lines) {
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, line.first.size());
  std::string text;
  for (const auto& [key, value] : lines) {
    text += key + std::string(width - key.size() + 2, ' ') + value + "\n";
  }
  return text;
}

std::string megabytes(std::uint64_t bytes) {
  return fixed(static_cast<double>(bytes) / 1e6, 2) + " MB";
}

std::string hex(std::uint64_t number) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return digits;
}

std::string base_name(const std::string& path) {
  const std::filesystem::path whole = std::filesystem::path(path).lexically_normal();
  // A folder may come with a slash at its end.
  return valid_utf8((whole.has_filename() ? whole : whole.parent_path()).filename().string());
}

}  // namespace espalier::tools
