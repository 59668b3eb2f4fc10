// The public half of the tokenizer: construction, special tokens, truncation. Cutting is in
// cutting.cpp.
#include "text/tokenizer.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "espalier/error.hpp"
#include "text/unicode.hpp"
#include "text/utf8.hpp"

namespace espalier::text {
namespace {

TokenizerSpec checked(TokenizerSpec spec) {
  validate(spec);
  // Special tokens are cut out of raw text even where a folder does not list them as added.
  std::vector<char> is_added(spec.pieces.size(), 0);
  for (const AddedToken& token : spec.added)
    is_added[static_cast<std::size_t>(to_int(token.id))] = 1;
  for (const std::string* name : {&spec.unk, &spec.cls, &spec.sep, &spec.pad, &spec.mask}) {
    if (name->empty()) continue;
    const auto found = std::find(spec.pieces.rbegin(), spec.pieces.rend(), *name);
    const std::size_t id = static_cast<std::size_t>(spec.pieces.rend() - found) - 1;
    if (is_added[id] == 0) spec.added.push_back({.id = static_cast<TokenId>(id)});
    is_added[id] = 1;
  }
  return spec;
}

// The first eight bytes as a number that orders as they do.
std::uint64_t leading_bytes(std::string_view piece) {
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    key = key << 8 | (i < piece.size() ? static_cast<unsigned char>(piece[i]) : 0U);
  }
  return key;
}

std::vector<std::uint32_t> sort_ids(const std::vector<std::string>& pieces) {
  using Entry = std::pair<std::uint64_t, std::uint32_t>;  // leading bytes, id
  std::vector<Entry> entries;
  entries.reserve(pieces.size());
  for (std::uint32_t id = 0; id < pieces.size(); ++id) {
    entries.emplace_back(leading_bytes(pieces[id]), id);
  }
  std::sort(entries.begin(), entries.end(), [&pieces](const Entry& a, const Entry& b) {
    if (a.first != b.first) return a.first < b.first;
    const int order = pieces[a.second].compare(pieces[b.second]);
    return order != 0 ? order < 0 : a.second > b.second;  // of equal pieces the last id stays
  });
  std::vector<std::uint32_t> ids;
  ids.reserve(entries.size());
  for (const Entry& entry : entries) {
    if (ids.empty() || pieces[ids.back()] != pieces[entry.second]) ids.push_back(entry.second);
  }
  return ids;
}

std::optional<TokenId> find_id(const TokenizerSpec& spec, const std::vector<std::uint32_t>& sorted,
                               std::string_view piece) {
  const auto found = std::lower_bound(
      sorted.begin(), sorted.end(), piece,
      [&spec](std::uint32_t id, std::string_view wanted) { return spec.pieces[id] < wanted; });
  if (found == sorted.end() || spec.pieces[*found] != piece) return std::nullopt;
  return static_cast<TokenId>(*found);
}

struct Lengths {
  std::size_t first;
  std::size_t second;
};

// Both lengths as the reference leaves them; `room` is max_length without special tokens.
Lengths longest_first(Lengths given, std::size_t room) {
  const bool is_swapped = given.first > given.second;
  std::size_t shorter = std::min(given.first, given.second);
  std::size_t longer = shorter > room ? shorter : std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = shorter + room % 2;
  }
  return is_swapped ? Lengths{longer, shorter} : Lengths{shorter, longer};
}

[[noreturn]] void too_short(std::string_view which) {
  throw Error(ErrorCode::bad_input, "the " + std::string(which) +
                                        " text is too short to reach max_length by truncating it "
                                        "alone; use longest_first");
}

Lengths truncate(Lengths given, bool is_pair, const EncodeOptions& options, std::size_t room) {
  if (options.truncation == Truncation::none || given.first + given.second <= room) return given;
  switch (options.truncation) {
    case Truncation::longest_first:
      return is_pair ? longest_first(given, room) : Lengths{room, 0};
    case Truncation::only_first:
      if (given.second >= room && is_pair) too_short("first");
      return {room - given.second, given.second};
    case Truncation::only_second:
      if (!is_pair) throw Error(ErrorCode::usage, "only_second needs a second text");
      if (given.first >= room) too_short("second");
      return {given.first, room - given.first};
    case Truncation::none:
      break;
  }
  return given;
}

void check_text(std::string_view text) {
  if (text.size() >= UINT32_MAX) {
    throw Error(ErrorCode::bad_input, "a text has " + std::to_string(text.size()) +
                                          " bytes, a tokenizer takes less than 4 GiB; split it");
  }
}

void append(const PieceList& pieces, std::size_t n_kept, std::uint8_t segment, TokenBatch& batch) {
  const auto n = static_cast<std::ptrdiff_t>(n_kept);
  batch.ids.insert(batch.ids.end(), pieces.ids.begin(), pieces.ids.begin() + n);
  batch.spans.insert(batch.spans.end(), pieces.spans.begin(), pieces.spans.begin() + n);
  batch.segments.insert(batch.segments.end(), n_kept, segment);
}

void append_special(TokenId id, std::uint8_t segment, TokenBatch& batch) {
  batch.ids.push_back(id);
  batch.spans.push_back({});
  batch.segments.push_back(segment);
}

}  // namespace

