// From label cells to what a model is compared with: indexes of its labels, or a number.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/place.hpp"

namespace espalier::data {

/// Calls visit(label) for each label of a cell that may hold any number of them, as `a,b` or as a
/// JSON list; an empty cell holds none. Labels may be empty and be there twice. Throws
/// Error(bad_input) for a list that is no JSON.
void for_each_listed_label(std::string_view cell, const Place& place,
                           const std::function<void(std::string_view)>& visit);

/// The labels of a model by name and by index. Immutable, so any number of threads may read it.
class LabelMap {
 public:
  /// Throws Error(bad_input) if there are no names or one is there twice.
  explicit LabelMap(std::vector<std::string> names);

  [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }
  [[nodiscard]] const std::string& name(std::size_t index) const { return names_[index]; }

  /// The index of the label that `cell` names or, unless a label is itself a whole number, whose
  /// index `cell` is in plain digits: among labels 1 to 5 a 0 is no label, not the first one.
  /// Throws Error(bad_input), naming the place and the labels, if it is neither.
  [[nodiscard]] std::size_t index(std::string_view cell, const Place& place) const;

  /// The labels of a cell as for_each_listed_label() reads it: rising indexes, each once. A cell
  /// that is one label's name is that label, comma or not. Throws as index() does.
  [[nodiscard]] std::vector<std::size_t> indexes(std::string_view cell, const Place& place) const;

 private:
  std::vector<std::string> names_;
  bool takes_indexes_ = true;
  std::map<std::string, std::size_t, std::less<>> index_of_;
};

/// The number in a regression cell.
/// Throws Error(bad_input) if it is not one finite decimal number and nothing else.
[[nodiscard]] double parse_score(std::string_view cell, const Place& place);

}  // namespace espalier::data
