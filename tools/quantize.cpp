// espalier quantize: a checkpoint folder as an int8 model file, its weights of eight or four bits,
// activations scaled at run time, so that no data is needed. Calls with --calib or --qat go to
// espalier-quantize.
#include "commands.hpp"
#include "export_model.hpp"

namespace espalier::tools {
namespace {

struct QuantizeOptions {
  ExportRequest request = {.folder = {}, .output = {}, .precision = "int8"};
  std::string calibration_text;  // for --help only: the front door hands such calls over
};

template <typename Visitor>
void visit(QuantizeOptions& options, Visitor&& visitor) {
  visit_export(options.request, visitor);
  visitor({.name = "--precision", .help = "of the linear layers", .choices = "int8"},
          options.request.precision);
  visitor({.name = "--calib",
           .help = "text to calibrate on; --calib FILE --help: its options",
           .value = "FILE"},
          options.calibration_text);
}

void run(const QuantizeOptions& options) {
  export_model(options.request);
}

}  // namespace

Command quantize_command() {
  return make_command<QuantizeOptions>(
      {.name = "quantize",
       .summary = "turn a BERT checkpoint folder into an int8 or int4 model file; needs no data",
       .examples =
           "espalier quantize ./my-model -o my-model.espl\n"
           "espalier quantize ./my-model -o my-model.espl --weights int4 --embeddings int4\n"
           "espalier quantize ./my-model -o my-model.espl --calib train.tsv\n"
           "espalier quantize --qat ./my-model -o my-qat --train train.tsv --eval dev.tsv",
       .details = kPartDetails},
      run);
}

}  // namespace espalier::tools
