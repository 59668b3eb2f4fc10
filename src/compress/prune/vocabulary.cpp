#include "compress/prune/vocabulary.hpp"

#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "base/printable.hpp"
#include "compress/export/smoothing.hpp"
#include "compress/prune/pruner.hpp"
#include "espalier/error.hpp"
#include "text/utf8.hpp"

namespace espalier::prune {
namespace {

constexpr text::EncodeOptions kInFull = {.max_length = 0, .truncation = text::Truncation::none};

std::size_t index_of(TokenId id) {
  return static_cast<std::size_t>(to_int(id));
}

bool goes_on(std::string_view piece, const text::TokenizerSpec& spec) {
  return piece.size() > spec.continuation.size() &&
         piece.substr(0, spec.continuation.size()) == std::string_view(spec.continuation);
}

/// What the characters of a piece are to the vocabulary.
struct Spelling {
  std::size_t n_chars = 0;
  bool all_stand_alone = true;
};

Spelling spelling_of(std::string_view piece, const text::Tokenizer& tokenizer) {
  const std::string& continuation = tokenizer.spec().continuation;
  Spelling spelling;
  bool is_inside = goes_on(piece, tokenizer.spec());
  for (std::size_t at = is_inside ? continuation.size() : 0; at < piece.size();) {
    const std::size_t n_bytes = text::decode(piece, at).n_bytes;
    const std::string single =
        (is_inside ? continuation : "") + std::string(piece.substr(at, n_bytes));
    if (!tokenizer.find(single)) spelling.all_stand_alone = false;
    ++spelling.n_chars;
    is_inside = true;
    at += n_bytes;
  }
  return spelling;
}

/// Special and added tokens, by id. Of equal pieces the last is the special token.
std::vector<char> reserved_pieces(const text::TokenizerSpec& spec) {
  std::vector<char> is_reserved(spec.pieces.size(), 0);
  for (const text::AddedToken& token : spec.added) is_reserved[index_of(token.id)] = 1;
  for (const std::string* name : {&spec.unk, &spec.cls, &spec.sep, &spec.pad, &spec.mask}) {
    const auto found = std::find(spec.pieces.rbegin(), spec.pieces.rend(), *name);
    if (found == spec.pieces.rend()) continue;  // the vocabulary has no [MASK]
    is_reserved[static_cast<std::size_t>(spec.pieces.rend() - found) - 1] = 1;
  }
  return is_reserved;
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::usage, what);
}

void check_kept(std::span<const TokenId> kept, std::size_t n_pieces) {
  for (std::size_t index = 0; index < kept.size(); ++index) {
    const bool is_there = to_int(kept[index]) >= 0 && index_of(kept[index]) < n_pieces;
    if (is_there && (index == 0 || to_int(kept[index - 1]) < to_int(kept[index]))) continue;
    refuse("piece " + std::to_string(to_int(kept[index])) +
           " to keep is out of order or not among the " + std::to_string(n_pieces) +
           " of the vocabulary");
  }
}

/// Place of `id` in `kept`, its new id.
TokenId new_id(TokenId id, std::span<const TokenId> kept, std::string_view what) {
  const auto found = std::lower_bound(kept.begin(), kept.end(), id);
  if (found == kept.end() || *found != id) {
    refuse(std::string(what) + " (id " + std::to_string(to_int(id)) +
           ") is not among the pieces to keep; it has to stay");
  }
  return static_cast<TokenId>(found - kept.begin());
}

}  // namespace

PieceCounter::PieceCounter(const text::Tokenizer& tokenizer)
    : tokenizer_(tokenizer), counts_(tokenizer.vocabulary_size()) {}

void PieceCounter::add(std::string_view text) {
  batch_ = {};
  tokenizer_.encode({.first = text}, kInFull, batch_, scratch_);
  for (const TokenId id : batch_.ids) ++counts_[index_of(id)];
}

std::vector<TokenId> choose_pieces(const text::Tokenizer& tokenizer,
                                   std::span<const std::uint64_t> counts, const KeepRules& rules) {
  const text::TokenizerSpec& spec = tokenizer.spec();
  if (counts.size() != spec.pieces.size()) {
    refuse("counts of " + std::to_string(counts.size()) + " pieces, the vocabulary has " +
           std::to_string(spec.pieces.size()));
  }
  std::vector<char> stays = reserved_pieces(spec);
  for (const TokenId id : rules.always) {
    check_kept(std::span(&id, 1), spec.pieces.size());
    stays[index_of(id)] = 1;
  }
  std::vector<TokenId> kept;
  for (std::size_t id = 0; id < stays.size(); ++id) {
    const auto token = static_cast<TokenId>(id);
    if (stays[id] == 0 && counts[id] < rules.min_count) {
      // Of equal pieces only the last is ever cut out of a word.
      const Spelling spelling = spelling_of(spec.pieces[id], tokenizer);
      const bool is_needed = spelling.n_chars == 1 || !spelling.all_stand_alone;
      if (!is_needed || tokenizer.find(spec.pieces[id]) != token) continue;
    }
    kept.push_back(token);
  }
  return kept;
}

std::size_t n_unspellable(const text::Tokenizer& tokenizer) {
  const std::vector<char> is_reserved = reserved_pieces(tokenizer.spec());
  std::size_t n = 0;
  for (std::size_t id = 0; id < is_reserved.size(); ++id) {
    if (is_reserved[id] != 0) continue;
    if (!spelling_of(tokenizer.spec().pieces[id], tokenizer).all_stand_alone) ++n;
  }
  return n;
}

