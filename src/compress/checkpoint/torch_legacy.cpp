// The layout before torch 1.6: a magic number, a version, a description of the machine, the object
// and the keys of its storages, each a pickle; then for each key the number of elements (8 bytes)
// and the elements, always little-endian.
#include <string>

#include "base/printable.hpp"
#include "compress/checkpoint/torch_layouts.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // as LONG1 has it
constexpr std::int64_t kVersion = 1001;
constexpr std::size_t kCountBytes = 8;

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::bad_input, what);
}

// Begins the messages about whatever is no torch file at all; a hostile pickle is named here, too.
void check_magic(const Pickle& pickle) {
  const PickleGraph& graph = pickle.graph;
  const bool is_magic =
      graph.kind(pickle.root) == PickleKind::long_integer && graph.text(pickle.root) == kMagic;
  if (!is_magic) fail("a pickle of something else; it holds no tensors");
}

void check_version(const Pickle& pickle) {
  const PickleGraph& graph = pickle.graph;
  const bool is_version =
      graph.kind(pickle.root) == PickleKind::integer && graph.integer(pickle.root) == kVersion;
  if (!is_version) fail("is of a version of torch's old layout other than 1001");
}

// Takes the elements of one storage, which begin at `place`, and moves that behind them.
std::span<const std::byte> take_storage(std::span<const std::byte> file, std::size_t& place,
                                        const TorchStorage& storage) {
  const std::string where =
      "storage " + printable(storage.key) + " at byte " + std::to_string(place);
  if (file.size() - place < kCountBytes) fail(where + " is past the end; the file is truncated");
  std::uint64_t n_elements = 0;
  for (std::size_t byte = 0; byte < kCountBytes; ++byte) {
    n_elements |= std::to_integer<std::uint64_t>(file[place + byte]) << (8 * byte);
  }
  place += kCountBytes;
  if (n_elements != storage.n_elements) {
    fail(where + " has " + std::to_string(n_elements) + " elements, its tensors expect " +
         std::to_string(storage.n_elements));
  }
  const std::size_t element_bytes = bits_of(storage.type) / 8;
  if (n_elements > (file.size() - place) / element_bytes) {
    fail(where + " runs past the end; the file is truncated");
  }
  const auto bytes = file.subspan(place, n_elements * element_bytes);
  place += bytes.size();
  return bytes;
}

}  // namespace

TorchContents read_torch_legacy(std::span<const std::byte> file) {
  std::size_t place = 0;
  const auto next = [&] {
    Pickle pickle = read_torch_pickle(file, place);
    place = pickle.end;
    return pickle;
  };
  with_context("not a file of torch.save", [&] { check_magic(next()); });
  check_version(next());
  (void)next();  // the machine that wrote it, which has no part in the numbers
  TorchContents contents;
  std::map<std::string_view, TorchStorage> known;
  {
    const Pickle object = next();  // gone before the next one is read
    contents.tensors = find_tensors(object);
    known = find_storages(object);
  }
  const Pickle list = next();
  if (list.graph.kind(list.root) != PickleKind::list) {
    fail("lists its storages by what is no list");
  }
  for (auto keys = list.graph.items(list.root); !keys.done(); keys.advance()) {
    if (list.graph.kind(keys.item()) != PickleKind::text)
      fail("lists a storage by what is no text");
    const std::string_view key = list.graph.text(keys.item());
    const auto storage = known.find(key);
    if (storage == known.end()) fail("lists the storage " + printable(key) + ", which has no use");
    const auto bytes = take_storage(file, place, storage->second);
    if (!contents.storages.emplace(key, bytes).second) {
      fail("lists the storage " + printable(key) + " twice");
    }
  }
  if (place != file.size()) {
    fail("has " + std::to_string(file.size() - place) + " bytes after its last storage");
  }
  for (const TorchTensor& tensor : contents.tensors) {
    if (contents.storages.find(tensor.storage.key) == contents.storages.end()) {
      fail("tensor " + printable(tensor.name) + " is in the storage " +
           printable(tensor.storage.key) + ", which is not in the file");
    }
  }
  return contents;
}

}  // namespace espalier::checkpoint