Tokenizer::Tokenizer(TokenizerSpec spec)
    : spec_(checked(std::move(spec))),
      sorted_ids_(sort_ids(spec_.pieces)),
      normalizer_(spec_),
      word_piece_(spec_, sorted_ids_, *find_id(spec_, sorted_ids_, spec_.unk)),
      raw_added_(make_finder(Stage::raw)),
      normalized_added_(make_finder(Stage::normalized)),
      cls_(*find(spec_.cls)),
      sep_(*find(spec_.sep)),
      pad_(*find(spec_.pad)) {
  if (!spec_.mask.empty()) mask_ = find(spec_.mask);
  for (std::size_t byte = 0; byte < byte_class_.size(); ++byte) {
    const auto code_point = static_cast<char32_t>(byte);
    const std::uint8_t flags = byte < 0x80 ? char_flags(code_point) : std::uint8_t{kDropped};
    if (byte >= 0x80 || (spec_.clean_text && (flags & kDropped) != 0)) {
      byte_class_[byte] = ByteClass::other;
    } else if ((flags & kSpace) != 0) {
      byte_class_[byte] = ByteClass::space;
    } else {
      byte_class_[byte] = (flags & kPunctuation) != 0 ? ByteClass::punctuation : ByteClass::word;
    }
    const bool is_capital = spec_.lowercase && byte >= 'A' && byte <= 'Z';
    lower_byte_[byte] = static_cast<char>(is_capital ? byte + ('a' - 'A') : byte);
  }
}

AddedTokenFinder Tokenizer::make_finder(Stage stage) const {
  std::vector<AddedTokenFinder::Pattern> patterns;
  for (const AddedToken& token : spec_.added) {
    if (token.normalized != (stage == Stage::normalized)) continue;
    std::string content(piece(token.id));
    if (stage == Stage::normalized) content = normalized(content);
    patterns.push_back({std::move(content), token});
  }
  return AddedTokenFinder(std::move(patterns));
}

std::string Tokenizer::normalized(std::string_view text) const {
  Normalizer::State state;
  std::vector<NormalizedChar> chars;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded decoded = decode(text, at);
    normalizer_.push(decoded.code_point, {}, state, chars);
    at += decoded.n_bytes;
  }
  normalizer_.finish(state, chars);
  std::string result;
  for (const NormalizedChar& next : chars) {
    char bytes[4];
    result.append(bytes, encode_utf8(next.code_point, bytes));
  }
  return result;
}

void Tokenizer::encode(const Text& text, const EncodeOptions& options, TokenBatch& batch,
                       Scratch& scratch) const {
  const bool is_pair = text.second.has_value();
  const std::size_t n_special = is_pair ? 3 : 2;
  const bool is_limited = options.truncation != Truncation::none;
  if (is_limited && options.max_length < n_special) {
    throw Error(ErrorCode::usage, "max_length " + std::to_string(options.max_length) +
                                      " leaves no room for the " + std::to_string(n_special) +
                                      " special tokens");
  }
  const std::size_t room = is_limited ? options.max_length - n_special : SIZE_MAX / 4;
  check_text(text.first);
  if (is_pair) check_text(*text.second);

  // One piece more than there is room for is enough to know what truncation asks, but for the odd
  // piece of two texts that both overflow: the longer text gets it.
  const auto cut_both = [&](std::size_t limit) {
    cut_text({text.first, limit, scratch.first_, scratch});
    scratch.second_.clear();
    if (is_pair) cut_text({*text.second, limit, scratch.second_, scratch});
  };
  cut_both(room + 1);
  if (room % 2 == 1 && scratch.first_.count() > room && scratch.second_.count() > room) {
    cut_both(SIZE_MAX);
  }
  const Lengths given = {scratch.first_.count(), scratch.second_.count()};
  const Lengths kept = truncate(given, is_pair, options, room);

  if (batch.offsets.empty()) batch.offsets.push_back(0);
  append_special(cls_, 0, batch);
  append(scratch.first_, kept.first, 0, batch);
  append_special(sep_, 0, batch);
  if (is_pair) {
    append(scratch.second_, kept.second, 1, batch);
    append_special(sep_, 1, batch);
  }
  batch.offsets.push_back(static_cast<std::uint32_t>(batch.ids.size()));
  batch.truncated.push_back(kept.first < given.first || kept.second < given.second ? 1 : 0);
}

TokenBatch Tokenizer::encode(std::span<const Text> texts, std::uint32_t max_length) const {
  TokenBatch batch;
  batch.offsets.push_back(0);
  Scratch scratch;
  const EncodeOptions options{.max_length = max_length};
  for (std::size_t index = 0; index < texts.size(); ++index) {
    with_context("text " + std::to_string(index),
                 [&] { encode(texts[index], options, batch, scratch); });
  }
  return batch;
}

void Tokenizer::encode_words(std::span<const std::string_view> words, WordPieces& pieces,
                             Scratch& scratch) const {
  pieces.ids.clear();
  pieces.spans.clear();
  pieces.first.assign(1, 0);
  for (const std::string_view word : words) {
    check_text(word);
    cut_text({word, SIZE_MAX, scratch.first_, scratch});
    const PieceList& found = scratch.first_;
    pieces.ids.insert(pieces.ids.end(), found.ids.begin(), found.ids.end());
    pieces.spans.insert(pieces.spans.end(), found.spans.begin(), found.spans.end());
    pieces.first.push_back(static_cast<std::uint32_t>(pieces.ids.size()));
  }
}

std::optional<TokenId> Tokenizer::find(std::string_view piece) const {
  return find_id(spec_, sorted_ids_, piece);
}

}  // namespace espalier::text
