#include "compress/objective/task.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>

#include "compress/objective/padding.hpp"

namespace espalier::objective {
namespace {

// Padded tokens of an inference batch: enough to fill the matrix products, few enough that the
// feed-forward's activations stay in a few MB.
constexpr std::size_t kInferenceTokens = 2048;

std::vector<std::size_t> sentences_of(const Examples& data, std::span<const std::size_t> examples) {
  std::vector<std::size_t> sentences;
  for (std::uint32_t text = 0; text < data.texts_each; ++text) {
    for (const std::size_t example : examples)
      sentences.push_back(example * data.texts_each + text);
  }
  return sentences;
}

at::Tensor index_tensor(std::span<const std::size_t> indexes) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(indexes.size())}, at::kLong);
  std::copy(indexes.begin(), indexes.end(), tensor.data_ptr<std::int64_t>());
  return tensor;
}

// Puts the rows of a padded batch's real tokens where they belong among all tokens.
void scatter_tokens(const at::Tensor& answers, const TokenBatch& tokens,
                    std::span<const std::size_t> sentences, at::Tensor& dst) {
  for (std::size_t row = 0; row < sentences.size(); ++row) {
    const std::int64_t begin = tokens.offsets[sentences[row]];
    const std::int64_t end = tokens.offsets[sentences[row] + 1];
    dst.slice(0, begin, end)
        .copy_(answers[static_cast<std::int64_t>(row)].slice(0, 0, end - begin));
  }
}

}  // namespace

std::string Examples::place(std::size_t example) const {
  return "line " + std::to_string(lines[example]) + " of '" + file + "'";
}

std::uint32_t Examples::length(std::size_t example) const {
  std::uint32_t longest = 0;
  for (std::size_t text = 0; text < texts_each; ++text) {
    const std::size_t sentence = example * texts_each + text;
    longest = std::max(longest, tokens.offsets[sentence + 1] - tokens.offsets[sentence]);
  }
  return longest;
}

at::Tensor Task::answers(const model::Bert& bert, const at::Tensor& x, const model::TokenTensors&,
                         const model::Dropout& dropout) const {
  return model::head_logits(bert, x, dropout);
}

at::Tensor Task::targets(const Examples& data, std::span<const std::size_t> examples) const {
  return data.targets.index_select(0, index_tensor(examples));
}

Batch TaskObjective::batch(std::span<const std::size_t> examples, std::uint64_t) const {
  return {.examples = {examples.begin(), examples.end()},
          .tokens = pad(data_.tokens, sentences_of(data_, examples), pad_id_),
          .targets = task_.targets(data_, examples)};
}

at::Tensor TaskObjective::loss(const model::Bert& bert, const Batch& batch,
                               const model::Dropout& dropout) const {
  const at::Tensor x = model::encode(bert, batch.tokens, dropout);
  return task_.loss(task_.answers(bert, x, batch.tokens, dropout), batch.targets);
}

at::Tensor answer_all(const Task& task, const model::Bert& bert, const Examples& data,
                      bool by_token, const OnProgress& on_progress) {
  at::Tensor all;
  std::size_t n_done = 0;
  const auto n_rows =
      static_cast<std::int64_t>(by_token ? data.tokens.n_tokens() : data.tokens.n_sentences());
  for (const std::vector<std::size_t>& sentences :
       inference_batches(data.tokens, kInferenceTokens)) {
    const model::TokenTensors tokens =
        to_device(pad(data.tokens, sentences, bert.config.pad_id), device_of(bert));
    const at::Tensor answers =
        task.answers(bert, model::encode(bert, tokens), tokens, {}).to(at::kCPU, at::kFloat);
    if (!all.defined()) all = at::empty({n_rows, answers.size(-1)}, at::kFloat);
    if (by_token) {
      scatter_tokens(answers, data.tokens, sentences, all);
    } else {
      all.index_copy_(0, index_tensor(sentences), answers);
    }
    for (const std::size_t sentence : sentences) {
      n_done += data.tokens.offsets[sentence + 1] - data.tokens.offsets[sentence];
    }
    if (on_progress) on_progress(n_done, data.tokens.n_tokens());
  }
  return all;
}

at::Device device_of(const model::Bert& bert) {
  return bert.word.device();
}

model::TokenTensors to_device(model::TokenTensors tokens, at::Device device) {
  tokens.ids = tokens.ids.to(device);
  tokens.segments = tokens.segments.to(device);
  if (tokens.mask.defined()) tokens.mask = tokens.mask.to(device);
  return tokens;
}

Batch to_device(Batch batch, at::Device device) {
  batch.tokens = to_device(std::move(batch.tokens), device);
  batch.targets = batch.targets.to(device);
  return batch;
}

}  // namespace espalier::objective
