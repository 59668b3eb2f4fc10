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

void check_shard(const WeightFile& shard, const std::string& name,
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

WeightFile open_safetensors(const std::filesystem::path& path, FileAccess access) {
  return WeightFile(SafetensorsFile::open(path, access));
}

WeightFile open_torch(const std::filesystem::path& path, FileAccess access) {
  return WeightFile(TorchFile::open(path, access));
}

// The kinds of files, the preferred one first; the index of its shards is called FILE.index.json.
struct Kind {
  const char* file;
  WeightFile (*open)(const std::filesystem::path& path, FileAccess access);
};
constexpr Kind kKinds[] = {{"model.safetensors", open_safetensors},
                           {"pytorch_model.bin", open_torch}};

}  // namespace

const std::vector<TensorView>& WeightFile::tensors() const noexcept {
  const auto of = [](const auto& file) { return &file.tensors(); };
  return *std::visit(of, file_);
}

const TensorView* WeightFile::find(std::string_view name) const noexcept {
  return std::visit([name](const auto& file) { return file.find(name); }, file_);
}

const std::filesystem::path& WeightFile::path() const noexcept {
  return *std::visit([](const auto& file) { return &file.path(); }, file_);
}

WeightFiles WeightFiles::open(const std::filesystem::path& folder, FileAccess access) {
  WeightFiles weights;
  for (const Kind& kind : kKinds) {
    weights.main_file_ = folder / kind.file;
    if (is_there(weights.main_file_)) {
      weights.files_.push_back(kind.open(weights.main_file_, access));
      return weights;
    }
    const std::string index = std::string(kind.file) + ".index.json";
    weights.main_file_ = folder / index;
    if (!is_there(weights.main_file_)) continue;
    const nlohmann::json json = read_json(weights.main_file_);
    with_context(index, [&] {
      for (const auto& [name, tensors] : parse_index(json)) {
        refuse_link_outside(folder, name);
        weights.files_.push_back(kind.open(folder / name, access));
        check_shard(weights.files_.back(), name, tensors);
      }
    });
    return weights;
  }
  fail("holds no model.safetensors and no pytorch_model.bin, nor the index.json of either");
}

const TensorView* WeightFiles::find(std::string_view name) const noexcept {
  for (const WeightFile& file : files_) {
    if (const TensorView* tensor = file.find(name)) return tensor;
  }
  return nullptr;
}

}  // namespace espalier::checkpoint
