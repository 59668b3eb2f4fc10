// Joins the labels of words to spans as conlleval counts chunks, so that IOB1, IOB2 and IOBES
// labels all give the spans their authors meant (Tjong Kim Sang & Buchholz 2000).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::api {

/// Words [begin, end) that one entity covers.
struct LabelSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view type;  // views the scheme's label
};

/// A model's label set, taken apart once.
class LabelScheme {
 public:
  /// "O" is outside; "B-X", "I-X", "E-X", "S-X" are chunk tags of type X; any other label is read
  /// as "I-" and that label.
  explicit LabelScheme(const std::vector<std::string>& labels);

  /// Index of "O", which words without pieces get; 0 where no label says so.
  [[nodiscard]] std::uint32_t outside() const noexcept { return outside_; }

  /// The entities of a sentence. word_labels: (words), each below the number of labels.
  [[nodiscard]] std::vector<LabelSpan> join(std::span<const std::uint32_t> word_labels) const;

 private:
  struct Tag {
    char position = 'O';  // O, B, I, E or S
    std::string type;
  };
  [[nodiscard]] static bool starts(const Tag& previous, const Tag& tag) noexcept;

  std::vector<Tag> tags_;  // (labels)
  std::uint32_t outside_ = 0;
};

}  // namespace espalier::api
