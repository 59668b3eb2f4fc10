#include "compress/checkpoint/sentence_transformers.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/printable.hpp"
#include "compress/checkpoint/json_fields.hpp"
#include "compress/checkpoint/paths.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

constexpr std::string_view kPoolingFolder = "1_Pooling";

struct Module {
  std::string kind;  // the class without its Python module
  std::string path;  // "" or the name of a folder beside modules.json
};

Module parse_module(const nlohmann::json& json, std::size_t position) {
  const JsonFields fields(json, "[" + std::to_string(position) + "].");
  const std::string type = fields.text("type").value_or("");
  if (!type.starts_with("sentence_transformers.")) {
    fields.refuse("type", "must be a module of sentence_transformers");
  }
  Module module{type.substr(type.rfind('.') + 1), fields.text("path").value_or("")};
  if (!module.path.empty() && !is_plain_name(module.path)) {
    fields.refuse("path", "must be empty or the name of a folder here");
  }
  return module;
}

std::vector<Module> parse_modules(const nlohmann::json& json) {
  if (!json.is_array()) throw Error(ErrorCode::bad_input, "must be a list of modules");
  static constexpr std::string_view kExpected[] = {"Transformer", "Pooling", "Normalize"};
  std::vector<Module> modules;
  for (const nlohmann::json& entry : json) {
    modules.push_back(parse_module(entry, modules.size()));
    const std::size_t position = modules.size() - 1;
    if (position >= std::size(kExpected) || modules.back().kind != kExpected[position]) {
      throw Error(ErrorCode::bad_input,
                  "module " + std::to_string(position) + " is " + printable(modules.back().kind) +
                      "; only Transformer, Pooling and then at most Normalize are computed here");
    }
  }
  if (modules.size() < 2) {
    throw Error(ErrorCode::bad_input, "has no Pooling module; token states are no sentence vector");
  }
  if (modules[1].path.empty()) {
    throw Error(ErrorCode::bad_input, "the Pooling module has no folder of its own");
  }
  return modules;
}

// The flags add up: two of them true would concatenate two poolings. As in the original, mean is
// true unless it is said to be false.
Pooling pooling_from_flags(const nlohmann::json& json, const JsonFields& fields) {
  constexpr std::string_view kMean = "pooling_mode_mean_tokens";
  constexpr std::string_view kCls = "pooling_mode_cls_token";
  for (const auto& entry : json.items()) {
    const std::string& key = entry.key();
    if (!key.starts_with("pooling_mode_") || key == kMean || key == kCls) continue;
    if (fields.boolean(key).value_or(false)) {
      fields.refuse(key, "must be false; only mean and cls pooling are computed here");
    }
  }
  const bool mean = fields.boolean(kMean).value_or(true);
  const bool cls = fields.boolean(kCls).value_or(false);
  if (mean == cls) {
    fields.refuse(kMean,
                  "must be the opposite of 'pooling_mode_cls_token'; one pooling is "
                  "computed here, not a concatenation");
  }
  return mean ? Pooling::mean : Pooling::cls;
}

Pooling parse_pooling(const nlohmann::json& json) {
  const JsonFields fields(json);
  const std::optional<std::string> mode = fields.text("pooling_mode");  // newer files
  if (!mode) return pooling_from_flags(json, fields);
  if (*mode == "mean") return Pooling::mean;
  if (*mode == "cls") return Pooling::cls;
  fields.refuse("pooling_mode", "must be 'mean' or 'cls', nothing else is computed here");
}

void read_pooling(const std::filesystem::path& path, EmbeddingLayout& layout) {
  with_context(printable(path.parent_path().filename().string()), [&] {
    const nlohmann::json json = read_json(path);
    with_context("config.json", [&] {
      layout.embedding->pooling = parse_pooling(json);
      const JsonFields fields(json);
      const IntegerRange range{.least = 1, .most = UINT32_MAX};
      for (const char* key : {"word_embedding_dimension", "embedding_dimension"}) {
        if (const auto dimension = fields.integer(key, range)) {
          layout.dimension = static_cast<std::uint32_t>(*dimension);
        }
      }
    });
  });
}

void read_limits(EmbeddingLayout& layout) {
  const std::filesystem::path path = layout.transformer / "sentence_bert_config.json";
  if (!is_there(path)) return;
  const nlohmann::json json = read_json(path);
  with_context("sentence_bert_config.json", [&] {
    const JsonFields fields(json);
    const IntegerRange range{.least = 3, .most = UINT32_MAX};
    layout.embedding->max_length =
        static_cast<std::uint32_t>(fields.integer("max_seq_length", range).value_or(0));
    layout.embedding->lower_case = fields.boolean("do_lower_case").value_or(false);
  });
}

void note_prompt(const std::filesystem::path& folder, EmbeddingLayout& layout) {
  const std::filesystem::path path = folder / "config_sentence_transformers.json";
  if (!is_there(path)) return;
  const nlohmann::json json = read_json(path);
  const auto prompt = with_context("config_sentence_transformers.json", [&json] {
    return JsonFields(json).text("default_prompt_name");
  });
  if (prompt) {
    layout.notes.push_back("config_sentence_transformers.json: the default prompt " +
                           printable(*prompt) + " is not added; put it before each text yourself");
  }
}

}  // namespace

EmbeddingLayout read_embedding_layout(const std::filesystem::path& folder) {
  EmbeddingLayout layout;
  layout.transformer = folder;
  std::filesystem::path pooling = folder / kPoolingFolder / "config.json";
  layout.has_pipeline = is_there(folder / "modules.json");
  if (layout.has_pipeline) {
    const nlohmann::json json = read_json(folder / "modules.json");
    const std::vector<Module> modules =
        with_context("modules.json", [&json] { return parse_modules(json); });
    if (!modules[0].path.empty()) layout.transformer = folder / modules[0].path;
    pooling = folder / modules[1].path / "config.json";
    layout.embedding = EmbeddingOptions{.normalize = modules.size() == 3};
  } else if (is_there(pooling)) {
    layout.embedding = EmbeddingOptions{};
  } else {
    return layout;
  }
  read_pooling(pooling, layout);
  read_limits(layout);
  note_prompt(folder, layout);
  return layout;
}

}  // namespace espalier::checkpoint
