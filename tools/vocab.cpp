// espalier vocab: a WordPiece vocabulary learnt from text.
#include <filesystem>

#include "espalier/error.hpp"
#include "new_model.hpp"
#include "output.hpp"
#include "text/tokenizer_files.hpp"
#include "train_commands.hpp"
#include "training_run.hpp"

namespace espalier::tools {
namespace {

struct VocabOptions {
  std::vector<std::string> files;
  std::string output;
  VocabularyRequest vocabulary;
  bool force = false;
  bool quiet = false;
};

template <typename Visitor>
void visit(VocabOptions& options, Visitor&& visitor) {
  visitor({.name = "TEXT", .help = "text files, .gz too", .required = true}, options.files);
  visitor({.name = "-o,--output",
           .help = "folder to write the tokenizer to",
           .value = "OUT",
           .required = true},
          options.output);
  visit_vocabulary(options.vocabulary, visitor);
  visitor({.name = "--force", .help = "replace the tokenizer in OUT"}, options.force);
  visit_quiet(options.quiet, visitor);
}

void run(const VocabOptions& options) {
  if (options.quiet) silence_notes();
  if (std::filesystem::exists(std::filesystem::path(options.output) / "vocab.txt") &&
      !options.force) {
    throw Error(ErrorCode::output, "'" + options.output +
                                       "' holds a vocabulary already; --force "
                                       "replaces it");
  }
  const text::TokenizerSpec spec = learn_vocabulary(options.files, options.vocabulary);
  make_folder(options.output);
  text::write_tokenizer(options.output, spec,
                        options.force ? Overwrite::replace : Overwrite::refuse);
  write_out(options.output + ": " + std::to_string(spec.pieces.size()) + " pieces\n");
}

}  // namespace

Command vocab_command() {
  return make_command<VocabOptions>(
      {.name = "vocab",
       .summary = "learn a WordPiece vocabulary from text",
       .examples = "espalier vocab books.txt.gz -o english --vocab-size 8000\n"
                   "espalier tokenize english --text 'an unknowable orchard'"},
      run);
}

}  // namespace espalier::tools
