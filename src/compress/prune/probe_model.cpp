#include "compress/prune/probe_model.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>
#include <utility>

#include "base/bfloat16.hpp"
#include "base/random.hpp"
#include "compress/export/tensor_store.hpp"
#include "format/panels.hpp"
#include "format/writer.hpp"

namespace espalier::prune {
namespace {

using format::ElementType;

// Enough that words lie here and there, as in a real table; little enough to be made at once.
constexpr std::uint32_t kWords = 1000;
constexpr std::uint32_t kLabels = 2;

class Maker {
 public:
  explicit Maker(const LatencyRequest& request) : request_(request) {}

  [[nodiscard]] std::vector<std::byte> make(std::span<const LayerShape> layers) {
    format::ModelSpec spec;
    spec.task = request_.last_layer_first_token_only ? Task::classify : Task::tag;
    spec.precision = request_.precision;
    spec.hidden = request_.hidden;
    spec.head_dim = request_.head_dim;
    spec.layer_norm_eps = 1e-12F;
    spec.max_length =
        std::max(3U, *std::max_element(request_.lengths.begin(), request_.lengths.end()));
    spec.labels = {"O", "B-x"};
    fill_tokenizer(spec.tokenizer);
    fill_embedding(spec);
    for (const LayerShape& shape : layers) {
      // Layers of one shape share what they view here; in the file each has its own.
      const auto twin = std::find(layers.begin(), layers.end(), shape) - layers.begin();
      if (static_cast<std::size_t>(twin) < spec.layers.size()) {
        format::LayerSpec copy = spec.layers[static_cast<std::size_t>(twin)];
        spec.layers.push_back(std::move(copy));
      } else {
        spec.layers.push_back(layer(shape));
      }
    }
    if (request_.last_layer_first_token_only) spec.head.pooler = head_linear(request_.hidden);
    spec.head.classifier = head_linear(kLabels);
    return format::to_bytes(spec);
  }

 private:
  void fill_tokenizer(format::TokenizerSpec& tokenizer) {
    pieces_ = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n";
    for (std::uint32_t word = 4; word < kWords; ++word) {
      pieces_ += 'w' + std::to_string(word) + '\n';
    }
    tokenizer.vocabulary = pieces_;
    tokenizer.n_pieces = kWords;
    tokenizer.pad = 0;
    tokenizer.unk = 1;
    tokenizer.cls = 2;
    tokenizer.sep = 3;
    tokenizer.mask = 1;
  }

  /// Uniform with this standard deviation.
  [[nodiscard]] float value(float spread) {
    return static_cast<float>((2 * random_.uniform() - 1) * std::sqrt(3.0)) * spread;
  }

  format::Tensor floats(std::uint32_t rows, std::uint32_t cols, float spread, float mean = 0) {
    const auto fresh = store_.tensor(ElementType::f32, rows, cols);
    for (float& element : fresh.as<float>()) element = mean + value(spread);
    return fresh.tensor;
  }

  format::Tensor bfloats(std::uint32_t rows, std::uint32_t cols, float spread) {
    const auto fresh = store_.tensor(ElementType::bf16, rows, cols);
    for (std::uint16_t& element : fresh.as<std::uint16_t>()) {
      element = float_to_bfloat16(value(spread));
    }
    return fresh.tensor;
  }

  void fill_codes(std::span<std::int8_t> codes) {
    for (std::int8_t& code : codes) code = static_cast<std::int8_t>(random_.below(255) - 127);
  }

  format::NormSpec norm() {
    return {floats(1, request_.hidden, 0.1F, 1), floats(1, request_.hidden, 0.1F)};
  }

  /// Weights whose outputs are about as large as their inputs.
  format::LinearSpec linear(std::uint32_t in, std::uint32_t out, bool reads_norm) {
    format::LinearSpec spec;
    spec.in = in;
    spec.out = out;
    spec.precision = request_.precision;
    if (out == 0) return spec;
    spec.bias = floats(1, out, 0.1F);
    const float spread = 0.9F / std::sqrt(static_cast<float>(std::max(in, 1U)));
    switch (request_.precision) {
      case Precision::fp32:
        if (in > 0) spec.weight = floats(out, in, spread);
        break;
      case Precision::bf16:
        if (in > 0) spec.weight = bfloats(out, in, spread);
        break;
      case Precision::int8: {
        spec.scale = floats(1, out, 0, spread / 73);  // 73: spread of the codes
        if (reads_norm) spec.input_scale = floats(1, in, 0.1F, 1);
        if (in == 0) break;
        std::vector<std::int8_t> codes(std::size_t{out} * in);
        fill_codes(codes);
        const auto fresh = store_.padded(ElementType::s8, out, in, format::panel_bytes(out, in));
        format::pack_panels(codes, out, in, fresh.as<std::int8_t>());
        spec.weight = fresh.tensor;
        break;
      }
    }
    return spec;
  }

