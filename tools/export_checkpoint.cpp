// espalier export: a model file as a checkpoint folder again, for training, pruning or
// transformers.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/tokenizer_impl.hpp"
#include "commands.hpp"
#include "compress/export/checkpoint_of.hpp"
#include "format/reader.hpp"
#include "json_text.hpp"
#include "output.hpp"
#include "output_folder.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using compress::CheckpointParts;
using compress::CheckpointShape;

struct ExportOptions {
  std::string model;
  std::string output;
  std::string reader = "espalier";
  bool force = false;
  std::string format = "table";
  bool quiet = false;
};

template <typename Visitor>
void visit(ExportOptions& options, Visitor&& visitor) {
  visitor({.name = "MODEL", .help = "model file (.espl)", .required = true}, options.model);
  visitor({.name = "-o,--output",
           .help = "checkpoint folder to write",
           .value = "OUT",
           .required = true},
          options.output);
  visitor({.name = "--for",
           .help = "who reads it: transformers needs whole layers",
           .choices = "espalier|transformers"},
          options.reader);
  visitor({.name = "--force", .help = "replace what OUT holds"}, options.force);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, options.format);
  visit_quiet(options.quiet, visitor);
}

void note_shape(const format::ModelSpec& spec, const checkpoint::BertConfig& config,
                bool for_transformers) {
  std::size_t n_cut = 0;  // layers that are not as wide as the configuration says of all of them
  bool lost_heads = false;
  for (const format::LayerSpec& layer : spec.layers) {
    const bool has_all_heads = layer.n_heads == config.n_heads;
    n_cut += has_all_heads && layer.intermediate == config.intermediate ? 0 : 1;
    lost_heads = lost_heads || (!has_all_heads && layer.n_heads > 0);
  }
  const std::string layers = std::to_string(n_cut) + (n_cut == 1 ? " layer" : " layers");
  if (lost_heads) {
    note(
        "note: a model file does not name its heads: those that a layer kept are written as the "
        "first of the original ones");
  }
  if (n_cut > 0 && for_transformers) {
    note("note: what was removed from " + layers +
         " is written as zeros: the answers are the same, the folder is no smaller and no faster");
  }
  if (spec.embedding.projection && for_transformers) {
    note("note: the factorised table of words is multiplied out, and no smaller for it");
  }
  if (!for_transformers && (n_cut > 0 || spec.embedding.projection)) {
    note(
        "note: what is special about its shape stands under \"espalier\" in config.json, which "
        "transformers does not read; --for transformers gives it the usual one");
  }
}

std::uint64_t count_values(const CheckpointParts& parts) {
  std::uint64_t n_values = 0;
  for (const compress::CheckpointTensor& tensor : parts.tensors) n_values += tensor.values.size();
  return n_values;
}

void run(const ExportOptions& options) {
  if (options.quiet) silence_notes();
  check_output_folder(options.output, {}, options.force);
  const format::ModelFile file = format::ModelFile::open(options.model);
  const format::ModelSpec& spec = file.spec();
  const bool for_transformers = options.reader == "transformers";
  const CheckpointParts parts = compress::checkpoint_of(
      spec, for_transformers ? CheckpointShape::original : CheckpointShape::kept);
  note_shape(spec, parts.config, for_transformers);
  if (spec.precision != Precision::fp32) {
    note("note: the weights are the fp32 numbers that " + std::string(name_of(spec.precision)) +
         " ones stand for; what rounding took is not undone");
  }
  make_folder(options.output);
  compress::write_checkpoint(
      parts, compress::tokenizer_of(spec, api::tokenizer_spec(spec.tokenizer)), options.output,
      options.force ? Overwrite::replace : Overwrite::refuse);
  const std::uint64_t n_parameters = count_values(parts);
  const std::string written_by =
      checkpoint::class_name(parts.config.family, parts.config.architecture);
  const std::uintmax_t n_bytes =
      std::filesystem::file_size(std::filesystem::path(options.output) / "model.safetensors");
  if (options.format == "json") {
    print_json({{"folder", base_name(options.output)},
                {"architecture", written_by},
                {"n_parameters", n_parameters},
                {"weights_bytes", n_bytes},
                {"file", base_name(options.model)},
                {"bytes", file.size_bytes()},
                {"precision", name_of(spec.precision)}});
    return;
  }
  write_out(options.output + ": " + written_by + ", " + std::to_string(n_parameters) +
            " parameters, " + megabytes(n_bytes) + " (model file " + megabytes(file.size_bytes()) +
            ")\n");
}

}  // namespace

Command export_command() {
  return make_command<ExportOptions>(
      {.name = "export",
       .summary = "write a model file as a checkpoint folder again, weights as fp32",
       .examples = "espalier export sentiment.espl -o sentiment\n"
                   "espalier export pruned.espl -o for-python --for transformers",
       .details =
           "fp32 weights come back bit for bit. A folder for transformers has zeros for the\n"
           "heads and neurons that were removed; the feed-forward is then as wide as that\n"
           "of the widest layer."},
      run);
}

}  // namespace espalier::tools
