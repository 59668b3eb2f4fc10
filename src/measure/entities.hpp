// Entities in tagged sentences, found and counted as the CoNLL shared tasks' conlleval does.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::measure {

/// Words [begin, end) of a sentence and the type of entity they name.
struct Entity {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string type;

  friend bool operator==(const Entity&, const Entity&) = default;
};

/// Whether `tag` is O, or one of B I E S L U alone or followed by "-" and a type.
[[nodiscard]] bool is_entity_tag(std::string_view tag);

/// The entities of one sentence, tags (words), in order. IOB1, IOB2 and mixtures need no
/// conversion: an entity starts at B-X, and at I-X after O, at the start, or after another type; it
/// ends before O, before B, and before another type. E and L end an entity, S and U are one alone.
/// Throws Error(bad_input) naming the tag if is_entity_tag() does not hold.
/// Source: Tjong Kim Sang and Buchholz 2000, conlleval, for the tags B, I and O.
[[nodiscard]] std::vector<Entity> entities_from_tags(std::span<const std::string_view> tags);

/// Entities in the data, found by a model, and both at once (same words, same type).
struct EntityCounts {
  std::size_t gold = 0;
  std::size_t predicted = 0;
  std::size_t correct = 0;

  [[nodiscard]] double precision() const;  ///< correct of predicted, in percent; 0 of none
  [[nodiscard]] double recall() const;     ///< correct of gold, in percent; 0 of none
  [[nodiscard]] double f1() const;         ///< harmonic mean of both, in percent
};

/// Adds up sentences. One thread at a time.
class EntityScorer {
 public:
  /// Adds one sentence, tags (words) each.
  /// Throws Error(bad_input) if they differ in length or entities_from_tags() refuses a tag; the
  /// scorer is then as it was.
  void add(std::span<const std::string_view> predicted, std::span<const std::string_view> gold);

  [[nodiscard]] const EntityCounts& all() const { return all_; }
  [[nodiscard]] const std::map<std::string, EntityCounts>& by_type() const { return by_type_; }

  /// Words whose tag is literally the same, in percent. Means little when one side is IOB1 and the
  /// other IOB2.
  [[nodiscard]] double tag_accuracy() const;

 private:
  EntityCounts all_;
  std::map<std::string, EntityCounts> by_type_;
  std::size_t n_words_ = 0;
  std::size_t n_same_tags_ = 0;
};

}  // namespace espalier::measure
