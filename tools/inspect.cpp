// espalier inspect: everything a model file says about itself.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "compress/export/precision_rules.hpp"
#include "format/reader.hpp"
#include "json_text.hpp"
#include "model_sizes.hpp"
#include "output.hpp"
#include "part_text.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::string model;
  std::string format = "table";
};

template <typename Visitor>
void visit(InspectOptions& options, Visitor&& visitor) {
  visitor({.name = "MODEL", .help = "model file (.espl)", .required = true}, options.model);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, options.format);
}

std::string_view pooling_name(format::Pooling pooling) {
  switch (pooling) {
    case format::Pooling::mean:
      return "mean";
    case format::Pooling::cls:
      return "cls";
  }
  return "";
}

Json pairs_json(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Json object = Json::object();
  for (const auto& [key, value] : pairs) object[key] = value;
  return object;
}

std::string linear_type(const format::LinearSpec& linear) {
  return type_text(compress::PartType(linear.precision, linear.group));
}

Json layers_json(const format::ModelSpec& spec) {
  Json layers = Json::array();
  for (const format::LayerSpec& layer : spec.layers) {
    layers.push_back({{"heads", layer.n_heads},
                      {"attention", layer.n_heads * spec.head_dim},
                      {"intermediate", layer.intermediate},
                      {"precision",
                       {{"qkv", linear_type(layer.qkv)},
                        {"out", linear_type(layer.out)},
                        {"up", linear_type(layer.up)},
                        {"down", linear_type(layer.down)}}},
                      {"activations",
                       {{"qkv", codes_name(layer.qkv)},
                        {"out", codes_name(layer.out)},
                        {"up", codes_name(layer.up)},
                        {"down", codes_name(layer.down)}}}});
  }
  return layers;
}

Json parts_json(const format::ModelSpec& spec) {
  Json parts = Json::object();
  const std::vector<std::string> names = compress::part_names(spec.layers.size());
  const std::vector<compress::PartType> types = compress::precisions_of(spec);
  for (std::size_t part = 0; part < names.size(); ++part) {
    parts[names[part]] = type_text(types[part]);
  }
  return parts;
}

Json vocabulary_json(const format::TokenizerSpec& tokenizer) {
  return {{"pieces", tokenizer.n_pieces},
          {"bytes", tokenizer.vocabulary.size()},
          {"lowercase", tokenizer.lowercase},
          {"strip_accents", tokenizer.strip_accents},
          {"split_cjk", tokenizer.split_cjk},
          {"clean_text", tokenizer.clean_text},
          {"max_word_chars", tokenizer.max_word_chars},
          {"continuation", tokenizer.continuation},
          {"special",
           {{"unk", tokenizer.unk},
            {"cls", tokenizer.cls},
            {"sep", tokenizer.sep},
            {"pad", tokenizer.pad},
            {"mask", tokenizer.mask}}},
          {"added_tokens", tokenizer.added.size()}};
}

Json provenance_json(const format::ModelSpec& spec) {
  Json stages = Json::array();
  for (const format::ProvenanceStage& stage : spec.provenance) {
    stages.push_back({{"name", stage.name},
                      {"version", stage.version},
                      {"options", pairs_json(stage.options)},
                      {"inputs", pairs_json(stage.inputs)},
                      {"metrics", pairs_json(stage.metrics)}});
  }
  return stages;
}

Json size_json(const PartSize& part) {
  return {{"parameters", part.parameters}, {"bytes", part.bytes}};
}

Json report_of(const std::string& path, const format::ModelFile& file) {
  const format::ModelSpec& spec = file.spec();
  const Sizes sizes(spec);
  const std::uint64_t known = sizes.bytes() + spec.tokenizer.vocabulary.size();
  Json report = {
      {"file", base_name(path)},
      {"bytes", file.size_bytes()},
      {"format_version", file.version()},
      {"checksum", file.checksum_hex()},
      {"task", name_of(spec.task)},
      {"precision", name_of(spec.precision)},
      {"hidden", spec.hidden},
      {"n_layers", spec.layers.size()},
      {"head_dim", spec.head_dim},
      {"max_length", spec.max_length},
      {"positions", spec.n_positions()},
      {"n_parameters", sizes.parameters()},
      {"layers", layers_json(spec)},
      {"parts", parts_json(spec)},
      {"sizes",
       {{"embeddings", size_json(sizes.embeddings)},
        {"encoder", size_json(sizes.encoder)},
        {"head", size_json(sizes.head)},
        {"vocabulary", {{"bytes", spec.tokenizer.vocabulary.size()}}},
        // Header, padding and checksum.
        {"rest",
         {{"bytes", file.size_bytes() - std::min<std::uint64_t>(known, file.size_bytes())}}}}},
      {"vocabulary", vocabulary_json(spec.tokenizer)},
      {"labels", spec.labels}};
  if (spec.embedding.projection) report["embedding_rank"] = spec.word_width();
  if (spec.task == Task::embed) {
    report["pooling"] = pooling_name(spec.head.pooling);
    report["normalize"] = spec.head.normalize;
  }
  report["provenance"] = provenance_json(spec);
  report["self_test"] = {{"cases", spec.self_test.cases.size()},
                         {"tolerance", shortest(spec.self_test.tolerance)}};
  return report;
}

