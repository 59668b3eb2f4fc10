// The layout since torch 1.6: NAME/data.pkl, NAME/data/KEY for each storage, and a few records.
#include <string>

#include "base/printable.hpp"
#include "compress/checkpoint/torch_layouts.hpp"
#include "compress/checkpoint/zip_archive.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::bad_input, what);
}

// "NAME/", the folder of data.pkl. Members beside it have no part in the model.
std::string find_folder(const ZipArchive& archive) {
  constexpr std::string_view kPickle = "/data.pkl";
  std::string folder;
  for (const ZipMember& member : archive.members()) {
    if (!member.name.ends_with(kPickle)) continue;
    const std::string_view name = member.name.substr(0, member.name.size() - kPickle.size());
    if (name.empty() || name.find('/') != std::string_view::npos) continue;
    if (!folder.empty()) fail("holds more than one data.pkl, each in a folder of its own");
    folder = std::string(name) + "/";
  }
  if (folder.empty()) {
    fail("is a zip archive without a data.pkl in a folder of its own; torch.save did not write it");
  }
  return folder;
}

// Asked before the members are looked at: TorchScript compresses its program.
void refuse_torch_script(const ZipDirectory& directory) {
  for (const ZipEntry& entry : directory.entries) {
    const std::size_t slash = entry.name.find('/');
    if (slash == std::string_view::npos) continue;
    const std::string_view name = entry.name.substr(slash + 1);
    if (name == "constants.pkl" || name.starts_with("code/")) {
      fail(
          "is a TorchScript archive, which holds a program; save the model's state dict instead: "
          "torch.save(torch.jit.load(FILE).state_dict(), \"pytorch_model.bin\")");
    }
  }
}

// The order of bytes is written since torch 2.1; before that it is the writer's, which was little.
bool is_big_endian(const ZipArchive& archive, const std::string& folder) {
  const ZipMember* member = archive.find(folder + "byteorder");
  if (member == nullptr) return false;
  const std::string_view order(reinterpret_cast<const char*>(member->bytes.data()),
                               member->bytes.size());
  if (order != "little" && order != "big") {
    fail("member " + printable(member->name) + " is " + printable(order) +
         ", expected 'little' or 'big'");
  }
  return order == "big";
}

}  // namespace

bool is_zip(std::span<const std::byte> file) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  return text.starts_with("PK\3\4") || text.starts_with("PK\5\6");
}

TorchContents read_torch_zip(std::span<const std::byte> file) {
  const ZipDirectory directory = read_zip_directory(ZipBytes(file));
  refuse_torch_script(directory);
  const ZipArchive archive = ZipArchive::read(file, directory);
  const std::string folder = find_folder(archive);
  TorchContents contents;
  contents.is_big_endian = is_big_endian(archive, folder);
  const std::span<const std::byte> pickle = archive.find(folder + "data.pkl")->bytes;
  with_context("data.pkl", [&] {
    const Pickle read = read_torch_pickle(pickle, 0);
    if (read.end != pickle.size()) {
      fail("has " + std::to_string(pickle.size() - read.end) + " bytes after its end");
    }
    contents.tensors = find_tensors(read);
  });
  for (const TorchTensor& tensor : contents.tensors) {
    const std::string_view key = tensor.storage.key;
    const ZipMember* member = archive.find(folder + "data/" + std::string(key));
    if (member == nullptr) {
      fail("tensor " + printable(tensor.name) + " is in the storage " + printable(key) +
           ", which is not in the archive");
    }
    contents.storages.emplace(key, member->bytes);
  }
  return contents;
}

}  // namespace espalier::checkpoint
