// Pairs know the words they occur in, so that joining one looks at these words only, and a queue
// holds them by count. Counts in the queue may be old: a pair that lost some goes back with what it
// has, a pair that won some has been queued again. No pair is ever looked for.
#include "text/vocabulary_trainer.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <queue>
#include <span>
#include <string_view>
#include <utility>

#include "espalier/error.hpp"
#include "text/utf8.hpp"

namespace espalier::text {
namespace {

constexpr std::array<const char*, 5> kSpecialTokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]",
                                                       "[MASK]"};
constexpr std::string_view kContinuation = "##";

using PieceId = std::uint32_t;

struct Word {
  std::size_t begin;     // its pieces are symbols_[begin .. begin + n_pieces]
  std::size_t n_pieces;  // falls with every join
  std::int64_t count;
};

// Two pieces side by side in some words.
struct Pair {
  PieceId first;
  PieceId second;
  std::int64_t count = 0;
  std::vector<std::uint32_t> words = {};  // where it occurs, or has occurred
  bool has_grown = false;                 // since it was queued last
};

struct Candidate {
  std::int64_t count;  // when it was queued
  std::uint64_t key;   // of the pair; of equal counts the smaller one is first
  std::uint32_t pair;

  // The greatest leaves a std::priority_queue first.
  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.count != b.count ? a.count < b.count : a.key > b.key;
  }
};

std::string utf8(char32_t code_point) {
  char bytes[4];
  return {bytes, encode_utf8(code_point, bytes)};
}

class Trainer {
 public:
  Trainer(const WordCounts& counts, const VocabularyOptions& options);

  std::vector<std::string> run(const VocabularyProgress& progress);

 private:
  using SortedCounts = std::vector<std::pair<std::string_view, std::uint64_t>>;

  void add_characters(const SortedCounts& words);
  void add_words(const SortedCounts& words);
  void check_room() const;
  PieceId add_piece(std::string piece);
  void change(PieceId first, PieceId second, std::int64_t by, std::uint32_t word);
  void join(Pair pair, PieceId joined);
  void join_in(std::uint32_t word, const Pair& pair, PieceId joined);
  void queue_grown();

  VocabularyOptions options_;
  std::vector<std::string> pieces_;
  std::unordered_map<std::string, PieceId> ids_;  // of pieces_
  std::map<char32_t, PieceId> starts_;            // characters as the first of a word
  std::map<char32_t, PieceId> continuations_;     // and as a later one
  std::vector<Word> words_;
  std::vector<PieceId> symbols_;
  std::vector<Pair> pairs_;
  std::unordered_map<std::uint64_t, std::uint32_t> pair_of_;  // by key
  std::vector<std::uint32_t> grown_;
  std::priority_queue<Candidate> queue_;
};

std::uint64_t key_of(PieceId first, PieceId second) {
  return std::uint64_t{first} << 32 | second;
}

Trainer::Trainer(const WordCounts& counts, const VocabularyOptions& options) : options_(options) {
  // In an order of their own, not the table's.
  SortedCounts words(counts.begin(), counts.end());
  std::sort(words.begin(), words.end());
  for (const char* token : kSpecialTokens) add_piece(token);
  add_characters(words);
  check_room();
  add_words(words);
  queue_grown();
}

