// The sum that an encoder begins with: word, position and segment of a token. Its norm is the
// caller's.
#pragma once

#include <cstddef>
#include <span>

#include "espalier/types.hpp"
#include "format/spec.hpp"
#include "runtime/reference/linear.hpp"

namespace espalier::runtime::reference {

/// The numbers, or the codes, of word `id` into dst (word.cols).
void load_word(const format::EmbeddingSpec& embedding, std::size_t id,
               std::span<float> dst) noexcept;

/// What the row of a word is multiplied with; 1 unless it is coded.
[[nodiscard]] float word_scale(const format::EmbeddingSpec& embedding, std::size_t id) noexcept;

/// Where a token stands: rows of two tables.
struct Place {
  std::size_t position = 0;
  std::size_t segment = 0;  // not looked at where there are none
};

/// x (hidden) = the sum for one token. A factorised table's word, already multiplied by the
/// projection, is expected in x: (position + segment) + x then.
void embed_token(const format::ModelSpec& spec, TokenId id, const Place& at,
                 std::span<float> x) noexcept;

/// dst (ids.size(), hidden) = words of a factorised table times its projection; nothing when the
/// table is whole. int8: the codes and the scale of each row are the linear's input as they are.
void project_words(const format::EmbeddingSpec& embedding, std::span<const TokenId> ids,
                   std::span<float> dst, LinearScratch& scratch);

}  // namespace espalier::runtime::reference
