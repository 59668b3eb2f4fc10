// What convert, quantize and compress share: a checkpoint folder becomes a model file.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "compress/export/calibration.hpp"
#include "compress/export/precision_rules.hpp"
#include "espalier/espalier.hpp"

namespace espalier::tools {

struct ExportRequest {
  std::string folder;
  std::string output;
  std::string precision;
  std::vector<std::string> tensor_types = {};
  std::vector<std::string> keep = {};
  std::uint32_t max_length = 0;
  std::uint32_t threads = 0;
  bool force = false;
  std::string format = "table";
  bool quiet = false;
};

template <typename Visitor>
void visit_precision_rules(std::vector<std::string>& tensor_types, std::vector<std::string>& keep,
                           Visitor&& visitor) {
  visitor({.name = "--tensor-type",
           .help = "REGEX=int8|bf16|fp32: precision of the parts that match; repeatable",
           .value = "RULE"},
          tensor_types);
  visitor({.name = "--keep",
           .help = "parts that stay in fp32, whatever the rules; repeatable",
           .value = "REGEX"},
          keep);
}

/// What those options say: what is to be kept is kept, so those rules come last.
[[nodiscard]] std::vector<compress::PrecisionRule> precision_rules(
    const std::vector<std::string>& tensor_types, const std::vector<std::string>& keep);

/// The options but --precision, whose choices differ from verb to verb.
template <typename Visitor>
void visit_export(ExportRequest& request, Visitor&& visitor) {
  visitor({.name = "DIR", .help = "checkpoint folder in Hugging Face layout", .required = true},
          request.folder);
  visitor({.name = "-o,--output", .help = "model file to write", .value = "FILE", .required = true},
          request.output);
  visit_precision_rules(request.tensor_types, request.keep, visitor);
  visitor({.name = "--max-length",
           .help = "longest input in tokens; without it the checkpoint's own",
           .min = 3},
          request.max_length);
  visitor({.name = "-t,--threads",
           .help = "threads; without it one for each processor",
           .min = 1,
           .max = 1024},
          request.threads);
  visitor({.name = "--force", .help = "replace the file if it exists"}, request.force);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, request.format);
  visitor({.name = "-q,--quiet", .help = "no notes on standard error"}, request.quiet);
}

/// What --help says about the parts that the rules name.
inline constexpr std::string_view kPartDetails =
    "Parts are embedding.word and, for each layer, layer.0.attention.qkv, layer.0.attention.out,\n"
    "layer.0.ffn.up and layer.0.ffn.down. A pattern is looked for anywhere in the name; of "
    "several\n"
    "--tensor-type that match, the last holds.";

/// Throws Error(output) for an output that cannot be written, or exists and shall not be replaced:
/// before the work, not after it. The writer asks again.
void check_output(const ExportRequest& request);

/// What a calibration adds: null, null without one.
struct CalibratedExport {
  const compress::Calibration* calibration = nullptr;
  const nlohmann::ordered_json* report = nullptr;  // for --format json
};

/// Writes the file whole or not at all, reads it again and prints what it is.
void export_model(const ExportRequest& request, const CalibratedExport& calibrated = {});

/// A model with where it came from.
struct OpenedModel {
  Model model;
  bool is_folder = false;
  std::uint64_t stored_bytes = 0;  // of the model file, or of the folder's files of weights
};

/// Opens a model file, or a checkpoint folder as the fp32 model it would become.
[[nodiscard]] OpenedModel open_model_or_checkpoint(const std::string& path);

}  // namespace espalier::tools