void Trainer::add_characters(const SortedCounts& words) {
  struct Seen {
    std::uint64_t count = 0;
    bool continues = false;
  };
  std::map<char32_t, Seen> seen;
  for (const auto& [word, count] : words) {
    for (std::size_t at = 0; at < word.size();) {
      const Decoded next = decode(word, at);
      Seen& character = seen[next.code_point];
      character.count += count;
      character.continues = character.continues || at > 0;
      at += next.n_bytes;
    }
  }
  std::vector<std::pair<char32_t, Seen>> kept(seen.begin(), seen.end());
  if (options_.max_characters != 0 && kept.size() > options_.max_characters) {
    std::stable_sort(kept.begin(), kept.end(),
                     [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
    kept.resize(options_.max_characters);
    std::sort(kept.begin(), kept.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  for (const auto& character : kept) {
    starts_[character.first] = add_piece(utf8(character.first));
  }
  for (const auto& character : kept) {
    if (!character.second.continues) continue;
    continuations_[character.first] = add_piece(std::string(kContinuation) + utf8(character.first));
  }
}

void Trainer::check_room() const {
  if (options_.n_pieces > kMaxPieces) {
    throw Error(ErrorCode::usage, "a vocabulary of " + std::to_string(options_.n_pieces) +
                                      " pieces is too large; at most " +
                                      std::to_string(kMaxPieces) + " are supported");
  }
  if (options_.n_pieces < pieces_.size()) {
    throw Error(
        ErrorCode::usage,
        "a vocabulary of " + std::to_string(options_.n_pieces) +
            " pieces is too small: " + "the special tokens and characters of the text are " +
            std::to_string(pieces_.size()) + "; allow more pieces, or keep fewer characters");
  }
}

void Trainer::add_words(const SortedCounts& words) {
  for (const auto& [word, count] : words) {
    const auto index = static_cast<std::uint32_t>(words_.size());
    Word added = {symbols_.size(), 0, static_cast<std::int64_t>(count)};
    for (std::size_t at = 0; at < word.size();) {
      const Decoded next = decode(word, at);
      const auto& table = at == 0 ? starts_ : continuations_;
      const auto piece = table.find(next.code_point);
      at += next.n_bytes;
      if (piece == table.end()) continue;
      symbols_.push_back(piece->second);
      ++added.n_pieces;
    }
    for (std::size_t at = 1; at < added.n_pieces; ++at) {
      const PieceId* pieces = symbols_.data() + added.begin;
      change(pieces[at - 1], pieces[at], added.count, index);
    }
    words_.push_back(added);
  }
}

PieceId Trainer::add_piece(std::string piece) {
  const auto [entry, is_new] = ids_.emplace(piece, static_cast<PieceId>(pieces_.size()));
  if (is_new) pieces_.push_back(std::move(piece));
  return entry->second;
}

void Trainer::change(PieceId first, PieceId second, std::int64_t by, std::uint32_t word) {
  const std::uint64_t key = key_of(first, second);
  const auto [entry, is_new] = pair_of_.emplace(key, static_cast<std::uint32_t>(pairs_.size()));
  if (is_new) pairs_.push_back({.first = first, .second = second});
  Pair& pair = pairs_[entry->second];
  pair.count += by;
  if (by < 0) return;
  if (pair.words.empty() || pair.words.back() != word) pair.words.push_back(word);
  if (!pair.has_grown) grown_.push_back(entry->second);
  pair.has_grown = true;
}

void Trainer::queue_grown() {
  for (const std::uint32_t index : grown_) {
    Pair& pair = pairs_[index];
    pair.has_grown = false;
    if (pair.count > 0) queue_.push({pair.count, key_of(pair.first, pair.second), index});
  }
  grown_.clear();
}

void Trainer::join(Pair pair, PieceId joined) {
  for (const std::uint32_t word : pair.words) join_in(word, pair, joined);
}

// Pairs are counted in windows, so the three neighbours "aaa" hold the pair of two a twice.
void Trainer::join_in(std::uint32_t word, const Pair& pair, PieceId joined) {
  Word& place = words_[word];
  const std::span<PieceId> pieces(symbols_.data() + place.begin, place.n_pieces);
  std::size_t n_kept = 0;
  for (std::size_t at = 0; at < pieces.size(); ++n_kept) {
    const bool is_here =
        at + 1 < pieces.size() && pieces[at] == pair.first && pieces[at + 1] == pair.second;
    if (!is_here) {
      pieces[n_kept] = pieces[at++];
      continue;
    }
    if (n_kept > 0) {
      change(pieces[n_kept - 1], pair.first, -place.count, word);
      change(pieces[n_kept - 1], joined, place.count, word);
    }
    if (at + 2 < pieces.size()) {
      change(pair.second, pieces[at + 2], -place.count, word);
      change(joined, pieces[at + 2], place.count, word);
    }
    pieces[n_kept] = joined;
    at += 2;
  }
  place.n_pieces = n_kept;
}

std::vector<std::string> Trainer::run(const VocabularyProgress& progress) {
  while (pieces_.size() < options_.n_pieces && !queue_.empty()) {
    const Candidate best = queue_.top();
    queue_.pop();
    Pair& pair = pairs_[best.pair];
    if (pair.count != best.count) {
      const bool has_shrunk = pair.count > 0 && pair.count < best.count;
      if (has_shrunk) queue_.push({pair.count, best.key, best.pair});
      continue;
    }
    if (static_cast<std::uint64_t>(pair.count) < options_.min_count) break;
    const std::size_t n_before = pieces_.size();
    const PieceId joined =
        add_piece(pieces_[pair.first] + pieces_[pair.second].substr(kContinuation.size()));
    join(std::exchange(pair, Pair{.first = pair.first, .second = pair.second}), joined);
    pairs_[best.pair].count = 0;  // where windows overlapped it has gone below
    queue_grown();
    if (progress && pieces_.size() > n_before) progress(pieces_.size());
  }
  return std::move(pieces_);
}

}  // namespace

std::vector<std::string> train_vocabulary(const WordCounts& counts,
                                          const VocabularyOptions& options,
                                          const VocabularyProgress& progress) {
  if (counts.empty()) {
    throw Error(ErrorCode::bad_input, "the text holds no words to make a vocabulary of");
  }
  return Trainer(counts, options).run(progress);
}

}  // namespace espalier::text
