// espalier-distill: smaller students from fine-tuned teachers. The front door runs it.
#include "distill_command.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  using namespace espalier::tools;
  constexpr Command (*kVerbs[])() = {distill_command};
  return run_program("espalier-distill", "trains small BERT models on the answers of larger ones",
                     kVerbs, argc, argv);
}
