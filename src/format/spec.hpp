// The bridge between the two halves: everything a model is, as plain values and views of tensor
// bytes. The exporter fills a ModelSpec, the writer stores it, the reader hands out the same type
// again with its views pointing into the file's bytes. formats/README.md says how each part lies in
// the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "espalier/types.hpp"

namespace espalier::format {

enum class ElementType : std::uint8_t { f32, f16, s8, bf16, s4 };

/// Number of bytes of one element; of the byte that holds two, for s4.
[[nodiscard]] constexpr std::size_t element_bytes(ElementType type) noexcept {
  switch (type) {
    case ElementType::f32:
      return 4;
    case ElementType::f16:
    case ElementType::bf16:
      return 2;
    case ElementType::s8:
    case ElementType::s4:
      return 1;
  }
  return 0;
}

/// Number of bytes of a row of `cols` elements. Two s4 share a byte, and every row begins one.
[[nodiscard]] constexpr std::size_t row_bytes(ElementType type, std::uint32_t cols) noexcept {
  if (type == ElementType::s4) return (std::size_t{cols} + 1) / 2;
  return element_bytes(type) * cols;
}

/// A matrix of the model, viewed where it lies. 64-byte aligned. A vector is a matrix of one row.
struct Tensor {
  ElementType type = ElementType::f32;
  std::uint32_t rows = 0;
  std::uint32_t cols = 0;
  std::span<const std::byte> bytes;

