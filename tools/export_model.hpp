// What convert, quantize and compress share: a checkpoint folder becomes a model file.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli.hpp"
#include "compress/export/calibration.hpp"
#include "compress/export/precision_rules.hpp"
#include "compress/export/round_weights.hpp"
#include "espalier/espalier.hpp"

namespace espalier::tools {

/// What the parts of a model are stored in, beside --precision.
struct TypeRequest {
  std::string weights = {};     // type of the linears; empty: as precision
  std::string embeddings = {};  // type of the word table; empty: as precision
  std::string group = {};       // empty: 64
  std::string rounding = {};    // empty: absmax
  std::vector<std::string> tensor_types = {};
  std::vector<std::string> keep = {};
};

template <typename Visitor>
void visit_types(TypeRequest& request, Visitor&& visitor) {
  visitor({.name = "--weights",
           .help = "type of the linear layers; else --precision",
           .choices = "int4|int8|bf16|fp32"},
          request.weights);
  visitor({.name = "--embeddings",
           .help = "type of the word table; else --precision",
           .choices = "int4|int8|bf16|fp32"},
          request.embeddings);
  visitor({.name = "--group",
           .help = "weights of an int4 row that share a scale; else 64",
           .choices = "32|64|128"},
          request.group);
  visitor({.name = "--rounding",
           .help = "of weights; gptq: by what is read, --calib; else absmax",
           .choices = "absmax|mse|gptq"},
          request.rounding);
  visitor(
      {.name = "--tensor-type", .help = "REGEX=int4|int8|bf16|fp32; repeatable", .value = "RULE"},
      request.tensor_types);
  visitor({.name = "--keep",
           .help = "parts that stay in fp32, whatever the rules; repeatable",
           .value = "REGEX"},
          request.keep);
}

/// The rules that the options make, --keep last: what is to be kept is kept. precision: of the
/// parts that no rule names. Throws Error(usage), also for --group without int4 parts and
/// --rounding where nothing is rounded.
[[nodiscard]] std::vector<compress::PrecisionRule> precision_rules(const TypeRequest& request,
                                                                   Precision precision);
/// How codes are made; rounder: of gptq, which rounds the linears, while words go by least squares.
/// Throws Error(usage) for gptq without one.
[[nodiscard]] compress::Coding coding_of(const TypeRequest& request,
                                         compress::LinearRounder* rounder = nullptr);

struct ExportRequest {
  std::string folder;
  std::string output;
  std::string precision;
  TypeRequest types = {};
  std::uint32_t max_length = 0;
  std::uint32_t threads = 0;
  bool force = false;
  std::string format = "table";
  bool quiet = false;
};

/// The options but --precision, whose choices differ from verb to verb.
template <typename Visitor>
void visit_export(ExportRequest& request, Visitor&& visitor) {
  visitor({.name = "DIR", .help = "checkpoint folder in Hugging Face layout", .required = true},
          request.folder);
  visitor({.name = "-o,--output", .help = "model file to write", .value = "FILE", .required = true},
          request.output);
  visit_types(request.types, visitor);
  visitor({.name = "--max-length",
           .help = "longest input in tokens; without it the checkpoint's own",
           .min = 3},
          request.max_length);
  visit_threads(request.threads, visitor);
  visitor({.name = "--force", .help = "replace the file if it exists"}, request.force);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, request.format);
  visit_quiet(request.quiet, visitor);
}

/// What --help says about the parts that the rules name.
inline constexpr std::string_view kPartDetails =
    "Parts are embedding.word and, for each layer, layer.0.attention.qkv, layer.0.attention.out,\n"
    "layer.0.ffn.up and layer.0.ffn.down. A pattern is looked for anywhere in the name; of "
    "several\n"
    "--tensor-type that match, the last holds, and they go before --weights and --embeddings. "
    "int4\n"
    "is computed as int8 is, from half the bytes.";

/// What a calibration adds: nulls without one.
struct CalibratedExport {
  const compress::Calibration* calibration = nullptr;
  const nlohmann::ordered_json* report = nullptr;  // for --format json
  compress::LinearRounder* rounder = nullptr;      // of --rounding gptq
};

/// Throws Error(output) when a model file cannot become `output`: it is a folder, is there and
/// `force` is not given, or its folder is missing.
void check_output_file(const std::string& output, bool force);

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
