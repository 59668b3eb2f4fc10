#include "export_model.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/model_impl.hpp"
#include "base/atomic_file.hpp"
#include "base/cpu_info.hpp"
#include "cli.hpp"
#include "compress/export/export.hpp"
#include "espalier/espalier.hpp"
#include "format/writer.hpp"
#include "interrupt.hpp"
#include "json_text.hpp"
#include "output.hpp"
#include "part_text.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

// The choices of --precision are these names.
Precision precision_of(std::string_view name) {
  for (const Precision precision : {Precision::int8, Precision::bf16}) {
    if (name == name_of(precision)) return precision;
  }
  return Precision::fp32;
}

std::optional<compress::PartType> type_of(std::string_view name, const TypeRequest& request) {
  const auto group =
      static_cast<std::uint32_t>(request.group.empty() ? 64 : std::stoul(request.group));
  for (const compress::PartType type :
       {compress::int4_of(group), compress::PartType(Precision::int8),
        compress::PartType(Precision::bf16), compress::PartType(Precision::fp32)}) {
    if (name == name_of(type)) return type;
  }
  return std::nullopt;
}

// "REGEX=int8": what follows the last = is the type.
compress::PrecisionRule rule_of(const std::string& given, const TypeRequest& request) {
  const std::size_t equals = given.rfind('=');
  const std::string_view name =
      std::string_view(given).substr(std::min(equals, given.size() - 1) + 1);
  const auto type = type_of(name, request);
  if (equals == std::string::npos || equals == 0 || !type) {
    throw Error(ErrorCode::usage,
                "--tensor-type takes REGEX=int4, REGEX=int8, REGEX=bf16 or REGEX=fp32, not '" +
                    one_line(given, 80) + "'");
  }
  return {given.substr(0, equals), *type};
}

// Options that would change nothing are mistakes.
void check_use(const TypeRequest& request, Precision precision,
               const std::vector<compress::PrecisionRule>& rules) {
  const auto some = [&](auto&& is) { return std::any_of(rules.begin(), rules.end(), is); };
  if (!request.group.empty() &&
      !some([](const compress::PrecisionRule& rule) { return rule.precision.group != 0; })) {
    throw Error(ErrorCode::usage,
                "--group is of int4 parts, and none is asked for; add --weights int4, --embeddings "
                "int4 or --tensor-type REGEX=int4");
  }
  if (!request.rounding.empty() && precision != Precision::int8 &&
      !some([](const compress::PrecisionRule& rule) {
        return rule.precision.precision == Precision::int8;
      })) {
    throw Error(
        ErrorCode::usage,
        "--rounding is of int8 and int4 parts, and none is asked for; add --weights int8, or "
        "leave it away");
  }
}

// Converts and writes; returns the size of the weights it read. The checkpoint and the model in
// memory are gone when it returns.
std::uint64_t write(const ExportRequest& request, const CalibratedExport& calibrated) {
  Progress progress("% of the work", 100);
  compress::ExportOptions options;
  options.precision = precision_of(request.precision);
  options.rules = precision_rules(request.types, options.precision);
  options.coding = coding_of(request.types, calibrated.rounder);
  options.calibration = calibrated.calibration;
  options.max_length = request.max_length;
  options.n_threads = request.threads == 0 ? usable_cpus() : request.threads;
  options.on_progress = [&](double share, std::string_view) {
    throw_if_interrupted();
    progress.show(static_cast<std::size_t>(share * 100));
  };
  const compress::ExportedModel model = compress::export_checkpoint(request.folder, options);
  for (const std::string& line : model.notes()) note("note: " + line);
  throw_if_interrupted();
  format::write_model(model.spec(), request.output,
                      request.force ? Overwrite::replace : Overwrite::refuse);
  return model.source_bytes();
}

