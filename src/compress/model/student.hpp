// Students for distillation, cut out of their teacher: fewer layers, narrower layers. Their weights
// are copies, so training one leaves the other as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "compress/model/bert.hpp"

namespace espalier::model {

/// Which of a teacher's layers a shallower student begins with.
enum class LayerChoice { spread, first, last };

/// The choice called "spread", "first" or "last". Throws Error(usage), listing these, for any other
/// name.
[[nodiscard]] LayerChoice layer_choice(std::string_view name);

/// For each of `n_student` layers one of `n_teacher`, from 0, rising. `spread` leaves equal gaps
/// and ends with the teacher's last layer: 1, 3, 5 for three of six, the layer map of TinyBERT
/// (Jiao et al. 2020, §4.1). More layers than the teacher has share its layers with `spread`; with
/// the others they are an Error(usage). Both counts are at least 1.
[[nodiscard]] std::vector<std::size_t> choose_layers(std::size_t n_teacher, std::size_t n_student,
                                                     LayerChoice choice);

/// A copy of `teacher` with the layers whose indices are `layers`, its embeddings and its head.
/// Throws Error(usage) unless these rise strictly, are the teacher's and at least one.
[[nodiscard]] Bert make_student(const Bert& teacher, std::span<const std::size_t> layers);

/// Widths of a narrower model, the same in all layers.
struct Width {
  std::uint32_t hidden = 0;  // a multiple of n_heads
  std::uint32_t n_heads = 0;
  std::uint32_t intermediate = 0;
};

/// The width that is meant when only `hidden` is given: the teacher's number of heads, so that
/// attention can be compared head by head, and its feed-forward in proportion, which is four times
/// `hidden` for a teacher shaped as usual (Devlin et al. 2019, §3). Throws Error(usage) when the
/// heads do not divide `hidden`.
[[nodiscard]] Width width_of(const Bert& teacher, std::uint32_t hidden);

/// A narrower copy of `bert`: along every axis that shrinks, evenly spaced elements of it. The same
/// rule on every axis keeps what belongs together: a hidden unit is the same one in all layers, and
/// with as many heads as before each head is a part of the old one. Better than fresh weights, also
/// under distillation (Xu et al. 2024, "Initializing models with larger ones"). A factorised word
/// table keeps its rank, or becomes whole where the new width is no larger than that.
/// Throws Error(usage) when a width does not fit or is larger than that of a layer of `bert`.
[[nodiscard]] Bert narrow(const Bert& bert, const Width& width);

}  // namespace espalier::model
