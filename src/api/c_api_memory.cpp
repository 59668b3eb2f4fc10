// The most heap that a model, its sessions and its calls take: sums over the same shapes that the
// back ends allocate by, each rounded up. tests/abi/memory_test.cpp holds them against what is
// allocated.
#include <algorithm>
#include <array>
#include <set>

#include "api/backends.hpp"
#include "api/c_api.hpp"
#include "api/model_impl.hpp"
#include "base/cpu_info.hpp"
#include "base/huge_pages.hpp"
#include "runtime/executor.hpp"

namespace espalier::c_api {
namespace {

using Bytes = std::uint64_t;

constexpr Bytes kKiB = 1024;
constexpr Bytes kFloat = sizeof(float);
// The cpu back end computes this many rows at once, and has room for so many more in its buffers.
constexpr Bytes kChunkRows = 48;
// Of a linear: shapes of the library's matmuls and what they are described by, at most.
constexpr Bytes kDescriptions = 24 * kKiB;
// What the library generates for all numbers of rows of linears of one size, at most: most of it
// with AVX-512.
constexpr Bytes kGenerated = 1088 * kKiB;

struct Widths {
  Bytes hidden = 0;
  Bytes heads = 0;    // A = heads * head_dim of the widest layer
  Bytes n_heads = 0;  // of the widest layer
  Bytes feed_forward = 0;
  Bytes head_dim = 0;

