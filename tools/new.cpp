// espalier new: a checkpoint of a given shape that has learnt nothing yet, to train from scratch or
// to measure against.
#include "compress/checkpoint/sentence_transformers_writer.hpp"
#include "compress/model/checkpoint_io.hpp"
#include "new_model.hpp"
#include "output.hpp"
#include "text/tokenizer_files.hpp"
#include "train_commands.hpp"
#include "training_run.hpp"

namespace espalier::tools {
namespace {

struct NewOptions {
  std::string output;
  std::string vocab;
  bool cased = false;
  Shape shape;
  std::uint32_t seed = 1;
  bool force = false;
};

template <typename Visitor>
void visit(NewOptions& options, Visitor&& visitor) {
  visitor({.name = "-o,--output",
           .help = "checkpoint folder to write",
           .value = "OUT",
           .required = true},
          options.output);
  visitor({.name = "--vocab",
           .help = "vocab.txt, or a folder with a tokenizer",
           .value = "FILE",
           .required = true},
          options.vocab);
  visitor({.name = "--cased", .help = "a vocab.txt has capitals and accents"}, options.cased);
  visit_shape(options.shape, visitor);
  visitor({.name = "--seed", .help = "of the weights"}, options.seed);
  visitor({.name = "--force", .help = "replace what OUT holds"}, options.force);
}

void run(const NewOptions& options) {
  check_output_folder(options.output, {options.vocab}, options.force);
  const text::TokenizerSpec spec = read_vocabulary(options.vocab, options.cased);
  const model::Bert bert = model::new_bert(new_config(options.shape, spec), options.seed);
  make_folder(options.output);
  text::write_tokenizer(options.output, spec, Overwrite::replace);
  checkpoint::remove_embedding_layout(options.output);
  model::save_bert(bert, options.output, model::WeightType::f32, Overwrite::replace);
  write_out(options.output + ": " + std::to_string(model::parameter_count(bert)) +
            " parameters, untrained\n");
}

}  // namespace

Command new_command() {
  return make_command<NewOptions>(
      {.name = "new",
       .summary = "write an untrained BERT of a given shape",
       .examples = "espalier new --vocab bert-base-chinese/vocab.txt --layers 4 --hidden 256 "
                   "--heads 8 -o start\n"
                   "espalier finetune start --task classify --train train.tsv -o out"},
      run);
}

}  // namespace espalier::tools
