// Plain types shared by the whole library: token batches in, and the names of tasks and precisions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

/// Index of a piece in the vocabulary. Not an int, so that it is never mixed with a position.
enum class TokenId : std::int32_t {};

[[nodiscard]] constexpr std::int32_t to_int(TokenId id) noexcept {
  return static_cast<std::int32_t>(id);
}

/// What a model answers.
enum class Task : std::uint8_t {
  classify,     ///< one label out of many: softmax over logits
  multi_label,  ///< any number of labels: a sigmoid each
  regress,      ///< one real number
  tag,          ///< a label for each word, joined to spans (IOB1 or IOB2)
  embed,        ///< one vector for a sentence
  fill_mask,    ///< pieces for each [MASK] token
};

/// "classify", "multi_label", ...: the task as files, reports and messages spell it.
[[nodiscard]] constexpr std::string_view name_of(Task task) noexcept {
  switch (task) {
    case Task::classify:
      return "classify";
    case Task::multi_label:
      return "multi_label";
    case Task::regress:
      return "regress";
    case Task::tag:
      return "tag";
    case Task::embed:
      return "embed";
    case Task::fill_mask:
      return "fill_mask";
  }
  return "unknown";
}

/// How a model's linear layers are stored and computed.
enum class Precision : std::uint8_t {
  fp32,
  int8,  ///< 8-bit codes with scales, sums in integers
  bf16,  ///< weights and what they are multiplied with rounded to bfloat16, sums in fp32
};

/// "fp32", "int8", "bf16".
[[nodiscard]] constexpr std::string_view name_of(Precision precision) noexcept {
  switch (precision) {
    case Precision::fp32:
      return "fp32";
    case Precision::int8:
      return "int8";
    case Precision::bf16:
      return "bf16";
  }
  return "unknown";
}

/// Half-open range of bytes in a text.
struct ByteSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  friend bool operator==(const ByteSpan&, const ByteSpan&) = default;
};

/// One input: a text, or a pair of texts that the model reads together.
struct Text {
  std::string_view first;
  std::optional<std::string_view> second = std::nullopt;
};

/// When a call gives up before it is done: never, unless one of these is set. Looked at when the
/// call begins and before each block of sentences (up to 256 tokens, or one longer sentence), never
/// while texts are cut into tokens.
struct CallLimits {
  /// Stop once this is not 0. The caller's; any thread or signal handler may set it, atomically
  /// (std::atomic_ref), and it outlives the call. nullptr: there is none.
  const std::int32_t* cancel = nullptr;

  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

/// Sentences as token ids, laid end to end without padding.
struct TokenBatch {
  std::vector<TokenId> ids;             // (tokens), each sentence with its [CLS] and [SEP]
  std::vector<std::uint8_t> segments;   // (tokens), 0 for the first text, 1 for the second
  std::vector<std::uint32_t> offsets;   // (sentences + 1), offsets[0] == 0, never decreasing
  std::vector<ByteSpan> spans;          // (tokens), bytes in the text of its segment; {0, 0} for
                                        // special tokens; may be empty when ids came from elsewhere
  std::vector<std::uint8_t> truncated;  // (sentences), 1 where pieces were cut off; may be empty

  [[nodiscard]] std::size_t n_sentences() const noexcept {
    return offsets.empty() ? 0 : offsets.size() - 1;
  }
  [[nodiscard]] std::size_t n_tokens() const noexcept { return ids.size(); }
};

}  // namespace espalier
