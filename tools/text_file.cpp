#include "text_file.hpp"

#include <optional>

#include "input_lines.hpp"
#include "report.hpp"

namespace espalier::tools {

std::vector<std::string> read_texts(const std::string& path, std::size_t most) {
  InputLines lines(path);
  std::vector<std::string> texts;
  std::string line;
  while (texts.size() < most && lines.next(line)) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) texts.push_back(line);
  }
  if (texts.empty()) {
    throw Error(ErrorCode::bad_input,
                "'" + base_name(path) + "' has no text; give a file with one text a line");
  }
  return texts;
}

std::vector<Text> texts_of(std::span<const std::string> texts) {
  std::vector<Text> views;
  views.reserve(texts.size());
  for (const std::string& text : texts) views.push_back({.first = text, .second = std::nullopt});
  return views;
}

}  // namespace espalier::tools
