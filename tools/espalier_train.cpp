// espalier-train: everything that teaches a model from data. The front door runs it.
#include "program.hpp"
#include "train_commands.hpp"

int main(int argc, char** argv) {
  using namespace espalier::tools;
  constexpr Command (*kVerbs[])() = {vocab_command, new_command, pretrain_command,
                                     finetune_command};
  return run_program("espalier-train", "trains BERT models with LibTorch", kVerbs, argc, argv);
}