  [[nodiscard]] Bytes widest() const { return std::max({hidden, 3 * heads, feed_forward}); }
};

Bytes padded(Bytes width) {
  return (width + 63) / 64 * 64;
}

Widths widths_of(const format::ModelSpec& spec) {
  Widths widths{.hidden = padded(spec.hidden), .head_dim = padded(spec.head_dim)};
  for (const format::LayerSpec& layer : spec.layers) {
    widths.n_heads = std::max<Bytes>(widths.n_heads, layer.n_heads);
    widths.heads = std::max(widths.heads, padded(Bytes{layer.n_heads} * spec.head_dim));
    widths.feed_forward = std::max(widths.feed_forward, padded(layer.intermediate));
  }
  return widths;
}

Bytes model_bytes(const ModelInfo& info, const format::ModelSpec& spec) {
  // A piece is a string of its own, its place in the sorted list, and nodes of the trie.
  constexpr Bytes kPiece = 144;
  return info.file_bytes + 64 * kKiB + Bytes{info.vocabulary_size} * kPiece +
         2 * spec.tokenizer.vocabulary.size();
}

Bytes floats_of(const format::Tensor& tensor) {
  return (Bytes{tensor.rows} * tensor.cols + 64) * kFloat;
}

/// Sizes of linears that the library of matmuls may compute.
std::size_t n_generated_sizes(const format::ModelSpec& spec) {
  std::set<std::array<std::uint32_t, 3>> sizes;
  for (const format::LayerSpec& layer : spec.layers) {
    for (const format::LinearSpec* linear : {&layer.qkv, &layer.out, &layer.up, &layer.down}) {
      if (linear->precision == Precision::int8) continue;
      sizes.insert({static_cast<std::uint32_t>(linear->precision), linear->in, linear->out});
    }
  }
  // The last layer's queries may be computed apart from its keys and values.
  const format::LinearSpec& last = spec.layers.back().qkv;
  if (last.precision != Precision::int8) {
    for (const std::uint32_t share : {1U, 2U}) {
      sizes.insert({static_cast<std::uint32_t>(last.precision), last.in, last.out / 3 * share});
    }
  }
  return sizes.size();
}

/// A linear whose weights a back end may want in an order of its own.
Bytes packed_linear(const format::LinearSpec& linear, bool reads_file) {
  const Bytes out = padded(linear.out);
  Bytes weight = 0;
  switch (linear.precision) {
    case Precision::fp32:
      weight = 4;
      break;
    case Precision::int8:
      weight = reads_file ? 0 : 1;
      break;
    case Precision::bf16:
      weight = 2;
      break;
  }
  // Scale, bias, corrections and the scale of the inputs; what describes it.
  return padded(linear.in) * out * weight + 3 * out * kFloat + padded(linear.in) * kFloat +
         kDescriptions;
}

Bytes packed_head(const std::optional<format::HeadLinear>& linear) {
  return linear ? floats_of(linear->weight) + floats_of(linear->bias) : 0;
}

Bytes packed_bytes(const format::ModelSpec& spec, bool is_reference) {
  Bytes bytes = 64 * kKiB + spec.layers.size() * 8 * kKiB;
  if (is_reference) return bytes;  // it reads the file's own layout
  // What the library of matmuls keeps, whatever the model, and what it generates for this one.
  bytes += kKiB * kKiB + n_generated_sizes(spec) * kGenerated;
  // Kernels that read 8-bit panels where they lie in the file.
  const bool reads_file = usable_isa() == Isa::avx512_vnni;
  const format::EmbeddingSpec& embedding = spec.embedding;
  bytes += floats_of(embedding.position) + floats_of(embedding.segment);
  if (embedding.projection) bytes += packed_linear(*embedding.projection, reads_file);
  for (const format::LayerSpec& layer : spec.layers) {
    for (const format::LinearSpec* linear : {&layer.qkv, &layer.out, &layer.up, &layer.down}) {
      bytes += packed_linear(*linear, reads_file);
    }
  }
  bytes += (spec.layers.size() * 4 + 4) * padded(spec.hidden) * kFloat;  // norms
  return bytes + packed_head(spec.head.pooler) + packed_head(spec.head.classifier) +
         packed_head(spec.head.transform);
}

/// Keys and values of a block, with scales in 8 bits.
Bytes keys_and_values(const Widths& widths, Bytes n_rows, bool is_int8) {
  if (!is_int8) return 2 * n_rows * widths.heads * kFloat;
  return 2 * n_rows * (widths.heads + widths.n_heads * kFloat);
}

Bytes workspace_bytes(const Widths& widths, Bytes n_rows, Bytes n_keys, bool is_reference) {
  if (is_reference) {
    const Bytes inputs = widths.widest() + 64;
    return n_rows * (2 * widths.hidden + 4 * widths.heads + widths.feed_forward + inputs) * kFloat +
           n_keys * 16 + widths.widest() * 4 * kFloat;
  }
  // x, its codes, queries and context of a block; then chunks and the panels of a sentence's keys.
  const Bytes rows = n_rows * (6 * widths.hidden + 2 * widths.heads * kFloat + 8);
  const Bytes chunks = kChunkRows * widths.widest() * (3 * kFloat + 2);
  const Bytes panels = n_keys * (2 * widths.head_dim * kFloat + 16 * 2 * kFloat);
  return rows + chunks + panels;
}

/// Buffers side by side in huge pages, of which the last of each chunk leaves a part.
Bytes in_huge_pages(Bytes bytes) {
  return (bytes + bytes / 4 + kHugePage - 1) / kHugePage * kHugePage;
}

Bytes session_bytes(const format::ModelSpec& spec, const SessionOptions& options,
                    bool is_reference) {
  const Widths widths = widths_of(spec);
  const Bytes n_keys = padded(options.max_length == 0 ? spec.max_length : options.max_length);
  const Bytes n_rows = std::max<Bytes>(runtime::default_limits(spec).max_rows, n_keys) + kChunkRows;
  const Bytes threads = options.n_threads == 0 ? usable_cpus() : options.n_threads;
  const Bytes kept = keys_and_values(widths, n_rows, spec.precision == Precision::int8);
  // Rows of head output that wait: a MiB, or one row of a wide vocabulary.
  const Bytes width = std::max<Bytes>(runtime::head_plan(spec).width, 1);
  const Bytes waiting = std::max(kKiB * kKiB / kFloat, width) * kFloat;
  const Bytes few_rows = n_rows * width * kFloat;
  const Bytes waits = std::min(waiting, few_rows) + n_rows * 16;
  const Bytes of_team = threads > 1 ? 2 * kept : 0;
  const Bytes member = workspace_bytes(widths, n_rows, n_keys, is_reference) + kept;
  if (is_reference) return 64 * kKiB + threads * (member + waits) + of_team;
  return 64 * kKiB + threads * (in_huge_pages(member) + waits + 256 * kKiB) +
         in_huge_pages(of_team);
}

/// Of tag models every token has an answer, of the others one a text; of fill_mask one a [MASK],
/// which is not known: one a text is counted, of 16 texts at once.
Bytes call_bytes(const format::ModelSpec& spec, Bytes n_texts, Bytes n_tokens) {
  // Ids, segments, spans and their copy in the order of blocks, grown by doubling.
  constexpr Bytes kToken = 2 * (4 + 1 + 8) + 4 + 1;
  // Where a text lies, its order and its block, and the answer's own fields.
  constexpr Bytes kText = 320;
  const Bytes width = runtime::head_plan(spec).width;
  Bytes n_rows = n_texts;
  Bytes token = kToken;
  if (spec.task == Task::tag) {
    n_rows = n_texts * n_tokens;
    token += 160;  // its word, label and span
  }
  if (spec.task == Task::fill_mask) n_rows = std::min<Bytes>(n_texts, 16);
  // The answers, and as logits and scores in the results.
  return 64 * kKiB + n_texts * (kText + n_tokens * token) + 3 * n_rows * width * kFloat;
}

}  // namespace
}  // namespace espalier::c_api

using namespace espalier::c_api;

extern "C" espalier_status espalier_estimate_memory(const espalier_model* model,
                                                    const espalier_session_options* options,
                                                    std::size_t n_texts, std::size_t n_tokens,
                                                    espalier_memory* memory,
                                                    espalier_error* error) {
  return guard(error, [&] {
    const espalier::Model& opened = required(model, "model").model;
    const espalier::format::ModelSpec& spec = opened.impl().spec();
    const espalier::SessionOptions wanted = session_options(options);
    if (n_tokens > spec.max_length) {
      refuse("n_tokens is " + std::to_string(n_tokens) + ", this model takes at most " +
             std::to_string(spec.max_length));
    }
    constexpr std::size_t kMostTexts = std::size_t{1} << 32;
    if (n_texts > kMostTexts) refuse("n_texts is beyond 2^32");
    const bool is_reference =
        espalier::api::choose_backend(wanted.backend).name == std::string_view("reference");
    espalier_memory estimate{};
    estimate.model_bytes = model_bytes(opened.info(), spec);
    estimate.packed_bytes = packed_bytes(spec, is_reference);
    estimate.session_bytes = session_bytes(spec, wanted, is_reference);
    estimate.call_bytes = call_bytes(spec, n_texts, n_tokens);
    write_info(estimate, memory, "memory");
  });
}
