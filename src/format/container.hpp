// The frame of an .espl file: header, padding, data segment, trailer (formats/README.md has the
// diagram), and the limits of what it may hold.
#pragma once

#include <cstddef>
#include <cstdint>

namespace espalier::format {

/// Version that this library writes and the only one it reads.
inline constexpr std::uint32_t kFormatVersion = 0;

inline constexpr char kFileId[] = "ESPL";        // at kFileIdOffset
inline constexpr std::size_t kFileIdOffset = 8;  // after the header's size and its root offset
inline constexpr std::size_t kFileIdBytes = 4;
inline constexpr std::size_t kSizePrefixBytes = 4;
inline constexpr std::size_t kTrailerBytes = 8;
inline constexpr std::size_t kAlignment = 64;  // of the data segment and of every part in it

/// Bounds the work of the header's verifier and the memory that a header may ask for.
inline constexpr std::size_t kMaxHeaderBytes = std::size_t{16} << 20;

/// Number of bytes with the padding that follows them. `n_bytes` is a size in memory: no overflow.
[[nodiscard]] constexpr std::size_t padded(std::size_t n_bytes) noexcept {
  return (n_bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// The verifier counts tables. The limits below allow 27 a layer, one a stage, pair, added token and
// self-test case and a few more: 48,100 at most, so that what may be written can be read.
inline constexpr std::size_t kMaxTables = 65536;
inline constexpr std::size_t kMaxDepth = 16;

inline constexpr std::uint32_t kMaxLayers = 256;
inline constexpr std::uint32_t kMinHidden = 8;
inline constexpr std::uint32_t kMaxHidden = 16384;
inline constexpr std::uint32_t kMaxHeadDim = 1024;
inline constexpr std::uint32_t kMaxAttention = 65536;  // n_heads * head_dim
// k * 255 * 127 < 2^31, so k <= 66,311 never overflows the s32 sums of an int8 linear.
inline constexpr std::uint32_t kMaxIntermediate = 65536;
inline constexpr std::uint32_t kMaxVocabulary = std::uint32_t{1} << 22;
inline constexpr std::uint32_t kMaxPositions = 65536;
inline constexpr std::uint32_t kMaxSegments = 16;
inline constexpr std::uint32_t kMinLength = 3;  // [CLS], one piece, [SEP]
inline constexpr std::size_t kMaxLabels = 65536;
inline constexpr std::size_t kMaxStringBytes = 1024;
inline constexpr std::size_t kMaxContinuationBytes = 64;
inline constexpr std::uint32_t kMaxWordChars = 1000;
inline constexpr std::size_t kMaxAddedTokens = 16384;
inline constexpr std::size_t kMaxStages = 64;
inline constexpr std::size_t kMaxPairs = 128;  // in each list of a stage
inline constexpr std::size_t kMaxCases = 64;
inline constexpr float kMaxTolerance = 0.5F;

/// A fill_mask self-test keeps the logits of this many vocabulary rows for each [MASK].
inline constexpr std::uint32_t kSelfTestMaskRows = 16;

}  // namespace espalier::format
