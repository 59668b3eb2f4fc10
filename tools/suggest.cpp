#include "suggest.hpp"

#include <algorithm>
#include <vector>

namespace espalier::tools {
namespace {

constexpr std::size_t kLongestWord = 64;

// Levenshtein distance, with a swap of neighbours as one step (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.size() == 2 && word[0] == '-') return {};  // any letter is one step from any other
  word = word.substr(0, kLongestWord);
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    std::size_t steps = distance(word, candidate.substr(0, kLongestWord));
    // A beginning is as good as one wrong letter: --max for --max-length.
    if (word.size() > 2 && candidate.substr(0, word.size()) == word) {
      steps = std::min<std::size_t>(steps, 1);
    }
    // Words without a letter in common are no suggestion.
    if (steps < best_distance && steps < std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = steps;
    }
  }
  return best.empty() ? std::string() : "; did you mean '" + std::string(best) + "'?";
}

}  // namespace espalier::tools
