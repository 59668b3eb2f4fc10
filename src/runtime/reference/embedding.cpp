#include "runtime/reference/embedding.hpp"

#include <algorithm>
#include <cmath>

#include "format/four_bits.hpp"

namespace espalier::runtime::reference {
namespace {

float segment_at(const format::ModelSpec& spec, std::size_t segment, std::size_t unit) noexcept {
  if (spec.embedding.segment.empty()) return 0;
  return element(spec.embedding.segment, segment * spec.hidden + unit);
}

}  // namespace

float word_scale(const format::EmbeddingSpec& embedding, std::size_t id) noexcept {
  return embedding.word_scale.empty() ? 1 : embedding.word_scale.as<float>()[id];
}

void load_word(const format::EmbeddingSpec& embedding, std::size_t id,
               std::span<float> dst) noexcept {
  if (embedding.word.type != format::ElementType::s4) return load_row(embedding.word, id, dst);
  const format::FourBitRow row =
      format::four_bit_row(embedding.word, embedding.word_multiplier, embedding.word_group, id);
  for (std::size_t col = 0; col < dst.size(); ++col) {
    const std::uint8_t byte = row.codes[col / 2];
    const int code = col % 2 == 0 ? format::lower_code(byte) : format::upper_code(byte);
    dst[col] = static_cast<float>(code * row.multipliers[col / row.group]);
  }
}

void embed_token(const format::ModelSpec& spec, TokenId id, const Place& at,
                 std::span<float> x) noexcept {
  const format::EmbeddingSpec& embedding = spec.embedding;
  const bool is_whole = !embedding.projection.has_value();
  const auto row = static_cast<std::size_t>(to_int(id));
  const float scale = is_whole ? word_scale(embedding, row) : 1;
  if (is_whole) load_word(embedding, row, x);
  for (std::size_t unit = 0; unit < x.size(); ++unit) {
    const float word = x[unit];
    const float place = element(embedding.position, at.position * spec.hidden + unit);
    const float side = segment_at(spec, at.segment, unit);
    switch (spec.precision) {
      case Precision::fp32:
      case Precision::bf16:
        x[unit] = static_cast<float>(double{word} * double{scale} + double{place} + double{side});
        break;
      case Precision::int8:
        x[unit] = is_whole ? std::fma(word, scale, place) + side : (place + side) + word;
        break;
    }
  }
}

void project_words(const format::EmbeddingSpec& embedding, std::span<const TokenId> ids,
                   std::span<float> dst, LinearScratch& scratch) {
  if (!embedding.projection) return;
  const format::LinearSpec& spec = *embedding.projection;
  const auto n_rows = static_cast<std::uint32_t>(ids.size());
  const bool int8 = spec.precision == Precision::int8;
  const std::size_t stride =
      int8 ? format::round_up(spec.in, format::kPanelDepthMultiple) : spec.in;
  for (std::size_t row = 0; row < n_rows; ++row) {
    const auto id = static_cast<std::size_t>(to_int(ids[row]));
    const std::span<float> inputs = std::span(scratch.inputs).subspan(row * stride, stride);
    std::fill(inputs.begin(), inputs.end(), 0.0F);
    load_word(embedding, id, inputs.first(spec.in));
    scratch.scales[row] = word_scale(embedding, id);
  }
  if (int8) {
    multiply_codes(spec, n_rows, dst, scratch);
  } else {
    linear(spec, scratch.inputs, n_rows, dst, scratch);  // bf16 words round to themselves
  }
}

}  // namespace espalier::runtime::reference
