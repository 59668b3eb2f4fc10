#include "tensor_differences.hpp"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "compress/export/dequantize.hpp"
#include "interrupt.hpp"
#include "measure/fidelity.hpp"
#include "measure/report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
using measure::Cell;

constexpr std::size_t kMostShown = 10;  // of a table; JSON has all

// Values are made when they are asked for: two tensors at a time are in memory as floats.
struct NamedTensor {
  std::string name;
  std::uint32_t rows = 0;
  std::uint32_t cols = 0;
  std::string precision;
  std::function<std::vector<float>()> values;
};

std::string precision_of(const format::Tensor& tensor, std::uint32_t group) {
  switch (tensor.type) {
    case format::ElementType::f32:
      return "fp32";
    case format::ElementType::f16:
      return "fp16";
    case format::ElementType::bf16:
      return "bf16";
    case format::ElementType::s8:
      return "int8";
    case format::ElementType::s4:
      return "int4 g" + std::to_string(group);
  }
  return "";
}

class TensorLister {
 public:
  explicit TensorLister(const format::ModelSpec& spec) {
    const format::EmbeddingSpec& embedding = spec.embedding;
    list_.push_back({"embedding.word", embedding.word.rows, embedding.word.cols,
                     precision_of(embedding.word, embedding.word_group),
                     [&embedding] { return compress::dequantized_words(embedding); }});
    if (embedding.projection) linear("embedding.projection", *embedding.projection);
    tensor("embedding.position", embedding.position);
    tensor("embedding.segment", embedding.segment);
    norm("embedding.norm", embedding.norm);
    for (std::size_t index = 0; index < spec.layers.size(); ++index) {
      const format::LayerSpec& layer = spec.layers[index];
      const std::string name = "layer." + std::to_string(index) + ".";
      linear(name + "attention.qkv", layer.qkv);
      linear(name + "attention.out", layer.out);
      norm(name + "attention.norm", layer.attention_norm);
      linear(name + "ffn.up", layer.up);
      linear(name + "ffn.down", layer.down);
      norm(name + "ffn.norm", layer.output_norm);
    }
    head_linear("head.pooler", spec.head.pooler);
    head_linear("head.classifier", spec.head.classifier);
    head_linear("head.transform", spec.head.transform);
    norm("head.transform_norm", spec.head.transform_norm);
    tensor("head.decoder_bias", spec.head.decoder_bias);
  }

  [[nodiscard]] const std::vector<NamedTensor>& list() const { return list_; }

 private:
  void tensor(const std::string& name, const format::Tensor& tensor) {
    if (tensor.empty()) return;
    list_.push_back({name, tensor.rows, tensor.cols, precision_of(tensor, 0),
                     [&tensor] { return compress::widened(tensor); }});
  }

  void norm(const std::string& name, const format::NormSpec& norm) {
    tensor(name + ".weight", norm.weight);
    tensor(name + ".bias", norm.bias);
  }

  void linear(const std::string& name, const format::LinearSpec& linear) {
    if (!linear.weight.empty()) {
      list_.push_back({name + ".weight", linear.out, linear.in,
                       precision_of(linear.weight, linear.group),
                       [&linear] { return compress::dequantized_weights(linear); }});
    }
    tensor(name + ".bias", linear.bias);
  }

  void head_linear(const std::string& name, const std::optional<format::HeadLinear>& linear) {
    if (!linear) return;
    tensor(name + ".weight", linear->weight);
    tensor(name + ".bias", linear->bias);
  }

  std::vector<NamedTensor> list_;
};

const NamedTensor* find(const std::vector<NamedTensor>& list, const std::string& name) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.name == name; });
  return found == list.end() ? nullptr : &*found;
}

std::vector<std::string> missing_in(const std::vector<NamedTensor>& other,
                                    const std::vector<NamedTensor>& list) {
  std::vector<std::string> names;
  for (const NamedTensor& one : list) {
    if (find(other, one.name) == nullptr) names.push_back(one.name);
  }
  return names;
}

std::string shape_text(const Json& shape) {
  return shape[0].dump() + " x " + shape[1].dump();
}

}  // namespace

Json tensor_differences(const format::ModelSpec& a, const format::ModelSpec& b) {
  const TensorLister of_a(a);
  const TensorLister of_b(b);
  std::vector<std::tuple<bool, double, Json>> different;
  std::size_t n_both = 0;
  for (const NamedTensor& one : of_a.list()) {
    throw_if_interrupted();
    const NamedTensor* other = find(of_b.list(), one.name);
    if (other == nullptr) continue;
    ++n_both;
    Json json = {{"name", one.name},
                 {"shape_a", {one.rows, one.cols}},
                 {"shape_b", {other->rows, other->cols}},
                 {"precision_a", one.precision},
                 {"precision_b", other->precision}};
    const bool same_shape = one.rows == other->rows && one.cols == other->cols;
    const double error = same_shape ? measure::relative_error(one.values(), other->values()) : 0.0;
    if (same_shape && error == 0.0 && one.precision == other->precision) continue;
    json["relative_error"] = same_shape ? Json(error) : Json();
    json["sqnr_db"] = same_shape ? Json(measure::sqnr_db(error)) : Json();
    different.emplace_back(same_shape, -error, std::move(json));
  }
  std::stable_sort(different.begin(), different.end(), [](const auto& one, const auto& other) {
    return std::tie(std::get<0>(one), std::get<1>(one)) <
           std::tie(std::get<0>(other), std::get<1>(other));
  });
  Json list = Json::array();
  for (auto& entry : different) list.push_back(std::move(std::get<2>(entry)));
  return {{"n", n_both},
          {"n_equal", n_both - list.size()},
          {"different", std::move(list)},
          {"only_a", missing_in(of_b.list(), of_a.list())},
          {"only_b", missing_in(of_a.list(), of_b.list())}};
}

std::string tensor_table(const Json& differences) {
  const Json& different = differences["different"];
  std::string text = differences["n"].dump() + " tensors in both, " +
                     differences["n_equal"].dump() + " of them equal\n";
  if (!different.empty()) {
    measure::Table table;
    table.add_column("tensor").add_column("shape").add_column("A").add_column("B");
    table.add_column("relative error", measure::Align::right);
    table.add_column("SQNR dB", measure::Align::right);
    for (std::size_t index = 0; index < std::min(different.size(), kMostShown); ++index) {
      const Json& one = different[index];
      const bool same_shape = one["shape_a"] == one["shape_b"];
      const auto number = [&](const char* key, int n_decimals) {
        return same_shape ? Cell::number(one[key].get<double>(), n_decimals) : Cell("");
      };
      table.add_row(
          {one["name"].get<std::string>(),
           shape_text(one["shape_a"]) + (same_shape ? "" : " -> " + shape_text(one["shape_b"])),
           one["precision_a"].get<std::string>(), one["precision_b"].get<std::string>(),
           number("relative_error", 5), number("sqnr_db", 1)});
    }
    text += table.print(measure::TableFormat::table);
  }
  if (different.size() > kMostShown) {
    text += "and " + std::to_string(different.size() - kMostShown) +
            " more that differ less, with --format json\n";
  }
  for (const auto& [key, side] : {std::pair("only_a", "A"), std::pair("only_b", "B")}) {
    if (differences[key].empty()) continue;
    text += std::string("only in ") + side + ":";
    for (const Json& name : differences[key]) text += " " + name.get<std::string>();
    text += "\n";
  }
  return text;
}

}  // namespace espalier::tools
