#include "compress/model/checkpoint_io.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>

#include <utility>

#include "compress/checkpoint/bert_config_writer.hpp"
#include "compress/checkpoint/safetensors_writer.hpp"
#include "espalier/error.hpp"

namespace espalier::model {
namespace {

at::Tensor tensor_of(const checkpoint::TensorRef& source) {
  const std::vector<std::int64_t> shape(source.shape().begin(), source.shape().end());
  at::Tensor tensor = at::empty(shape, at::kFloat);
  source.read_f32({tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())});
  return tensor;
}

Linear linear_of(const checkpoint::LinearParameters& source) {
  return {.weight = tensor_of(source.weight), .bias = tensor_of(source.bias)};
}

Norm norm_of(const checkpoint::NormParameters& source) {
  return {.weight = tensor_of(source.weight), .bias = tensor_of(source.bias)};
}

Layer layer_of(const checkpoint::LayerParameters& source) {
  Layer layer;
  layer.query = linear_of(source.query);
  layer.key = linear_of(source.key);
  layer.value = linear_of(source.value);
  layer.attention_output = linear_of(source.attention_output);
  layer.attention_norm = norm_of(source.attention_norm);
  layer.up = linear_of(source.intermediate);
  layer.down = linear_of(source.output);
  layer.output_norm = norm_of(source.output_norm);
  return layer;
}

// The values as they will lie in the file.
at::Tensor stored(const std::string& name, const at::Tensor& value, WeightType type) {
  const at::Tensor cast =
      value.detach().to(at::kCPU, type == WeightType::f16 ? at::kHalf : at::kFloat).contiguous();
  if (at::isfinite(cast).all().item<bool>()) return cast;
  throw Error(ErrorCode::failed,
              "parameter '" + name + "' is not finite" +
                  (type == WeightType::f16 ? " as F16; store F32, or look for a loss that ran away"
                                           : "; the training ran away, lower the learning rate"));
}

}  // namespace

Bert load_bert(const checkpoint::Checkpoint& checkpoint) {
  const checkpoint::BertParameters& source = checkpoint.parameters();
  Bert bert;
  bert.config = checkpoint.config();
  bert.word = tensor_of(source.word_embeddings);
  if (source.word_projection) bert.word_projection = tensor_of(*source.word_projection);
  bert.position = tensor_of(source.position_embeddings);
  if (source.token_type_embeddings) bert.segment = tensor_of(*source.token_type_embeddings);
  bert.embedding_norm = norm_of(source.embeddings_norm);
  for (const checkpoint::LayerParameters& layer : source.layers) {
    bert.layers.push_back(layer_of(layer));
  }
  if (source.pooler) bert.pooler = linear_of(*source.pooler);
  if (source.classifier) bert.classifier = linear_of(*source.classifier);
  if (source.masked_lm) {
    bert.masked_lm = MaskedLmHead{.transform = linear_of(source.masked_lm->transform),
                                  .norm = norm_of(source.masked_lm->transform_norm),
                                  .bias = tensor_of(source.masked_lm->bias)};
  }
  return bert;
}

void save_bert(const Bert& bert, const std::filesystem::path& folder, WeightType type,
               Overwrite overwrite) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> values;
  std::vector<checkpoint::TensorBytes> tensors;
  for_each_parameter(bert, [&](const std::string& name, const at::Tensor& value) {
    values.push_back(stored(name, value, type));
    const at::Tensor& kept = values.back();
    tensors.push_back(
        {.name = name,
         .type =
             type == WeightType::f16 ? checkpoint::ElementType::f16 : checkpoint::ElementType::f32,
         .shape = {kept.sizes().begin(), kept.sizes().end()},
         .bytes = {static_cast<const std::byte*>(kept.const_data_ptr()), kept.nbytes()}});
  });
  AtomicFile config(folder / "config.json", overwrite);
  config.write(checkpoint::write_bert_config(bert.config));
  config.commit();
  checkpoint::write_safetensors(folder / "model.safetensors", std::move(tensors),
                                {{"format", "pt"}}, overwrite);
}

}  // namespace espalier::model
