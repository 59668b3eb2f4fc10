#include "compress/checkpoint/sentence_transformers_writer.hpp"

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

using Json = nlohmann::ordered_json;

void write(const std::filesystem::path& path, const Json& json, Overwrite overwrite) {
  AtomicFile file(path, overwrite);
  file.write(json.dump(2) + "\n");
  file.commit();
}

Json module(int index, std::string_view path, std::string_view type) {
  return {{"idx", index},
          {"name", std::to_string(index)},
          {"path", path},
          {"type", "sentence_transformers.models." + std::string(type)}};
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return;
  throw Error(ErrorCode::output,
              "the folder " + printable(folder.string()) + " cannot be made: " + error.message());
}

}  // namespace

void write_embedding_layout(const std::filesystem::path& folder, const EmbeddingOptions& options,
                            std::uint32_t dimension, Overwrite overwrite) {
  Json modules = {module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")};
  make_folder(folder / "1_Pooling");
  if (options.normalize) {
    // The package loads a module from its folder, an empty one for this.
    modules.push_back(module(2, "2_Normalize", "Normalize"));
    make_folder(folder / "2_Normalize");
  }
  const bool is_mean = options.pooling == Pooling::mean;
  write(folder / "1_Pooling" / "config.json",
        {{"word_embedding_dimension", dimension},
         {"pooling_mode_cls_token", !is_mean},
         {"pooling_mode_mean_tokens", is_mean},
         {"pooling_mode_max_tokens", false},
         {"pooling_mode_mean_sqrt_len_tokens", false}},
        overwrite);
  Json limits = {{"do_lower_case", options.lower_case}};
  if (options.max_length > 0) limits["max_seq_length"] = options.max_length;
  write(folder / "sentence_bert_config.json", limits, overwrite);
  write(folder / "modules.json", modules, overwrite);  // last: it names the others
}

void remove_embedding_layout(const std::filesystem::path& folder) {
  for (const char* name : {"modules.json", "1_Pooling/config.json"}) {
    const std::filesystem::path file = folder / name;
    std::error_code error;
    std::filesystem::remove(file, error);
    if (!error) continue;
    throw Error(ErrorCode::output,
                printable(file.string()) + " cannot be removed: " + error.message());
  }
}

}  // namespace espalier::checkpoint
