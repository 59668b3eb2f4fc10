#include "compress/checkpoint/tensor_view.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {

TensorList::TensorList(std::vector<TensorView> tensors)
    : tensors_(std::move(tensors)), by_name_(tensors_.size()) {
  const auto name = [this](std::size_t tensor) -> const std::string& {
    return tensors_[tensor].name;
  };
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::sort(by_name_.begin(), by_name_.end(),
            [&name](std::size_t a, std::size_t b) { return name(a) < name(b); });
  const auto twice =
      std::adjacent_find(by_name_.begin(), by_name_.end(),
                         [&name](std::size_t a, std::size_t b) { return name(a) == name(b); });
  if (twice != by_name_.end()) {
    throw Error(ErrorCode::bad_input, "has the tensor " + printable(name(*twice)) + " twice");
  }
}

const TensorView* TensorList::find(std::string_view name) const noexcept {
  const auto place = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                      [this](std::size_t tensor, std::string_view wanted) {
                                        return tensors_[tensor].name < wanted;
                                      });
  if (place == by_name_.end() || tensors_[*place].name != name) return nullptr;
  return &tensors_[*place];
}

}  // namespace espalier::checkpoint
