// The smallest product: a model file in, answers out, on the shared library alone.
#include <string>
#include <vector>

#include "output.hpp"
#include "run_command.hpp"

int main(int argc, char** argv) {
  using namespace espalier::tools;
  const std::string program = "espalier-run";
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return guarded(program, [&] {
    if (arguments == std::vector<std::string>{"--version"}) {
      write_out(version_line(program) + "\n");
      return;
    }
    const Command command = run_command(program);
    if (parse(command, program, arguments)) command.run();
  });
}
