// espalier convert: a checkpoint folder as a model file, weights as they are unless asked
// otherwise.
#include "commands.hpp"
#include "export_model.hpp"

namespace espalier::tools {
namespace {

struct ConvertOptions {
  ExportRequest request = {.folder = {}, .output = {}, .precision = "fp32"};
};

template <typename Visitor>
void visit(ConvertOptions& options, Visitor&& visitor) {
  visit_export(options.request, visitor);
  visitor({.name = "--precision", .help = "of the linear layers", .choices = "fp32|bf16|int8"},
          options.request.precision);
}

void run(const ConvertOptions& options) {
  export_model(options.request);
}

}  // namespace

Command convert_command() {
  return make_command<ConvertOptions>(
      {.name = "convert",
       .summary = "turn a BERT checkpoint folder into one model file",
       .examples = "espalier convert ./my-model -o my-model.fp32.espl\n"
                   "espalier convert ./my-model -o my-model.espl --max-length 128 --force\n"
                   "espalier convert ./my-model -o my-model.espl --tensor-type 'ffn=bf16'",
       .details = kPartDetails},
      run);
}

}  // namespace espalier::tools
