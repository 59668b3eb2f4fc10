#include "compress/checkpoint/weight_files.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/printable.hpp"
#include "compress/checkpoint/json_fields.hpp"
#include "compress/checkpoint/paths.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

constexpr std::size_t kMaxShards = 1000;

// Shard names with the tensors that the index expects in each.
using ShardMap = std::map<std::string, std::vector<std::string>>;

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::bad_input, what);
}

ShardMap parse_index(const nlohmann::json& json) {
  const JsonFields fields(json);
  const nlohmann::json* weights = fields.find("weight_map");
  if (weights == nullptr || !weights->is_object() || weights->empty()) {
    fields.refuse("weight_map", "must be an object from tensors to files");
  }
  ShardMap shards;
  for (const auto& entry : weights->items()) {
    const bool is_name =
        entry.value().is_string() && is_plain_name(entry.value().get_ref<const std::string&>());
    if (!is_name) {
      fail("tensor " + printable(entry.key()) + " is said to be in " +
           printable(entry.value().dump()) +
           "; shards must be plain names of files in this folder");
    }
    shards[entry.value().get<std::string>()].push_back(entry.key());
    if (shards.size() > kMaxShards)
      fail("names more than " + std::to_string(kMaxShards) + " files");
  }
  return shards;
}

// A link could make the tools read, and copy into a model, any file of the machine.
void refuse_link_outside(const std::filesystem::path& folder, const std::string& name) {
  std::error_code failed;
  const std::filesystem::path target = std::filesystem::canonical(folder / name, failed);
  if (failed) fail("file " + printable(name) + " is missing");
  const std::filesystem::path here = std::filesystem::canonical(folder, failed);
  if (failed || target.parent_path() != here) {
    fail("file " + printable(name) +
         " is a link out of this folder; copy the folder with its links followed (cp -rL)");
  }
}

void check_shard(const SafetensorsFile& shard, const std::string& name,
                 std::vector<std::string> listed) {
  std::sort(listed.begin(), listed.end());
  for (const std::string& tensor : listed) {
    if (shard.find(tensor) == nullptr) {
      fail("tensor " + printable(tensor) + " is not in " + printable(name));
    }
  }
  for (const TensorView& tensor : shard.tensors()) {
    if (!std::binary_search(listed.begin(), listed.end(), tensor.name)) {
      fail(printable(name) + " holds the tensor " + printable(tensor.name) +
           ", which is not listed for it");
    }
  }
}

[[noreturn]] void fail_without_weights(const std::filesystem::path& folder) {
  for (const char* name : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (is_there(folder / name)) {
      fail("holds " + std::string(name) +
           " but no model.safetensors; torch files are not read yet by this program. Convert it "
           "with transformers: AutoModel.from_pretrained(DIR).save_pretrained(DIR, "
           "safe_serialization=True), with the model's own class in place of AutoModel");
    }
  }
  fail("holds no model.safetensors and no model.safetensors.index.json");
}

}  // namespace

WeightFiles WeightFiles::open(const std::filesystem::path& folder, FileAccess access) {
  WeightFiles weights;
  weights.main_file_ = folder / "model.safetensors";
  if (is_there(weights.main_file_)) {
    weights.files_.push_back(SafetensorsFile::open(weights.main_file_, access));
    return weights;
  }
  weights.main_file_ = folder / "model.safetensors.index.json";
  if (!is_there(weights.main_file_)) fail_without_weights(folder);

  const nlohmann::json json = read_json(weights.main_file_);
  with_context("model.safetensors.index.json", [&] {
    for (const auto& [name, tensors] : parse_index(json)) {
      refuse_link_outside(folder, name);
      weights.files_.push_back(SafetensorsFile::open(folder / name, access));
      check_shard(weights.files_.back(), name, tensors);
    }
  });
  return weights;
}

const TensorView* WeightFiles::find(std::string_view name) const noexcept {
  for (const SafetensorsFile& file : files_) {
    if (const TensorView* tensor = file.find(name)) return tensor;
  }
  return nullptr;
}

}  // namespace espalier::checkpoint
