// espalier-prune: models that are physically smaller. The front door runs it.
#include "program.hpp"
#include "prune_command.hpp"

int main(int argc, char** argv) {
  using namespace espalier::tools;
  constexpr Command (*kVerbs[])() = {prune_command};
  return run_program("espalier-prune", "makes BERT models physically smaller", kVerbs, argc, argv);
}