// "int8", or "int8 (23 int8, 2 fp32)" where not every part is.
std::string precision_words(const Model& model) {
  const std::vector<compress::PartType> parts = compress::precisions_of(model.impl().spec());
  const Precision precision = model.info().precision;
  const bool uniform = std::all_of(parts.begin(), parts.end(), [&](const compress::PartType& part) {
    return part == precision;
  });
  const std::string name(name_of(precision));
  return uniform ? name : name + " (" + part_counts(model.impl().spec()) + ")";
}

}  // namespace

std::vector<compress::PrecisionRule> precision_rules(const TypeRequest& request,
                                                     Precision precision) {
  std::vector<compress::PrecisionRule> rules;
  if (const auto type = type_of(request.weights, request)) rules.push_back({"^layer", *type});
  if (const auto type = type_of(request.embeddings, request)) {
    rules.push_back({"^embedding", *type});
  }
  for (const std::string& given : request.tensor_types) rules.push_back(rule_of(given, request));
  for (const std::string& pattern : request.keep) rules.push_back({pattern, Precision::fp32});
  check_use(request, precision, rules);
  return rules;
}

compress::Coding coding_of(const TypeRequest& request, compress::LinearRounder* rounder) {
  if (request.rounding == "gptq" && rounder == nullptr) {
    throw Error(ErrorCode::usage,
                "--rounding gptq rounds by what the model reads: quantize with --calib FILE");
  }
  return {.rounding = request.rounding.empty() || request.rounding == "absmax"
                          ? compress::Rounding::absmax
                          : compress::Rounding::mse,
          .rounder = rounder};
}

// Refused before the work, not after it; the writer asks again.
void check_output_file(const std::string& output, bool force) {
  const std::filesystem::path path = output;
  if (std::filesystem::is_directory(path)) {
    throw Error(ErrorCode::output, "'" + output + "' is a folder; name a file in it");
  }
  if (std::filesystem::exists(path) && !force) {
    throw Error(ErrorCode::output,
                "'" + output + "' exists; give --force to replace it, or another name");
  }
  const std::filesystem::path folder = path.parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder)) {
    throw Error(ErrorCode::output, "the folder '" + folder.string() + "' does not exist");
  }
}

void export_model(const ExportRequest& request, const CalibratedExport& calibrated) {
  if (request.quiet) silence_notes();
  check_output_file(request.output, request.force);
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t source_bytes = write(request, calibrated);
  const Model model = Model::open(request.output);  // what was written is what can be read
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  const ModelInfo& info = model.info();
  if (request.format == "json") {
    nlohmann::ordered_json facts = {
        {"file", base_name(request.output)},    {"bytes", info.file_bytes},
        {"checksum", hex(info.checksum)},       {"task", name_of(info.task)},
        {"precision", name_of(info.precision)}, {"parts", part_counts(model.impl().spec())},
        {"max_length", info.max_length},        {"n_parameters", info.n_parameters},
        {"checkpoint_bytes", source_bytes},     {"seconds", time.count()}};
    if (calibrated.report != nullptr) facts["calibration"] = *calibrated.report;
    print_json(facts);
    return;
  }
  write_out(request.output + ": " + std::string(name_of(info.task)) + ", " +
            precision_words(model) + ", " + megabytes(info.file_bytes) + " (checkpoint " +
            megabytes(source_bytes) + "), " + fixed(time.count(), 1) + " s\n");
}

OpenedModel open_model_or_checkpoint(const std::string& path) {
  if (!std::filesystem::is_directory(path)) {
    Model model = Model::open(path);
    const std::uint64_t n_bytes = model.info().file_bytes;
    return {.model = std::move(model), .is_folder = false, .stored_bytes = n_bytes};
  }
  compress::ExportOptions options;
  options.precision = Precision::fp32;
  options.n_threads = usable_cpus();
  const compress::ExportedModel model = compress::export_checkpoint(path, options);
  for (const std::string& line : model.notes()) note("note: " + line);
  return {.model = Model::open(format::to_bytes(model.spec())),
          .is_folder = true,
          .stored_bytes = model.source_bytes()};
}

}  // namespace espalier::tools
