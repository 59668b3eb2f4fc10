// Raw text as sequences of tokens for masked-LM training. What is kept is token ids, never the
// text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "espalier/types.hpp"
#include "text/tokenizer.hpp"

namespace espalier::objective {

/// What a piece of the vocabulary is to masking.
enum class PieceKind : std::uint8_t {
  special,       ///< [CLS], [SEP], [PAD], [MASK], and [UNK], from which nothing can be learnt
  word,          ///< begins a word; every Chinese character does
  continuation,  ///< goes on with the word before it
};

/// How the documents of a file are told apart.
enum class DocumentLayout : std::uint8_t {
  detect,       ///< blank_lines if a blank line stands between two others, else lines;
                ///< reads a file twice
  lines,        ///< each line a document; blank ones are skipped
  blank_lines,  ///< any number of lines each, with blank lines between documents
};

/// What shares a sequence. Names in brackets are those of Liu et al. 2019 (RoBERTa), section 4.2.
enum class Packing : std::uint8_t {
  joined,    ///< a document goes on where the one before it ended, after another [SEP]: every
             ///< sequence is full but the last (FULL-SENTENCES)
  separate,  ///< a sequence holds one document, and the last of each may be short (DOC-SENTENCES)
};

struct CorpusOptions {
  std::uint32_t max_length = 128;  ///< tokens of a sequence, [CLS] and [SEP] included; from 3
  DocumentLayout layout = DocumentLayout::detect;
  Packing packing = Packing::joined;
};

/// Sequences [CLS] pieces [SEP], segments 0. They begin and end between words (a word that is
/// longer than a sequence is cut), so that a full one may lack a few pieces of max_length.
struct Corpus {
  /// Where a sequence's first piece was read.
  struct Origin {
    std::uint32_t file;  // index into files
    std::size_t line;    // from 1
  };

  TokenBatch tokens;             // without spans and truncated
  std::vector<PieceKind> kinds;  // (vocabulary)
  TokenId pad{};
  TokenId mask{};
  std::vector<std::string> files;  // names without folders
  std::vector<Origin> origins;     // (sequences)
  std::size_t n_documents = 0;     // that have pieces
  std::size_t n_pieces = 0;        // without the special tokens that packing adds
  std::size_t n_unknown = 0;       // pieces that are [UNK]: many of them mean another vocabulary

  [[nodiscard]] PieceKind kind(TokenId id) const {
    return kinds[static_cast<std::size_t>(to_int(id))];
  }
  /// "line 12 of 'books.txt'"
  [[nodiscard]] std::string place(std::size_t sequence) const;
};

/// Reads text files, plain or gzip-compressed, one after the other; no document crosses files.
/// A sequence without any piece to learn from is left out. Memory: 5 bytes a token.
/// Throws Error(bad_input), naming file and line, for a file that cannot be read or holds no text,
/// for a line that is not UTF-8 (a model would learn from the damage), for text that the vocabulary
/// knows no piece of, and for a vocabulary without [MASK]; Error(usage) for a max_length below 3 or
/// no paths; Error(resource) from 2^32 tokens. Thread-safe.
[[nodiscard]] Corpus load_corpus(std::span<const std::filesystem::path> paths,
                                 const text::Tokenizer& tokenizer, const CorpusOptions& options);

}  // namespace espalier::objective
