#include "runtime/cpu/embedding.hpp"

#include <algorithm>
#include <functional>

#include "base/bfloat16.hpp"
#include "format/four_bits.hpp"

namespace espalier::runtime::cpu {
namespace {

// Words lie anywhere in a table far larger than caches: they are asked for some tokens ahead.
constexpr std::uint32_t kWordsAhead = 4;

void prefetch_word(const format::EmbeddingSpec& embedding, TokenId id) {
  const std::size_t row_bytes = embedding.word.bytes.size() / embedding.word.rows;
  const std::byte* const row =
      embedding.word.bytes.data() + static_cast<std::size_t>(to_int(id)) * row_bytes;
  for (std::size_t at = 0; at < row_bytes; at += kLineBytes) __builtin_prefetch(row + at);
}

/// word + position + segment of one token.
void add_word(CpuWorkspace& ws, std::size_t id, const float* position, const float* segment,
              float* x) {
  const format::EmbeddingSpec& embedding = ws.model.spec.embedding;
  const std::uint32_t hidden = ws.model.spec.hidden;
  if (format::word_precision(embedding) == Precision::int8) {
    ws.model.rows.add_code_embeddings(format::word_codes(embedding, id, ws.word_row).data(),
                                      embedding.word_scale.as<float>()[id], position, segment,
                                      hidden, x);
  } else {
    ws.model.rows.add_float_embeddings(float_word(embedding.word, id, ws.head_rows.data()),
                                       position, segment, hidden, x);
  }
}

/// A row of codes as its linear reads it. Its padding meets weights of 0, whatever it holds.
void copy_codes(std::span<const std::int8_t> src, CodeLayout layout, void* dst) {
  switch (layout) {
    case CodeLayout::s16:
      std::copy(src.begin(), src.end(), static_cast<std::int16_t*>(dst));
      return;
    case CodeLayout::u8:
      std::transform(src.begin(), src.end(), static_cast<std::uint8_t*>(dst),
                     [](std::int8_t code) { return static_cast<std::uint8_t>(code + 128); });
      return;
  }
}

/// Rows of a factorised table, the first `ids.size()` of the workspace's words.
void load_words(CpuWorkspace& ws, std::span<const TokenId> ids) {
  const format::EmbeddingSpec& embedding = ws.model.spec.embedding;
  const std::uint32_t rank = ws.model.spec.word_width();
  for (std::size_t row = 0; row < ids.size(); ++row) {
    const auto id = static_cast<std::size_t>(to_int(ids[row]));
    if (format::word_precision(embedding) == Precision::int8) {
      copy_codes(format::word_codes(embedding, id, ws.word_row), ws.model.code_layout,
                 code_row(ws.word_codes, ws.model.code_layout, row, rank));
      ws.word_codes.scale[row] = embedding.word_scale.as<float>()[id];
    } else {
      float* word = ws.words.data() + row * float_stride(rank);
      const float* src = float_word(embedding.word, id, word);
      if (src != word) std::copy(src, src + rank, word);
    }
  }
}

}  // namespace

const float* float_word(const format::Tensor& word, std::size_t id, float* scratch) noexcept {
  const std::size_t first = id * word.cols;
  if (word.type == format::ElementType::f32) return word.as<float>().data() + first;
  const std::span<const std::uint16_t> row = word.as<std::uint16_t>().subspan(first, word.cols);
  std::transform(row.begin(), row.end(), scratch, bfloat16_to_float);
  return scratch;
}

void sum_embeddings(CpuWorkspace& ws) {
  const CpuModel& model = ws.model;
  const TokenBlock& block = ws.block;
  const format::EmbeddingSpec& embedding = model.spec.embedding;
  const std::size_t hidden = model.spec.hidden;
  const std::size_t stride = float_stride(model.spec.hidden);
  const bool factorised = model.word_projection.linear != nullptr;
  for (std::uint32_t sentence = 0; sentence < block.n_sentences(); ++sentence) {
    const std::uint32_t first = block.first_row(sentence);
    const std::uint32_t end = std::min(ws.range.end, block.first_row(sentence + 1));
    for (std::uint32_t row = std::max(ws.range.begin, first); row < end; ++row) {
      if (row + kWordsAhead < end) prefetch_word(embedding, block.ids[row + kWordsAhead]);
      const float* position = model.position.data() + (row - first) * hidden;
      const float* segment = model.segment_row(block.segments[row]);
      float* x = ws.x.data() + (row - ws.range.begin) * stride;
      if (factorised) {
        std::transform(position, position + hidden, segment, x, std::plus<>());
      } else {
        add_word(ws, static_cast<std::size_t>(to_int(block.ids[row])), position, segment, x);
      }
    }
  }
  if (!factorised) return;
  for_chunks(ws.n_rows, [&](std::uint32_t first, std::uint32_t n_rows) {
    load_words(ws, block.ids.subspan(ws.range.begin + first, n_rows));
    run(ws, model.word_projection,
        input_of(model, ws.words.data(), ws.word_codes, model.spec.word_width(), 0, n_rows),
        Output::add, ws.x.data() + first * stride);
  });
}

}  // namespace espalier::runtime::cpu
