// Reads tokenizer.json, the one file in which Hugging Face keeps a fast tokenizer whole.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "text/json_reader.hpp"
#include "text/tokenizer_spec.hpp"

namespace espalier::text {

using TokenIds = std::unordered_map<std::string, std::uint32_t>;

/// Ids of a spec's pieces; of equal pieces the last.
[[nodiscard]] TokenIds token_ids(const TokenizerSpec& spec);

/// Adds the token object `token` (content and flags) under `id`: a piece's own id, or the next free
/// one. Throws Error(bad_input) for any other id.
void add_token(TokenizerSpec& spec, TokenIds& ids, const JsonField& token, std::uint32_t id);

/// Fills vocabulary, flags, added tokens and the names of [UNK], [CLS] and [SEP].
/// Throws Error(bad_input) naming the key of anything that is not BERT's.
[[nodiscard]] TokenizerSpec spec_from_tokenizer_json(const Json& document);

}  // namespace espalier::text
