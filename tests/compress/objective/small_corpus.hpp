// A corpus of a few lines over the tiny vocabulary.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compress/objective/corpus.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_vocabulary.hpp"

namespace espalier::objective {

inline text::Tokenizer tiny_tokenizer() {
  text::TokenizerSpec spec;
  spec.pieces = testing::tiny_vocabulary();
  return text::Tokenizer(spec);
}

/// What load_corpus makes of a file "text.txt" with these bytes.
inline Corpus small_corpus(std::string_view bytes, const CorpusOptions& options = {}) {
  const testing::TemporaryFolder folder;
  const std::filesystem::path path = folder / "text.txt";
  testing::write_file(path, bytes);
  return load_corpus({&path, 1}, tiny_tokenizer(), options);
}

/// Sequences as their pieces, blanks between.
inline std::vector<std::string> sequences_of(const Corpus& corpus) {
  const std::vector<std::string> pieces = testing::tiny_vocabulary();
  std::vector<std::string> sequences;
  for (std::size_t sequence = 0; sequence < corpus.tokens.n_sentences(); ++sequence) {
    std::string& text = sequences.emplace_back();
    for (std::size_t token = corpus.tokens.offsets[sequence];
         token < corpus.tokens.offsets[sequence + 1]; ++token) {
      text += (text.empty() ? "" : " ") +
              pieces[static_cast<std::size_t>(to_int(corpus.tokens.ids[token]))];
    }
  }
  return sequences;
}

}  // namespace espalier::objective
