// espalier-quantize: int8 models calibrated on text. The front door runs it.
#include "program.hpp"
#include "quantize_command.hpp"

int main(int argc, char** argv) {
  using namespace espalier::tools;
  constexpr Command (*kVerbs[])() = {calibrated_quantize_command, qat_command};
  return run_program("espalier-quantize", "makes int8 models of BERT checkpoints, with data",
                     kVerbs, argc, argv);
}
