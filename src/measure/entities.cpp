#include "measure/entities.hpp"

#include "base/printable.hpp"
#include "measure/check.hpp"

namespace espalier::measure {
namespace {

struct Tag {
  char letter = 'O';
  std::string_view type = {};
};

Tag parse_tag(std::string_view text) {
  if (!is_entity_tag(text)) {
    throw Error(ErrorCode::bad_input, "tag " + printable(text, 40) +
                                          " is neither O nor B-, I-, E-, S-, L- or U- and a "
                                          "type; entities cannot be counted");
  }
  Tag tag{text[0], text.substr(text.size() == 1 ? 1 : 2)};
  // BILOU is BIOES under other letters.
  if (tag.letter == 'L') tag.letter = 'E';
  if (tag.letter == 'U') tag.letter = 'S';
  return tag;
}

/// Whether an entity that holds the word tagged `previous` goes on with the word tagged `tag`.
bool goes_on(const Tag& previous, const Tag& tag) {
  const bool stays_open = previous.letter == 'B' || previous.letter == 'I';
  const bool continues = tag.letter == 'I' || tag.letter == 'E';
  return stays_open && continues && previous.type == tag.type;
}

}  // namespace

bool is_entity_tag(std::string_view tag) {
  constexpr std::string_view kLetters = "BIESLU";
  if (tag == "O") return true;
  if (tag.empty() || kLetters.find(tag[0]) == std::string_view::npos) return false;
  return tag.size() == 1 || tag[1] == '-';
}

std::vector<Entity> entities_from_tags(std::span<const std::string_view> tags) {
  std::vector<Entity> entities;
  Tag previous;
  for (std::size_t word = 0; word < tags.size(); ++word) {
    const Tag tag = parse_tag(tags[word]);
    if (goes_on(previous, tag)) {
      entities.back().end = word + 1;
    } else if (tag.letter != 'O') {
      entities.push_back({word, word + 1, std::string(tag.type)});
    }
    previous = tag;
  }
  return entities;
}

double EntityCounts::precision() const {
  return percent(correct, predicted);
}
double EntityCounts::recall() const {
  return percent(correct, gold);
}
double EntityCounts::f1() const {
  return percent(2 * correct, gold + predicted);
}

void EntityScorer::add(std::span<const std::string_view> predicted,
                       std::span<const std::string_view> gold) {
  check_pairs(predicted.size(), gold.size(), "predicted tags", "tags");
  const std::vector<Entity> found = entities_from_tags(predicted);
  const std::vector<Entity> wanted = entities_from_tags(gold);

  // Both lists rise in `begin`, so one walk finds all that agree.
  std::size_t candidate = 0;
  for (const Entity& entity : wanted) {
    while (candidate < found.size() && found[candidate].begin < entity.begin) ++candidate;
    if (candidate == found.size() || found[candidate] != entity) continue;
    ++all_.correct;
    ++by_type_[entity.type].correct;
  }
  for (const Entity& entity : wanted) ++by_type_[entity.type].gold;
  for (const Entity& entity : found) ++by_type_[entity.type].predicted;
  all_.gold += wanted.size();
  all_.predicted += found.size();
  n_words_ += gold.size();
  for (std::size_t word = 0; word < gold.size(); ++word) {
    n_same_tags_ += predicted[word] == gold[word] ? 1 : 0;
  }
}

double EntityScorer::tag_accuracy() const {
  return percent(n_same_tags_, n_words_);
}

}  // namespace espalier::measure