// "8123 of 30522 pieces" where word pieces were taken out that a corpus did not need; else empty.
std::string domain(const format::ModelSpec& spec) {
  for (const format::ProvenanceStage& stage : spec.provenance) {
    for (const auto& [name, value] : stage.metrics) {
      if (name == "domain-bound") return one_line(value, 80);
    }
  }
  return {};
}

std::string label_list(const std::vector<std::string>& labels) {
  std::string list;
  for (std::size_t label = 0; label < std::min<std::size_t>(labels.size(), 20); ++label) {
    list += (label > 0 ? ", " : "") + one_line(labels[label], 40);
  }
  return labels.size() > 20 ? list + ", ... (" + std::to_string(labels.size()) + ")" : list;
}

// "32 + 8 x2 ..." would hide which layer is which; equal layers are told as one.
std::string widths(const format::ModelSpec& spec) {
  std::string text;
  for (std::size_t first = 0; first < spec.layers.size();) {
    std::size_t end = first + 1;
    const format::LayerSpec& layer = spec.layers[first];
    while (end < spec.layers.size() && spec.layers[end].n_heads == layer.n_heads &&
           spec.layers[end].intermediate == layer.intermediate) {
      ++end;
    }
    text += (first > 0 ? "; " : "") + std::to_string(first) +
            (end - first > 1 ? "-" + std::to_string(end - 1) : "") + ": " +
            std::to_string(layer.n_heads) + " heads, " + std::to_string(layer.intermediate) +
            " feed-forward";
    first = end;
  }
  return text;
}

void print_table(const std::string& path, const format::ModelFile& file) {
  const format::ModelSpec& spec = file.spec();
  const Sizes sizes(spec);
  std::vector<std::pair<std::string, std::string>> lines = {
      {"file", one_line(base_name(path), 200) + ", " + megabytes(file.size_bytes()) + ", version " +
                   std::to_string(file.version())},
      {"checksum", file.checksum_hex()},
      {"task", std::string(name_of(spec.task))},
      {"precision", std::string(name_of(spec.precision))},
      {"encoder",
       std::to_string(spec.layers.size()) + " layers, hidden " + std::to_string(spec.hidden) +
           ", head width " + std::to_string(spec.head_dim) +
           (spec.embedding.projection ? ", words of rank " + std::to_string(spec.word_width())
                                      : "")},
      {"layers", widths(spec)},
      {"parts", parts_text(spec)},
      {"length", std::to_string(spec.max_length) + " tokens of " +
                     std::to_string(spec.n_positions()) + " positions"},
      {"parameters", fixed(static_cast<double>(sizes.parameters()) / 1e6, 2) + " million"},
      {"sizes", "embeddings " + megabytes(sizes.embeddings.bytes) + ", encoder " +
                    megabytes(sizes.encoder.bytes) + ", head " + megabytes(sizes.head.bytes) +
                    ", vocabulary " + megabytes(spec.tokenizer.vocabulary.size())},
      {"vocabulary", std::to_string(spec.tokenizer.n_pieces) + " pieces, " +
                         (spec.tokenizer.lowercase ? "uncased" : "cased")}};
  if (const std::string codes = activations_text(spec); !codes.empty()) {
    lines.emplace_back("activations", codes);
  }
  if (const std::string kept = domain(spec); !kept.empty()) {
    lines.emplace_back("domain-bound", kept);
  }
  if (!spec.labels.empty()) lines.emplace_back("labels", label_list(spec.labels));
  if (spec.task == Task::embed) {
    lines.emplace_back("pooling", std::string(pooling_name(spec.head.pooling)) +
                                      (spec.head.normalize ? ", normalised" : ""));
  }
  lines.emplace_back("self-test",
                     std::to_string(spec.self_test.cases.size()) + " inputs, " +
                         (spec.self_test.tolerance == 0
                              ? "bit-equal"
                              : "tolerance " + fixed(double{spec.self_test.tolerance}, 6)));
  for (const format::ProvenanceStage& stage : spec.provenance) {
    std::string made = one_line(stage.name, 40) + " " + one_line(stage.version, 40);
    for (const auto& [key, value] : stage.options) {
      made += ", " + one_line(key, 40) + " " + one_line(value, 40);
    }
    for (const auto& [name, hash] : stage.inputs) {
      made += ", " + one_line(name, 60) + " (" + one_line(hash, 40) + ")";
    }
    for (const auto& [name, value] : stage.metrics) {
      made += ", " + one_line(name, 40) + " " + one_line(value, 40);
    }
    lines.emplace_back("made by", made);
  }
  write_out(key_value_text(lines));
}

void run(const InspectOptions& options) {
  const format::ModelFile file = format::ModelFile::open(options.model);
  if (options.format == "json") {
    print_json(report_of(options.model, file));
  } else {
    print_table(options.model, file);
  }
}

}  // namespace

Command inspect_command() {
  return make_command<InspectOptions>(
      {.name = "inspect",
       .summary = "say what a model file holds: task, widths, sizes, labels, where it came from",
       .examples = "espalier inspect sentiment.espl\n"
                   "espalier inspect sentiment.espl --format json | jq .layers"},
      run);
}

}  // namespace espalier::tools