std::vector<TokenId> int8_scale_pieces(const text::Tokenizer& tokenizer, std::uint32_t max_length) {
  return compress::smoothing_sentences(tokenizer, max_length).ids;
}

text::TokenizerSpec cut_tokenizer(const text::TokenizerSpec& spec, std::span<const TokenId> kept) {
  check_kept(kept, spec.pieces.size());
  const std::vector<char> is_reserved = reserved_pieces(spec);
  for (std::size_t id = 0; id < is_reserved.size(); ++id) {
    if (is_reserved[id] == 0) continue;
    static_cast<void>(new_id(static_cast<TokenId>(id), kept, printable(spec.pieces[id])));
  }
  text::TokenizerSpec cut = spec;
  cut.pieces.clear();
  for (const TokenId id : kept) cut.pieces.push_back(spec.pieces[index_of(id)]);
  for (text::AddedToken& token : cut.added) token.id = new_id(token.id, kept, "an added token");
  return cut;
}

model::Bert cut_vocabulary(const model::Bert& bert, std::span<const TokenId> kept) {
  check_kept(kept, bert.config.vocab);
  std::vector<std::int64_t> rows;
  std::transform(kept.begin(), kept.end(), std::back_inserter(rows), to_int);
  const at::Tensor index = at::tensor(rows, at::kLong).to(bert.word.device());
  model::Bert cut = bert;
  cut.config.vocab = static_cast<std::uint32_t>(kept.size());
  cut.config.pad_id = static_cast<std::uint32_t>(
      to_int(new_id(static_cast<TokenId>(bert.config.pad_id), kept, "the id for padding")));
  cut.word = bert.word.detach().index_select(0, index);
  if (cut.masked_lm) cut.masked_lm->bias = bert.masked_lm->bias.detach().index_select(0, index);
  return cut;
}

SegmentationComparison::SegmentationComparison(const text::Tokenizer& before,
                                               const text::Tokenizer& after,
                                               std::span<const TokenId> kept)
    : before_(before), after_(after), kept_(kept.begin(), kept.end()) {
  check_kept(kept, before.vocabulary_size());
  bool fits = kept.size() == after.vocabulary_size();
  for (std::size_t id = 0; fits && id < kept.size(); ++id) {
    fits = before.piece(kept[id]) == after.piece(static_cast<TokenId>(id));
  }
  if (!fits) refuse("the pieces to keep are not those of the second tokenizer");
  const text::TokenizerSpec& spec = before.spec();
  const std::vector<char> is_reserved = reserved_pieces(spec);
  for (std::size_t id = 0; id < spec.pieces.size(); ++id) {
    continues_.push_back(is_reserved[id] == 0 && goes_on(spec.pieces[id], spec) ? 1 : 0);
  }
}

void SegmentationComparison::cut(const text::Tokenizer& tokenizer, std::string_view text,
                                 std::vector<TokenId>& ids) {
  batch_ = {};
  tokenizer.encode({.first = text}, kInFull, batch_, scratch_);
  ids.assign(batch_.ids.begin() + 1, batch_.ids.end() - 1);
}

std::size_t SegmentationComparison::end_of_word(std::span<const TokenId> ids,
                                                std::size_t token) const {
  ++token;
  while (token < ids.size() && continues_[index_of(ids[token])] != 0) ++token;
  return token;
}

bool SegmentationComparison::add(std::string_view text) {
  cut(before_, text, ids_before_);
  cut(after_, text, ids_after_);
  for (TokenId& id : ids_after_) id = kept_[index_of(id)];
  const std::uint64_t n_changed = change_.n_changed_words;
  std::size_t old_begin = 0;
  std::size_t begin = 0;
  // Both cut the same words: where words end is the normalizer's doing, not the vocabulary's.
  while (old_begin < ids_before_.size() && begin < ids_after_.size()) {
    const std::size_t old_end = end_of_word(ids_before_, old_begin);
    const std::size_t end = end_of_word(ids_after_, begin);
    const bool is_same = std::equal(ids_before_.begin() + static_cast<std::ptrdiff_t>(old_begin),
                                    ids_before_.begin() + static_cast<std::ptrdiff_t>(old_end),
                                    ids_after_.begin() + static_cast<std::ptrdiff_t>(begin),
                                    ids_after_.begin() + static_cast<std::ptrdiff_t>(end));
    ++change_.n_words;
    if (!is_same) ++change_.n_changed_words;
    if (!is_same && ids_after_[begin] == before_.unk()) ++change_.n_new_unknown_words;
    old_begin = old_end;
    begin = end;
  }
  ++change_.n_texts;
  change_.n_tokens_before += ids_before_.size();
  change_.n_tokens_after += ids_after_.size();
  if (change_.n_changed_words == n_changed) return true;
  ++change_.n_changed_texts;
  return false;
}

Pruned prune_vocabulary(const Problem& problem) {
  // Kept whatever the corpus: then int8 files before and after differ in nothing but rows. However
  // short an export's sentences may be made, these hold theirs.
  const std::vector<TokenId> always =
      int8_scale_pieces(*problem.tokenizer, problem.bert.config.positions);
  const std::vector<TokenId> kept = choose_pieces(
      *problem.tokenizer, problem.piece_counts, {.min_count = problem.min_count, .always = always});
  Pruned pruned = {.bert = cut_vocabulary(problem.bert, kept)};
  pruned.tokenizer = cut_tokenizer(problem.tokenizer->spec(), kept);
  pruned.notes.push_back(std::to_string(kept.size()) + " of " +
                         std::to_string(problem.piece_counts.size()) +
                         " word pieces stay; the model is bound to this kind of text now");
  return pruned;
}

}  // namespace espalier::prune
