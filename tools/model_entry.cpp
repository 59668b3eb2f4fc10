#include "model_entry.hpp"

#include <nlohmann/json.hpp>

#include "api/model_impl.hpp"
#include "compress/export/precision_rules.hpp"
#include "model_sizes.hpp"
#include "part_text.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string linear_type(const format::LinearSpec& linear) {
  return type_text(compress::PartType(linear.precision, linear.group));
}

Json structure_json(const format::ModelSpec& spec) {
  Json layers = Json::array();
  for (const format::LayerSpec& layer : spec.layers) {
    layers.push_back({{"heads", layer.n_heads},
                      {"intermediate", layer.intermediate},
                      {"weights",
                       {{"qkv", linear_type(layer.qkv)},
                        {"out", linear_type(layer.out)},
                        {"up", linear_type(layer.up)},
                        {"down", linear_type(layer.down)}}}});
  }
  return {{"hidden", spec.hidden},
          {"head_dim", spec.head_dim},
          {"vocabulary", spec.vocabulary_size()},
          {"embedding_rank", spec.embedding.projection ? Json(spec.word_width()) : Json()},
          {"layers", layers}};
}

// "int8" where all parts are, "23 int8, 2 fp32" otherwise.
std::string precision_of(const format::ModelSpec& spec) {
  const std::string counts = part_counts(spec);
  const bool is_uniform = counts.find(',') == std::string::npos;
  return is_uniform ? counts.substr(counts.find(' ') + 1) : counts;
}

}  // namespace

Json model_entry(const std::string& name, const std::string& file, const Model& model,
                 std::uint32_t n_tokens) {
  const format::ModelSpec& spec = model.impl().spec();
  const ModelInfo& info = model.info();
  return {{"name", name},
          {"runtime", "espalier"},
          {"status", "done"},
          {"file", base_name(file)},
          {"bytes", info.file_bytes},
          {"checksum", hex(info.checksum)},
          {"precision", precision_of(spec)},
          {"n_parameters", info.n_parameters},
          {"multiply_adds_per_token", encoder_multiply_adds(spec, n_tokens)},
          {"structure", structure_json(spec)}};
}

}  // namespace espalier::tools
