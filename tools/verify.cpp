// espalier verify: does a file hold what it was written with, and does it answer here as it did
// where it was made? Exit 3: no .espl file; exit 7: damaged, forged, or other answers.
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "espalier/espalier.hpp"
#include "output.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

struct VerifyOptions {
  std::string model;
  std::string backend = "auto";
  std::string format = "table";
};

template <typename Visitor>
void visit(VerifyOptions& options, Visitor&& visitor) {
  visitor({.name = "MODEL", .help = "model file (.espl)", .required = true}, options.model);
  visitor(
      {.name = "--backend", .help = "what computes the self-test", .choices = "auto|cpu|reference"},
      options.backend);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, options.format);
}

void run(const VerifyOptions& options) {
  const Model model = Model::open(options.model);  // checksum, structure and meaning
  const SelfTestReport test = model.self_test(options.backend);
  const Session session(model, {.n_threads = 1, .backend = options.backend});
  const std::string tolerance =
      test.tolerance == 0 ? "bit-equal" : "tolerance " + fixed(double{test.tolerance}, 6);
  if (options.format == "json") {
    print_json({{"file", base_name(options.model)},
                {"bytes", model.info().file_bytes},
                {"checksum", hex(model.info().checksum)},
                {"structure", "ok"},
                {"self_test",
                 {{"passed", test.passed},
                  {"cases", test.n_cases},
                  {"worst_difference", shortest(test.worst_difference)},
                  {"tolerance", shortest(test.tolerance)},
                  {"backend", session.backend()},
                  {"backend_path", session.backend_path()}}}});
  } else {
    write_out(key_value_text(
        {{"checksum", "ok, " + hex(model.info().checksum) + " (XXH3-64)"},
         {"structure", "ok, " + std::to_string(model.info().file_bytes) + " bytes"},
         {"self-test", std::string(test.passed ? "ok, " : "FAILED, ") +
                           std::to_string(test.n_cases) + " inputs on " +
                           std::string(session.backend()) + " (" +
                           std::string(session.backend_path()) + "), " + tolerance +
                           ", worst difference " + fixed(double{test.worst_difference}, 9)}}));
  }
  if (!test.passed) {
    throw Error(ErrorCode::verification,
                "'" + base_name(options.model) +
                    "' answers its self-test differently here (worst difference " +
                    fixed(double{test.worst_difference}, 9) + ", " + tolerance +
                    "); try --backend reference, and report it if that passes");
  }
}

}  // namespace

Command verify_command() {
  return make_command<VerifyOptions>(
      {.name = "verify",
       .summary = "check a file's checksum and structure, and run its self-test on this machine",
       .examples = "espalier verify sentiment.espl\n"
                   "espalier verify sentiment.espl --backend reference --format json",
       .details = "exit codes: 0 all holds, 3 not an .espl file, 7 damaged or other answers"},
      run);
}

}  // namespace espalier::tools
