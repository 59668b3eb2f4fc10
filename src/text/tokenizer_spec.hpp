// Everything that decides how a BERT WordPiece tokenizer cuts text, as plain data: what a
// checkpoint folder or a model file says, checked, and nothing derived from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "espalier/types.hpp"

namespace espalier::text {

/// A piece that is cut out of the text whole, before words are looked for. Its content is
/// TokenizerSpec::pieces[id].
struct AddedToken {
  TokenId id{};
  bool in_vocabulary = true;  ///< false: known as an added token only, never a part of a word
  bool single_word = false;   ///< only where no word character touches it
  bool lstrip = false;        ///< takes the white space before it along
  bool rstrip = false;        ///< takes the white space after it along
  bool normalized = false;    ///< looked for in the cleaned text, not in the text as given

  friend bool operator==(const AddedToken&, const AddedToken&) = default;
};

struct TokenizerSpec {
  std::vector<std::string> pieces;  // by id; where two are equal, the later one is the piece
  bool clean_text = true;           ///< drop control characters, every white space a blank
  bool split_cjk = true;            ///< each Chinese character a word
  bool strip_accents = true;        ///< decompose and drop nonspacing marks
  bool lowercase = true;
  std::string unk = "[UNK]";
  std::string cls = "[CLS]";
  std::string sep = "[SEP]";
  std::string pad = "[PAD]";
  std::string mask = "[MASK]";         ///< empty: the vocabulary has none
  std::uint32_t max_word_chars = 100;  ///< longer words are one `unk`; characters after cleaning
  std::string continuation = "##";
  std::vector<AddedToken> added;  // ids distinct
  std::uint32_t max_length = 0;   ///< tokens a model takes, with special ones; 0: not stated

  friend bool operator==(const TokenizerSpec&, const TokenizerSpec&) = default;
};

inline constexpr std::size_t kMaxPieces = 4'000'000;
inline constexpr std::size_t kMaxPieceBytes = std::size_t{16} << 20;  // together; 5 MB are known of
inline constexpr std::size_t kMaxAddedTokens = 65'536;
inline constexpr std::size_t kMaxAddedTokenBytes = 512;  // a match costs at most this many steps
inline constexpr std::uint32_t kMaxWordChars = 1000;     // a word costs at most its square

/// Checks a spec from wherever it came. Throws Error(bad_input) naming the entry: limits above,
/// UTF-8, special tokens that are not in `pieces`, added tokens out of range or twice. Thread-safe.
void validate(const TokenizerSpec& spec);

/// Reads the tokenizer of a checkpoint folder: `tokenizer.json` where it exists, else `vocab.txt`
/// (with `added_tokens.json`), and the flags of `tokenizer_config.json` and
/// `special_tokens_map.json`. As in the transformers package, flags that tokenizer_config.json
/// states for a BERT class win. Throws Error(bad_input) naming file and key for anything that is
/// not a BERT WordPiece tokenizer. Thread-safe. Source: huggingface.co/docs/tokenizers, Devlin et
/// al. 2018.
[[nodiscard]] TokenizerSpec load_tokenizer_spec(const std::filesystem::path& folder);

}  // namespace espalier::text
