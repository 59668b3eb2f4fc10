#include "compress/model/student.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "espalier/error.hpp"

namespace espalier::model {
namespace {

// Shares tensors with the teacher.
Bert with_layers(const Bert& teacher, std::span<const std::size_t> layers) {
  Bert student = teacher;
  student.layers.clear();
  student.config.layers.clear();
  for (const std::size_t layer : layers) {
    student.layers.push_back(teacher.layers[layer]);
    student.config.layers.push_back(teacher.config.layers[layer]);
  }
  student.config.n_layers = static_cast<std::uint32_t>(layers.size());
  return student;
}

// `n_wanted` of `n_there` indices, evenly spaced, the first one included.
at::Tensor even_indices(std::int64_t n_there, std::int64_t n_wanted) {
  at::Tensor indices = at::empty({n_wanted}, at::kLong);
  auto* index = indices.data_ptr<std::int64_t>();
  for (std::int64_t wanted = 0; wanted < n_wanted; ++wanted) {
    index[wanted] = wanted * n_there / n_wanted;
  }
  return indices;
}

at::Tensor cut_evenly(const at::Tensor& source, at::IntArrayRef sizes) {
  at::Tensor cut = source;
  for (std::int64_t axis = 0; axis < source.dim(); ++axis) {
    const std::int64_t n_wanted = sizes[static_cast<std::size_t>(axis)];
    if (n_wanted == source.size(axis)) continue;
    cut = cut.index_select(axis, even_indices(source.size(axis), n_wanted).to(source.device()));
  }
  return cut.clone();
}

// Factors as wide as the model would save nothing, and a file may not have them.
Bert with_whole_table(const Bert& factorised) {
  Bert whole = factorised;
  whole.word = at::linear(factorised.word, factorised.word_projection);
  whole.word_projection.reset();
  whole.config.embedding_rank = 0;
  return whole;
}

void check_fits(const Bert& bert, const Width& width) {
  const auto refuse = [](const std::string& what) { throw Error(ErrorCode::usage, what); };
  if (width.n_heads == 0 || width.hidden == 0 || width.hidden % width.n_heads != 0) {
    refuse("a student " + std::to_string(width.hidden) + " wide cannot have " +
           std::to_string(width.n_heads) + " heads; take a multiple of the number of heads");
  }
  if (width.hidden > bert.config.hidden) {
    refuse("a student " + std::to_string(width.hidden) +
           " wide cannot be cut out of a teacher that is " + std::to_string(bert.config.hidden) +
           " wide; give a checkpoint of that width instead");
  }
  for (std::size_t index = 0; index < bert.layers.size(); ++index) {
    const std::int64_t attention = bert.layers[index].query.weight.size(0);
    const std::int64_t intermediate = bert.layers[index].up.weight.size(0);
    if (attention >= width.hidden && intermediate >= width.intermediate) continue;
    refuse("layer " + std::to_string(index) + " of the teacher has attention " +
           std::to_string(attention) + " and feed-forward " + std::to_string(intermediate) +
           " wide, the student would need " + std::to_string(width.hidden) + " and " +
           std::to_string(width.intermediate) + "; make it narrower");
  }
}

}  // namespace

LayerChoice layer_choice(std::string_view name) {
  if (name == "spread") return LayerChoice::spread;
  if (name == "first") return LayerChoice::first;
  if (name == "last") return LayerChoice::last;
  throw Error(ErrorCode::usage, "there is no choice of layers called '" + std::string(name) +
                                    "'; take spread, first or last");
}

std::vector<std::size_t> choose_layers(std::size_t n_teacher, std::size_t n_student,
                                       LayerChoice choice) {
  if (choice != LayerChoice::spread && n_student > n_teacher) {
    throw Error(ErrorCode::usage, "a student of " + std::to_string(n_student) +
                                      " layers cannot be made of the " + std::to_string(n_teacher) +
                                      " layers of its teacher");
  }
  std::vector<std::size_t> layers(n_student);
  if (choice == LayerChoice::spread) {
    for (std::size_t layer = 0; layer < n_student; ++layer) {
      layers[layer] = ((layer + 1) * n_teacher + n_student - 1) / n_student - 1;
    }
  } else {
    std::iota(layers.begin(), layers.end(),
              choice == LayerChoice::first ? 0 : n_teacher - n_student);
  }
  return layers;
}

Bert make_student(const Bert& teacher, std::span<const std::size_t> layers) {
  const bool rising =
      std::adjacent_find(layers.begin(), layers.end(), std::greater_equal<>()) == layers.end();
  if (layers.empty() || !rising || layers.back() >= teacher.layers.size()) {
    throw Error(ErrorCode::usage, "a student's layers are some of the teacher's " +
                                      std::to_string(teacher.layers.size()) +
                                      ", counted from 0, in rising order, each once");
  }
  const at::NoGradGuard no_grad;
  Bert student = with_layers(teacher, layers);
  for_each_parameter(student, [](const std::string&, at::Tensor& value) { value = value.clone(); });
  return student;
}

Width width_of(const Bert& teacher, std::uint32_t hidden) {
  const checkpoint::BertConfig& config = teacher.config;
  if (hidden == 0 || hidden % config.n_heads != 0) {
    throw Error(ErrorCode::usage, "a student " + std::to_string(hidden) + " wide cannot have the " +
                                      std::to_string(config.n_heads) +
                                      " heads of its teacher; take a multiple of that");
  }
  const std::uint64_t intermediate = std::uint64_t{config.intermediate} * hidden / config.hidden;
  return {.hidden = hidden,
          .n_heads = config.n_heads,
          .intermediate = static_cast<std::uint32_t>(std::max<std::uint64_t>(intermediate, 1))};
}

Bert narrow(const Bert& bert, const Width& width) {
  check_fits(bert, width);
  const at::NoGradGuard no_grad;
  if (bert.config.embedding_rank >= width.hidden) return narrow(with_whole_table(bert), width);
  checkpoint::BertConfig config = bert.config;
  config.hidden = width.hidden;
  config.n_heads = width.n_heads;
  config.head_dim = width.hidden / width.n_heads;
  config.intermediate = width.intermediate;
  std::vector<std::uint32_t> heads(width.n_heads);
  std::iota(heads.begin(), heads.end(), 0U);
  for (checkpoint::LayerWidths& layer : config.layers) layer = {heads, width.intermediate};
  // For its shapes only: every value is replaced.
  Bert narrower = new_bert(config, /*seed=*/0, bert.pooler.has_value());
  std::vector<at::Tensor> sources;
  for_each_parameter(
      bert, [&](const std::string&, const at::Tensor& value) { sources.push_back(value); });
  std::size_t next = 0;
  for_each_parameter(narrower, [&](const std::string&, at::Tensor& value) {
    value = cut_evenly(sources[next++], value.sizes());
  });
  return narrower;
}

}  // namespace espalier::model
