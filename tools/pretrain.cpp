// espalier pretrain: a masked LM learns a language from raw text, from scratch or further.
#include <filesystem>
#include <optional>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/objective/masked_lm.hpp"
#include "espalier/error.hpp"
#include "new_model.hpp"
#include "output.hpp"
#include "report.hpp"
#include "task_data.hpp"
#include "train_commands.hpp"
#include "training_run.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

TrainingRequest pretraining_defaults() {
  TrainingRequest request;
  request.epochs = 10;
  request.learning_rate = 5e-4;
  return request;
}

struct PretrainOptions {
  std::string start;
  std::vector<std::string> train;
  std::string eval;
  std::string vocab;
  VocabularyRequest vocabulary;
  Shape shape;
  std::string documents = "auto";
  std::string packing = "joined";
  double mask_share = 0.15;
  bool whole_words = false;
  TrainingRequest training = pretraining_defaults();
};

template <typename Visitor>
void visit(PretrainOptions& options, Visitor&& visitor) {
  visitor({.name = "--train",
           .help = "raw text, .gz too; may be repeated",
           .value = "FILE",
           .required = true},
          options.train);
  visitor({.name = "--eval", .help = "text to choose the best epoch by", .value = "FILE"},
          options.eval);
  visitor({.name = "--start",
           .help = "checkpoint folder to go on from; else from scratch",
           .value = "DIR"},
          options.start);
  visitor({.name = "--vocab",
           .help = "vocab.txt or tokenizer folder; else learnt from the text",
           .value = "FILE"},
          options.vocab);
  visit_vocabulary(options.vocabulary, visitor);
  visit_shape(options.shape, visitor);
  visitor({.name = "--documents",
           .help = "a document is a line, or ends at a blank line",
           .choices = "auto|lines|blank-lines"},
          options.documents);
  visitor({.name = "--packing",
           .help = "whether documents share a sequence",
           .choices = "joined|separate"},
          options.packing);
  visitor(
      {.name = "--mask-share", .help = "of the pieces that are hidden", .min = 0.01, .max = 0.9},
      options.mask_share);
  visitor({.name = "--whole-words", .help = "hide all pieces of a word or none"},
          options.whole_words);
  visit_training(options.training, visitor);
}

// Everything that is read and checked before the first step.
class Pretraining {
 public:
  explicit Pretraining(const PretrainOptions& options) : options_(options) {
    if (!options.start.empty()) {
      start_.emplace(checkpoint::Checkpoint::open(options.start));
      if (!options.vocab.empty()) {
        throw Error(ErrorCode::usage, "--start brings its own vocabulary; leave --vocab away");
      }
      for (const std::string& line : start_->notes()) note("note: " + line);
    }
    spec_ = start_                  ? tokenizer_of(*start_)
            : options.vocab.empty() ? learn_vocabulary(options.train, options.vocabulary)
                                    : read_vocabulary(options.vocab, options.vocabulary.cased);
    make_model();
    const text::Tokenizer tokenizer(spec_);
    train_ = read({options.train.begin(), options.train.end()}, tokenizer);
    masked_lm_.emplace(train_, masking());
    if (!options.eval.empty()) {
      held_out_ = read({options.eval}, tokenizer);
      judge_.emplace(held_out_, masking(), options.training.seed);
    }
    note("pre-training " + std::to_string(model::parameter_count(bert_)) + " parameters on " +
         std::to_string(train_.n_pieces) + " tokens of " + std::to_string(train_.n_documents) +
         " documents, " + std::to_string(train_.tokens.n_sentences()) + " sequences");
    note_unknown();
  }

  model::Bert& bert() { return bert_; }
  [[nodiscard]] const objective::Objective& objective() const { return *masked_lm_; }
  [[nodiscard]] const objective::Judge* judge() const { return judge_ ? &*judge_ : nullptr; }

