// espalier sensitivity: which parts of a model int8 hurts, each by itself, on the user's own data.
#include <nlohmann/json.hpp>

#include "base/atomic_file.hpp"
#include "checkpoint_sensitivity.hpp"
#include "column_request.hpp"
#include "commands.hpp"
#include "output.hpp"
#include "report.hpp"
#include "sensitivity_report.hpp"

namespace espalier::tools {
namespace {

struct SensitivityOptions {
  std::string folder;
  std::string data;
  ColumnRequest columns;
  std::uint32_t limit = 0;
  std::string svg;
  bool force = false;
  std::uint32_t threads = 0;
  std::string backend = "auto";
  std::string format = "table";
  bool quiet = false;
};

template <typename Visitor>
void visit(SensitivityOptions& options, Visitor&& visitor) {
  visitor({.name = "DIR", .help = "checkpoint folder in Hugging Face layout", .required = true},
          options.folder);
  visitor({.name = "--data",
           .help = "rows to answer, .gz too; labels are not needed",
           .value = "FILE",
           .required = true},
          options.data);
  visit_columns(options.columns, visitor);
  visitor({.name = "--limit", .help = "only the first N rows; without it all", .min = 1},
          options.limit);
  visitor({.name = "--svg", .help = "write a chart of the table", .value = "FILE"}, options.svg);
  visitor({.name = "--force", .help = "replace the chart if it exists"}, options.force);
  visit_threads(options.threads, visitor);
  visitor({.name = "--backend", .help = "what computes", .choices = "auto|cpu|reference"},
          options.backend);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, options.format);
  visit_quiet(options.quiet, visitor);
}

void run(const SensitivityOptions& options) {
  if (options.quiet) silence_notes();
  std::optional<AtomicFile> svg;  // refused before the work, not after it
  if (!options.svg.empty()) {
    svg.emplace(options.svg, options.force ? Overwrite::replace : Overwrite::refuse);
  }
  const SensitivityReport report = checkpoint_sensitivity({.folder = options.folder,
                                                           .data = options.data,
                                                           .columns = options.columns,
                                                           .limit = options.limit,
                                                           .n_threads = options.threads,
                                                           .backend = options.backend});
  if (svg) {
    svg->write(sensitivity_svg(report));
    svg->commit();
  }
  if (options.format == "json") {
    print_json(sensitivity_json(report));
  } else {
    write_out(sensitivity_table(report));
  }
  if (report.found.n_truncated > 0) {
    note(std::to_string(report.found.n_truncated) + " of " +
         std::to_string(report.found.n_answers) + " texts were longer than the limit and cut");
  }
}

}  // namespace

Command sensitivity_command() {
  return make_command<SensitivityOptions>(
      {.name = "sensitivity",
       .summary = "show which parts of a checkpoint int8 hurts, each alone, worst first",
       .examples = "espalier sensitivity ./my-model --data dev.tsv --limit 300\n"
                   "espalier sensitivity ./my-model --data dev.tsv --svg parts.svg\n"
                   "espalier quantize ./my-model -o my-model.espl --keep 'layer.3.ffn.down'",
       .details =
           "Each linear and the word table alone in int8, and alone in fp32 with all else in\n"
           "int8. Distances are to the fp32 model: KL divergence and rows (words) with\n"
           "another label; regression: mean difference; embeddings: 1 - cosine. Roundings meet by\n"
           "chance: what all but one part cost in int8 scatters about what all cost."},
      run);
}

}  // namespace espalier::tools
