#include "compress/objective/corpus.hpp"

#include <string_view>

#include "base/printable.hpp"
#include "compress/objective/labelled_rows.hpp"
#include "data/lines.hpp"
#include "espalier/error.hpp"

namespace espalier::objective {
namespace {

namespace fs = std::filesystem;

std::vector<PieceKind> kinds_of(const text::Tokenizer& tokenizer, TokenId mask) {
  const std::string& continuation = tokenizer.spec().continuation;
  std::vector<PieceKind> kinds;
  for (const std::string& piece : tokenizer.spec().pieces) {
    kinds.push_back(piece.starts_with(continuation) ? PieceKind::continuation : PieceKind::word);
  }
  for (const TokenId id :
       {tokenizer.cls(), tokenizer.sep(), tokenizer.pad(), tokenizer.unk(), mask}) {
    kinds[static_cast<std::size_t>(to_int(id))] = PieceKind::special;
  }
  return kinds;
}

// Lays words into sequences. A sequence is open from its first word until it is closed.
class Packer {
 public:
  Packer(const text::Tokenizer& tokenizer, const CorpusOptions& options, Corpus& corpus)
      : cls_(tokenizer.cls()),
        sep_(tokenizer.sep()),
        unk_(tokenizer.unk()),
        options_(options),
        corpus_(corpus) {
    corpus_.tokens.offsets.push_back(0);
  }

  void end_document() { is_new_document_ = true; }

  /// Adds the pieces of one line, without special tokens around them.
  void add_line(std::span<const TokenId> pieces, Corpus::Origin origin) {
    for (std::size_t begin = 0; begin < pieces.size();) {
      std::size_t end = begin + 1;
      while (end < pieces.size() && corpus_.kind(pieces[end]) == PieceKind::continuation) ++end;
      add_word(pieces.subspan(begin, end - begin), origin);
      begin = end;
    }
  }

  /// Ends the open sequence, if there is one.
  void close() {
    std::vector<TokenId>& ids = corpus_.tokens.ids;
    if (!is_open_) return;
    is_open_ = false;
    if (!is_useful_) {  // it must not become a batch without a target
      ids.resize(corpus_.tokens.offsets.back());
      return;
    }
    if (ids.back() != sep_) ids.push_back(sep_);  // else one that waited for the next document
    corpus_.tokens.offsets.push_back(static_cast<std::uint32_t>(ids.size()));
    corpus_.origins.push_back(origin_);
  }

 private:
  void add_word(std::span<const TokenId> word, Corpus::Origin origin) {
    if (is_new_document_) begin_document();
    while (!word.empty()) {
      if (is_open_ && word.size() > room()) close();
      if (!is_open_) open(origin);
      const std::span<const TokenId> part = word.first(std::min(word.size(), room()));
      for (const TokenId id : part) add_piece(id);
      word = word.subspan(part.size());
    }
  }

  void begin_document() {
    is_new_document_ = false;
    ++corpus_.n_documents;
    if (!is_open_) return;
    if (options_.packing == Packing::separate || room() == 0) {
      close();
    } else {
      corpus_.tokens.ids.push_back(sep_);
    }
  }

  void open(Corpus::Origin origin) {
    if (corpus_.tokens.ids.size() + options_.max_length > UINT32_MAX) {
      throw Error(ErrorCode::resource, "the text has more than 2^32 tokens; give fewer files");
    }
    corpus_.tokens.ids.push_back(cls_);
    origin_ = origin;
    is_open_ = true;
    is_useful_ = false;
  }

  void add_piece(TokenId id) {
    corpus_.tokens.ids.push_back(id);
    ++corpus_.n_pieces;
    if (id == unk_) ++corpus_.n_unknown;
    is_useful_ = is_useful_ || corpus_.kind(id) != PieceKind::special;
  }

  // Pieces that the open sequence still takes, its [SEP] set aside.
  [[nodiscard]] std::size_t room() const {
    const std::size_t length = corpus_.tokens.ids.size() - corpus_.tokens.offsets.back();
    return options_.max_length - 1 - length;
  }

  TokenId cls_;
  TokenId sep_;
  TokenId unk_;
  CorpusOptions options_;
  Corpus& corpus_;
  Corpus::Origin origin_{};
  bool is_open_ = false;
  bool is_useful_ = false;  // the open sequence has a piece that can be masked
  bool is_new_document_ = true;
};

bool separates_by_blank_lines(const fs::path& path, DocumentLayout layout) {
  if (layout != DocumentLayout::detect) return layout == DocumentLayout::blank_lines;
  data::LineSource lines(path);
  bool text_before = false;
  bool blank_after = false;
  std::string_view line;
  while (lines.next(line)) {
    if (data::is_blank(line)) {
      blank_after = text_before;
    } else if (blank_after) {
      return true;
    } else {
      text_before = true;
    }
  }
  return false;
}

void read_file(const fs::path& path, std::uint32_t file, const text::Tokenizer& tokenizer,
               DocumentLayout layout, Packer& packer) {
  const bool by_blank_lines = separates_by_blank_lines(path, layout);
  data::LineSource lines(path);
  text::Scratch scratch;
  TokenBatch batch;
  bool any_text = false;
  std::string_view line;
  packer.end_document();
  while (lines.next(line)) {
    const bool is_blank = data::is_blank(line);
    if (is_blank || !by_blank_lines) packer.end_document();
    if (is_blank) continue;
    any_text = true;
    check_utf8(line, "text", lines.place());
    batch.ids.clear();
    batch.segments.clear();
    batch.spans.clear();
    batch.offsets.clear();
    batch.truncated.clear();
    tokenizer.encode({.first = line}, {.truncation = text::Truncation::none}, batch, scratch);
    packer.add_line(std::span<const TokenId>(batch.ids).subspan(1, batch.ids.size() - 2),
                    {.file = file, .line = lines.place().line});
  }
  if (!any_text) data::fail_at(lines.place(0), "holds no text");
}

}  // namespace

std::string Corpus::place(std::size_t sequence) const {
  const Origin& origin = origins[sequence];
  return "line " + std::to_string(origin.line) + " of '" + files[origin.file] + "'";
}

Corpus load_corpus(std::span<const fs::path> paths, const text::Tokenizer& tokenizer,
                   const CorpusOptions& options) {
  if (paths.empty()) throw Error(ErrorCode::usage, "no text files; name at least one");
  if (options.max_length < 3) {
    throw Error(ErrorCode::usage, "a length of " + std::to_string(options.max_length) +
                                      " tokens has no room between [CLS] and [SEP]");
  }
  if (!tokenizer.mask()) {
    throw Error(ErrorCode::bad_input,
                "the vocabulary has no [MASK], so a masked language model cannot use it");
  }
  Corpus corpus;
  corpus.pad = tokenizer.pad();
  corpus.mask = *tokenizer.mask();
  corpus.kinds = kinds_of(tokenizer, corpus.mask);
  Packer packer(tokenizer, options, corpus);
  for (const fs::path& path : paths) {
    const auto file = static_cast<std::uint32_t>(corpus.files.size());
    corpus.files.push_back(path.filename().string());
    read_file(path, file, tokenizer, options.layout, packer);
  }
  packer.close();
  if (corpus.origins.empty()) {
    throw Error(ErrorCode::bad_input, "the vocabulary knows no piece of the text in " +
                                          printable(paths.front().string(), 300) +
                                          (paths.size() > 1 ? " and the other files" : "") +
                                          "; is it for another language?");
  }
  corpus.tokens.segments.assign(corpus.tokens.ids.size(), 0);
  return corpus;
}

}  // namespace espalier::objective