  [[nodiscard]] Identity identity() const {
    Identity identity = identity_of("espalier pretrain", options_);
    train::Settings& settings = identity.settings;
    if (start_) {
      add_hashes(settings, "weights", start_->weight_paths());
      settings.emplace_back("tokenizer", tokenizer_hash(start_->model_folder()));
    }
    if (!options_.vocab.empty()) settings.emplace_back("--vocab", tokenizer_hash(options_.vocab));
    add_hashes(settings, "--train", {options_.train.begin(), options_.train.end()});
    if (judge_) add_hashes(settings, "--eval", {options_.eval});
    return identity;
  }

  [[nodiscard]] Artefacts artefacts() const {
    if (start_) return {.tokenizer_folder = start_->model_folder()};
    return {.tokenizer_folder = {}, .new_tokenizer = spec_};
  }

  [[nodiscard]] Json facts() const {
    Json facts = {{"stage", "pretrain"}};
    if (start_) facts["start"] = base_name(options_.start);
    for (const std::string& file : options_.train) facts["train"].push_back(input_facts(file));
    if (judge_) facts["eval"] = input_facts(options_.eval);
    facts["documents"] = train_.n_documents;
    facts["tokens"] = train_.n_pieces;
    facts["options"] = option_facts(options_);
    return facts;
  }

 private:
  [[nodiscard]] objective::MaskingOptions masking() const {
    return {.share = options_.mask_share, .whole_words = options_.whole_words};
  }

  [[nodiscard]] objective::Corpus read(const std::vector<std::filesystem::path>& files,
                                       const text::Tokenizer& tokenizer) const {
    return objective::load_corpus(
        files, tokenizer,
        {.max_length = std::min(options_.training.max_length, bert_.config.positions),
         .layout = options_.documents == "lines"         ? objective::DocumentLayout::lines
                   : options_.documents == "blank-lines" ? objective::DocumentLayout::blank_lines
                                                         : objective::DocumentLayout::detect,
         .packing = options_.packing == "separate" ? objective::Packing::separate
                                                   : objective::Packing::joined});
  }

  void make_model() {
    if (!start_) {
      bert_ = model::new_bert(new_config(options_.shape, spec_), options_.training.seed);
      return;
    }
    bert_ = model::load_bert(*start_);
    if (bert_.config.architecture == checkpoint::Architecture::masked_lm) return;
    note("note: the checkpoint brings no masked-LM head; a new one is trained");
    model::replace_head(bert_, checkpoint::Architecture::masked_lm, {}, {}, options_.training.seed);
  }

  // Text of which much is unknown teaches little: usually a vocabulary of another language.
  void note_unknown() const {
    const double percent = 100.0 * static_cast<double>(train_.n_unknown) /
                           static_cast<double>(std::max<std::size_t>(train_.n_pieces, 1));
    if (percent < 5) return;
    note("note: the vocabulary does not know " + fixed(percent, 1) +
         " % of the text; is it one for this language?");
  }

  const PretrainOptions& options_;
  std::optional<checkpoint::Checkpoint> start_;
  text::TokenizerSpec spec_;
  objective::Corpus train_;
  objective::Corpus held_out_;
  std::optional<objective::MaskedLm> masked_lm_;
  std::optional<objective::MaskedLmJudge> judge_;
  model::Bert bert_;
};

void run(const PretrainOptions& options) {
  TrainingRun run(options.training, {options.start, options.vocab});
  Pretraining job(options);
  run.train(job.bert(), job.objective(), job.judge(), job.identity());
  run.finish(job.bert(), job.artefacts(), job.facts());
}

}  // namespace

Command pretrain_command() {
  return make_command<PretrainOptions>(
      {.name = "pretrain",
       .summary = "teach a masked LM a language from raw text, from scratch or further",
       .examples = "espalier pretrain --train books.txt.gz --layers 2 --hidden 128 --heads 2 "
                   "--vocab-size 8000 -o lm\n"
                   "espalier pretrain --start ./bert --train tickets.txt --epochs 2 -o adapted",
       .details =
           "Text is one document a line, or documents with blank lines between them. Without\n"
           "--start a new model of the given shape is trained, with a vocabulary of its own\n"
           "unless --vocab names one. Masks are drawn anew in every epoch (80 % [MASK], 10 %\n"
           "another piece, 10 % left). OUT holds what finetune leaves there."},
      run);
}

}  // namespace espalier::tools
