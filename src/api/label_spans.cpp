// A chunk ends where the next begins or where the outside does, so only beginnings need rules.
#include "api/label_spans.hpp"

namespace espalier::api {

LabelScheme::LabelScheme(const std::vector<std::string>& labels) {
  bool has_outside = false;
  for (const std::string& label : labels) {
    Tag tag;
    if (label == "O") {
      if (!has_outside) outside_ = static_cast<std::uint32_t>(tags_.size());
      has_outside = true;
    } else if (label.size() > 2 && label[1] == '-' &&
               std::string_view("BIES").find(label[0]) != std::string_view::npos) {
      tag = {label[0], label.substr(2)};
    } else {
      tag = {'I', label};
    }
    tags_.push_back(std::move(tag));
  }
}

bool LabelScheme::starts(const Tag& previous, const Tag& tag) noexcept {
  if (tag.position == 'O') return false;
  if (tag.position == 'B' || tag.position == 'S') return true;
  return previous.position == 'O' || previous.position == 'E' || previous.position == 'S' ||
         previous.type != tag.type;
}

std::vector<LabelSpan> LabelScheme::join(std::span<const std::uint32_t> word_labels) const {
  std::vector<LabelSpan> spans;
  const Tag outside;
  const Tag* previous = &outside;
  for (std::size_t word = 0; word < word_labels.size(); ++word) {
    const Tag& tag = tags_[word_labels[word]];
    if (starts(*previous, tag)) {
      spans.push_back({word, word + 1, tag.type});
    } else if (tag.position != 'O') {
      spans.back().end = word + 1;
    }
    previous = &tag;
  }
  return spans;
}

}  // namespace espalier::api
