// Opening a model and proving that it works here.
#include "espalier/model.hpp"

#include <new>
#include <string>
#include <utility>

#include "api/model_impl.hpp"
#include "api/tokenizer_impl.hpp"
#include "base/printable.hpp"
#include "runtime/executor.hpp"
#include "runtime/self_test.hpp"

namespace espalier {
namespace {

std::uint64_t n_values(const format::Tensor& tensor) noexcept {
  return std::uint64_t{tensor.rows} * tensor.cols;
}

std::uint64_t n_values(const format::LinearSpec& linear) noexcept {
  return (std::uint64_t{linear.in} + 1) * linear.out;
}

std::uint64_t n_values(const std::optional<format::HeadLinear>& linear) noexcept {
  return linear ? (std::uint64_t{linear->in} + 1) * linear->out : 0;
}

std::uint64_t n_values(const format::NormSpec& norm) noexcept {
  return n_values(norm.weight) + n_values(norm.bias);
}

std::uint64_t n_parameters(const format::ModelSpec& spec) noexcept {
  const format::EmbeddingSpec& embedding = spec.embedding;
  std::uint64_t n = n_values(embedding.word) + n_values(embedding.position) +
                    n_values(embedding.segment) + n_values(embedding.norm);
  if (const auto& projection = embedding.projection) {
    n += std::uint64_t{projection->in} * projection->out;  // it has no bias
  }
  for (const format::LayerSpec& layer : spec.layers) {
    n += n_values(layer.qkv) + n_values(layer.out) + n_values(layer.attention_norm) +
         n_values(layer.up) + n_values(layer.down) + n_values(layer.output_norm);
  }
  const format::HeadSpec& head = spec.head;
  return n + n_values(head.pooler) + n_values(head.classifier) + n_values(head.transform) +
         n_values(head.transform_norm) + n_values(head.decoder_bias);
}

ModelInfo info_of(const format::ModelFile& file) {
  const format::ModelSpec& spec = file.spec();
  ModelInfo info;
  info.task = spec.task;
  info.precision = spec.precision;
  info.hidden = spec.hidden;
  info.n_layers = static_cast<std::uint32_t>(spec.layers.size());
  info.vocabulary_size = spec.vocabulary_size();
  info.max_length = spec.max_length;
  info.n_parameters = n_parameters(spec);
  info.file_bytes = file.size_bytes();
  info.checksum = file.checksum();
  info.labels = spec.labels;
  return info;
}

Tokenizer tokenizer_of(const format::ModelSpec& spec) {
  try {
    return Tokenizer(std::make_shared<const Tokenizer::Impl>(api::tokenizer_spec(spec.tokenizer),
                                                             spec.max_length));
  } catch (const Error& error) {
    // What would be a bad vocabulary in a checkpoint is a forged file here.
    if (error.code() != ErrorCode::bad_input) throw;
    throw Error(ErrorCode::verification, std::string("tokenizer: ") + error.what());
  }
}

/// Calls work(), and says `place` in front of whatever goes wrong, lack of memory included.
template <typename Work>
Model opening(const std::string& place, Work&& work) {
  return with_context("while opening " + place, [&] {
    try {
      return work();
    } catch (const std::bad_alloc&) {
      throw Error(ErrorCode::resource, "no memory for the model; free some or use a smaller one");
    }
  });
}

}  // namespace

Model::Impl::Impl(format::ModelFile file)
    : file_(std::move(file)),
      info_(info_of(file_)),
      tokenizer_(tokenizer_of(file_.spec())),
      label_scheme_(info_.labels) {}

const Model::Impl::Prepared& Model::Impl::prepared(std::string_view name,
                                                   const LogFunction& log) const {
  // Before the lock: the log may well open another session of this model.
  api::ChosenBackend chosen = api::choose_backend(name, log);
  const std::lock_guard lock(mutex_);
  for (const std::unique_ptr<const Prepared>& prepared : prepared_) {
    if (prepared->chosen.name == chosen.name) return *prepared;
  }
  auto model = chosen.backend->prepare(spec());
  prepared_.push_back(
      std::make_unique<const Prepared>(Prepared{std::move(chosen), std::move(model)}));
  return *prepared_.back();
}

Model Model::open(const std::filesystem::path& file, const OpenOptions& options) {
  return opening(printable(file.string()), [&] {
    const FileAccess access = options.map_file ? FileAccess::map : FileAccess::read;
    return Model(
        std::make_shared<const Impl>(format::ModelFile::parse(FileBytes::open(file, access))));
  });
}

Model Model::open(std::span<const std::byte> bytes) {
  return opening("a model in memory", [&] {
    return Model(std::make_shared<const Impl>(format::ModelFile::parse(FileBytes::copy(bytes))));
  });
}

const ModelInfo& Model::info() const noexcept {
  return impl_->info();
}

const Tokenizer& Model::tokenizer() const noexcept {
  return impl_->tokenizer();
}

SelfTestReport Model::self_test(std::string_view backend) const {
  const Impl::Prepared& prepared = impl_->prepared(backend);
  const format::ModelSpec& spec = impl_->spec();
  // One thread: the answers do not depend on the number, and the sentences are short.
  runtime::Executor executor(*prepared.chosen.backend, *prepared.model, spec, 1,
                             runtime::default_limits(spec));
  const runtime::SelfTestResult result = runtime::self_test(executor);
  return {.passed = result.passed,
          .n_cases = spec.self_test.cases.size(),
          .worst_difference = result.worst,
          .tolerance = spec.self_test.tolerance};
}

}  // namespace espalier