  [[nodiscard]] bool empty() const noexcept { return bytes.empty(); }
  /// The elements, when `type` is the one that T stands for (float, std::int8_t, std::uint16_t; for
  /// s4 the bytes that hold two each, std::uint8_t).
  template <typename T>
  [[nodiscard]] std::span<const T> as() const noexcept {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// Int8 weights lie in panels of 64 output channels, in the order that vpdpbusd, AVX2-VNNI and AMX
/// read: [N/64][K/4][64][4]. N and K are padded with zeros to multiples of 64.
inline constexpr std::uint32_t kPanelColumns = 64;
inline constexpr std::uint32_t kPanelDepthMultiple = 64;

[[nodiscard]] constexpr std::uint32_t round_up(std::uint32_t value, std::uint32_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Position of weight (output channel, input channel) in the panels of a layer with `in` inputs.
[[nodiscard]] constexpr std::size_t panel_index(std::uint32_t out_channel, std::uint32_t in_channel,
                                                std::uint32_t in) noexcept {
  const std::size_t depth = round_up(in, kPanelDepthMultiple);
  return (out_channel / kPanelColumns) * depth * kPanelColumns +
         (in_channel / 4) * std::size_t{4} * kPanelColumns +
         (out_channel % kPanelColumns) * std::size_t{4} + in_channel % 4;
}

/// Four-bit codes lie in [-7, 7]; times the multiplier of their group, 1 to 18, they are int8
/// codes: 7 * 18 <= 127. Two levels of scales cost 1 byte a group instead of 4, and integers alone
/// are multiplied before the sum.
inline constexpr std::int8_t kMaxFourBitCode = 7;
inline constexpr std::int8_t kMaxMultiplier = 18;

/// Numbers of columns that may share a multiplier: even, so that no byte lies in two groups.
[[nodiscard]] constexpr bool is_group(std::uint32_t group) noexcept {
  return group == 32 || group == 64 || group == 128;
}

/// Number of groups of a row; the last may be short.
[[nodiscard]] constexpr std::uint32_t n_groups(std::uint32_t cols, std::uint32_t group) noexcept {
  return (cols + group - 1) / group;
}

/// How the input of an int8 linear is coded. x ≈ (code - zero) * scale; base/canonical.hpp has the
/// operations.
enum class ActivationCodes : std::uint8_t {
  per_token_symmetric,   ///< s8 in [-127, 127], scale = max|x| / 127 of each row, found at run time
  per_token_asymmetric,  ///< u8, scale and zero of each row, found at run time: its range and 0.
                         ///< For rows that lie on one side of 0, as GELU's output does
  per_tensor_asymmetric  ///< u8, scale and zero stored, the same for all rows; what lies past the
                         ///< range counts as its end
};

/// Scales of per_tensor_asymmetric codes: their inverse must be a number too.
inline constexpr float kMinActivationScale = 1e-30F;

/// y = x Wᵀ + bias, x (rows, in), y (rows, out).
/// fp32: weight is f32 (out, in), row-major; scale is empty.
/// bf16: the same with a bf16 weight. Each x is rounded to bfloat16, half to even, before the
/// products, which a float holds exactly; their sum, the bias and all else are as in fp32.
/// int8: weight is s8 panels, values in [-127, 127]; W[n][k] ≈ weight * scale[n], scale (1, out)
/// f32 > 0. Or weight is s4 (out, in), row-major, and stands for the s8 weights that it makes with
/// multiplier (out, n_groups(in, group)) s8: weight[n][k] * multiplier[n][k / group]; all else is
/// as with those (format/four_bits.hpp). input_scale, empty or (1, in) f32 > 0: the codes of the
/// input are made of x[k] * input_scale[k] and the weights hold the inverse, so that outlier
/// channels leave codes to the others (SmoothQuant, Xiao et al. 2022). Only qkv, up and down have
/// one: what codes the outputs of a LayerNorm and of GELU reads them once more anyway.
/// `activations` of qkv, out, up and down with inputs and outputs may be any; of all other linears
/// it is the first, which means nothing but in int8. `in` may be 0 (all heads or the whole FFN
/// pruned away): then weight is empty and y is the bias.
struct LinearSpec {
  std::uint32_t in = 0;
  std::uint32_t out = 0;
  Precision precision = Precision::fp32;
  ActivationCodes activations = ActivationCodes::per_token_symmetric;
  float activation_scale = 0;         // per_tensor_asymmetric: >= kMinActivationScale; else 0
  std::uint32_t activation_zero = 0;  // per_tensor_asymmetric: 0 to 255, the code of 0; else 0
  Tensor weight;
  Tensor scale;
  Tensor bias;  // (1, out) f32; empty in the projection of the words only: nothing is added
  Tensor input_scale;
  std::uint32_t group = 0;  // weight s4: inputs that share a multiplier, is_group(); else 0
  Tensor multiplier;        // weight s4: (out, n_groups) s8 in [1, kMaxMultiplier]; else empty
};

/// A linear of a head: f32 or f16 weight (out, in), row-major; bias (1, out) f32. Computed in fp32.
struct HeadLinear {
  std::uint32_t in = 0;
  std::uint32_t out = 0;
  Tensor weight;
  Tensor bias;
};

struct NormSpec {
  Tensor weight;  // (1, hidden) f32, gamma
  Tensor bias;    // (1, hidden) f32, beta
};

/// word: f32 or bf16 (vocabulary, hidden), or s8 with word_scale (1, vocabulary) f32 >= 0, a scale
/// each row, or s4 with word_scale and word_multiplier, which make the s8 row as a linear's do.
/// position (positions, hidden) and segment (segments, hidden): f32 or f16. segment may
/// be empty (DistilBERT): then nothing is added, and the segments of tokens are not looked at.
/// projection, if there is one, rank -> hidden with 1 <= rank < hidden and the words' precision:
/// word is (vocabulary, rank) then, and a token's x is (position + segment) + word projectionᵀ.
/// int8: a row's codes are the input as they are and word_scale[id] is their scale, nothing is
/// coded anew; the sums end as those of any int8 linear, with bias 0.
struct EmbeddingSpec {
  Tensor word;
  Tensor word_scale;
  Tensor position;
  Tensor segment;
  NormSpec norm;
  std::optional<LinearSpec> projection = {};
  std::uint32_t word_group = 0;  // word s4: columns that share a multiplier, is_group(); else 0
  Tensor word_multiplier = {};   // word s4: (vocabulary, n_groups) s8 in [1, kMaxMultiplier]
};

/// What the words are stored in, which need not be what the model's linears are.
[[nodiscard]] constexpr Precision word_precision(const EmbeddingSpec& embedding) noexcept {
  switch (embedding.word.type) {
    case ElementType::s8:
    case ElementType::s4:
      return Precision::int8;
    case ElementType::bf16:
      return Precision::bf16;
    case ElementType::f32:
    case ElementType::f16:
      break;
  }
  return Precision::fp32;
}

/// Widths differ from layer to layer in pruned models; nothing may be derived from hidden /
/// head_dim. With A = n_heads * head_dim: qkv has in = hidden and out = 3A, rows ordered Q heads, K
/// heads, V heads; out has in = A and out = hidden; up hidden -> intermediate; down intermediate ->
/// hidden.
struct LayerSpec {
  std::uint32_t n_heads = 0;
  std::uint32_t intermediate = 0;
  LinearSpec qkv;
  LinearSpec out;
  NormSpec attention_norm;
  LinearSpec up;
  LinearSpec down;
  NormSpec output_norm;
};

enum class Pooling : std::uint8_t { mean, cls };

/// What follows the pooler: tanh in BERT, ReLU in DistilBERT.
enum class PoolerActivation : std::uint8_t { tanh, relu };

/// classify, multi_label, regress: pooler, its activation and classifier on the first token.
/// tag: classifier on every token. embed: pooling, then L2 normalisation if asked for.
/// fill_mask: transform, GELU, transform_norm, then the word embeddings as decoder + decoder_bias.
struct HeadSpec {
  std::optional<HeadLinear> pooler;
  std::optional<HeadLinear> classifier;
  Pooling pooling = Pooling::mean;
  bool normalize = false;
  std::optional<HeadLinear> transform;
  NormSpec transform_norm;
  Tensor decoder_bias;                                          // (1, vocabulary) f32
  PoolerActivation pooler_activation = PoolerActivation::tanh;  // tanh without a pooler
};

struct AddedToken {
  std::string content;
  std::uint32_t id = 0;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;
};

/// WordPiece as text::TokenizerSpec has it. The pieces lie in `vocabulary` in id order, each ended
/// by a line feed (no piece contains one).
struct TokenizerSpec {
  std::string_view vocabulary;
  std::uint32_t n_pieces = 0;
  bool lowercase = false;
  bool strip_accents = false;
  bool split_cjk = true;
  bool clean_text = true;
  std::uint32_t unk = 0;
  std::uint32_t cls = 0;
  std::uint32_t sep = 0;
  std::uint32_t pad = 0;
  std::uint32_t mask = 0;
  std::uint32_t max_word_chars = 100;
  std::string continuation = "##";
  std::vector<AddedToken> added;
};

/// One step of the model's making. Names and hashes only: never a path, host, time or user's text.
struct ProvenanceStage {
  std::string name;                                          // "quantize"
  std::string version;                                       // of espalier
  std::vector<std::pair<std::string, std::string>> options;  // as given, defaults included
  std::vector<std::pair<std::string, std::string>> inputs;   // base name, XXH3-64 in hex
  std::vector<std::pair<std::string, std::string>> metrics;
};

/// A fixed sentence of this project with the outputs that `reference` computes for it.
struct SelfTestCase {
  std::vector<TokenId> ids;
  std::vector<std::uint8_t> segments;
  std::vector<float> expected;  // what Session::run writes for this sentence alone (fill_mask: see
                                // formats/README.md)
};

/// tolerance 0: bit-equal (an int8 model, all linears int8); else |difference| <= tolerance *
/// max(1, |expected|).
struct SelfTest {
  float tolerance = 0;
  std::vector<SelfTestCase> cases;
};

struct ModelSpec {
  Task task = Task::classify;
  // Of all that lies between the linears: int8 is canonical arithmetic and codes within attention,
  // fp32 and bf16 are floats. Every linear and the words say theirs, in any mixture.
  Precision precision = Precision::fp32;
  std::uint32_t hidden = 0;
  std::uint32_t head_dim = 0;
  float layer_norm_eps = 0;
  std::uint32_t max_length = 0;  // tokens of a sentence with its special tokens, <= positions
  std::vector<std::string> labels;
  EmbeddingSpec embedding;
  std::vector<LayerSpec> layers;
  HeadSpec head;
  TokenizerSpec tokenizer;
  std::vector<ProvenanceStage> provenance;
  SelfTest self_test;

  [[nodiscard]] std::uint32_t vocabulary_size() const noexcept { return embedding.word.rows; }
  /// Columns of the word table: its rank where it is factorised, else hidden.
  [[nodiscard]] std::uint32_t word_width() const noexcept {
    return embedding.projection ? embedding.projection->in : hidden;
  }
  [[nodiscard]] std::uint32_t n_positions() const noexcept { return embedding.position.rows; }
  /// 0: the model does without.
  [[nodiscard]] std::uint32_t n_segments() const noexcept { return embedding.segment.rows; }
};

}  // namespace espalier::format
