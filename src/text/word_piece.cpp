// Pieces that continue a word are found by starting the trie behind their prefix.
#include "text/word_piece.hpp"

namespace espalier::text {
namespace {

constexpr std::size_t kBytesPerChar = 4;

Trie piece_trie(const TokenizerSpec& spec, const std::vector<std::uint32_t>& sorted_ids) {
  std::vector<char> is_outside(spec.pieces.size(), 0);
  for (const AddedToken& token : spec.added) {
    if (!token.in_vocabulary) is_outside[static_cast<std::size_t>(to_int(token.id))] = 1;
  }
  // What is longer than the longest word can match nothing.
  const std::size_t longest = spec.max_word_chars * kBytesPerChar + spec.continuation.size();
  std::vector<Trie::Entry> entries;
  entries.reserve(sorted_ids.size());
  for (const std::uint32_t id : sorted_ids) {
    if (is_outside[id] == 0 && spec.pieces[id].size() <= longest) {
      entries.push_back({spec.pieces[id], id});
    }
  }
  return Trie(entries);
}

}  // namespace

void PieceList::clear() noexcept {
  ids.clear();
  spans.clear();
}

void PieceList::cut(std::size_t n_kept) {
  ids.resize(n_kept);
  spans.resize(n_kept);
}

WordPiece::WordPiece(const TokenizerSpec& spec, const std::vector<std::uint32_t>& sorted_ids,
                     TokenId unk)
    : trie_(piece_trie(spec, sorted_ids)),
      word_start_(trie_.start_after("")),
      continuation_start_(trie_.start_after(spec.continuation)),
      unk_(unk),
      max_chars_(spec.max_word_chars) {}

}  // namespace espalier::text