  format::HeadLinear head_linear(std::uint32_t out) {
    return {.in = request_.hidden,
            .out = out,
            .weight = floats(out, request_.hidden, 0.05F),
            .bias = floats(1, out, 0.1F)};
  }

  void fill_embedding(format::ModelSpec& spec) {
    format::EmbeddingSpec& embedding = spec.embedding;
    switch (request_.precision) {
      case Precision::fp32:
        embedding.word = floats(kWords, request_.hidden, 0.05F);
        break;
      case Precision::bf16:
        embedding.word = bfloats(kWords, request_.hidden, 0.05F);
        break;
      case Precision::int8: {
        const auto fresh = store_.tensor(ElementType::s8, kWords, request_.hidden);
        fill_codes(fresh.as<std::int8_t>());
        embedding.word = fresh.tensor;
        embedding.word_scale = floats(1, kWords, 0, 0.05F / 73);
        break;
      }
    }
    embedding.position = floats(spec.max_length, request_.hidden, 0.05F);
    embedding.segment = floats(2, request_.hidden, 0.05F);
    embedding.norm = norm();
  }

  format::LayerSpec layer(const LayerShape& shape) {
    const std::uint32_t attention = shape.n_heads * request_.head_dim;
    format::LayerSpec spec;
    spec.n_heads = shape.n_heads;
    spec.intermediate = shape.intermediate;
    spec.qkv = linear(request_.hidden, 3 * attention, true);
    spec.out = linear(attention, request_.hidden, false);
    spec.attention_norm = norm();
    spec.up = linear(request_.hidden, shape.intermediate, true);
    spec.down = linear(shape.intermediate, request_.hidden, false);
    spec.output_norm = norm();
    return spec;
  }

  const LatencyRequest& request_;
  compress::TensorStore store_;
  std::string pieces_;
  Random random_{1};
};

/// The call that is timed: sentences of the wanted lengths, words drawn with a fixed seed.
TokenBatch call_of(const LatencyRequest& request) {
  TokenBatch batch;
  Random random(2);
  batch.offsets.push_back(0);
  for (const std::uint32_t length : request.lengths) {
    for (std::uint32_t token = 0; token < length; ++token) {
      batch.ids.push_back(static_cast<TokenId>(random.below(kWords)));
    }
    batch.offsets.push_back(static_cast<std::uint32_t>(batch.ids.size()));
  }
  batch.segments.resize(batch.ids.size());
  return batch;
}

double now_ms(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

}  // namespace

std::vector<std::byte> probe_model(const LatencyRequest& request,
                                   std::span<const LayerShape> layers) {
  validate(request);
  return Maker(request).make(layers);
}

ProbeTimer::ProbeTimer(const LatencyRequest& request)
    : request_(request), batch_(call_of(request)) {}

Session& ProbeTimer::session(std::span<const LayerShape> layers) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> key;
  for (const LayerShape& shape : layers) key.emplace_back(shape.n_heads, shape.intermediate);
  const auto found = sessions_.find(key);
  if (found != sessions_.end()) return found->second;
  const Model model = Model::open(probe_model(request_, layers));
  Session& session =
      sessions_.emplace(std::move(key), Session(model, {.n_threads = request_.n_threads}))
          .first->second;
  answers_.resize(session.output_size(batch_));
  session.run(batch_, answers_);
  return session;
}

double ProbeTimer::time_ms(std::span<const LayerShape> layers) {
  Session& model = session(layers);
  // One thread is asked how long it computed, so that waiting for a busy machine does not count;
  // of several, who waits for whom is part of the answer.
  const clockid_t clock = request_.n_threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  const double begin_ms = now_ms(clock);
  model.run(batch_, answers_);
  return now_ms(clock) - begin_ms;
}

std::string ProbeTimer::backend() {
  const LayerShape empty;
  const Session& any = session(std::span(&empty, 1));
  return std::string(any.backend()) + ' ' + std::string(any.backend_path());
}

}  // namespace espalier::prune
