#include "compress/checkpoint/torch_file.hpp"

#include <string>
#include <utility>

#include "base/printable.hpp"
#include "compress/checkpoint/foreign_file.hpp"
#include "compress/checkpoint/strided.hpp"
#include "compress/checkpoint/torch_layouts.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

TorchContents read_contents(std::span<const std::byte> file) {
  refuse_no_weights(file);
  refuse_no_torch_file(file);
  return is_zip(file) ? read_torch_zip(file) : read_torch_legacy(file);
}

// Turns tensors as torch describes them into views of bytes in row-major order.
class Views {
 public:
  Views(const TorchContents& contents, std::size_t file_bytes,
        std::vector<std::vector<std::byte>>& rearranged)
      : contents_(contents),
        rearranged_(rearranged),
        n_bytes_left_(file_bytes + kMaxRearrangedBytes) {}

  [[nodiscard]] std::span<const std::byte> bytes_of(const TorchTensor& tensor) {
    const TorchStorage& storage = tensor.storage;
    const std::size_t element_bytes = bits_of(storage.type) / 8;
    std::span<const std::byte> bytes = contents_.storages.at(storage.key);
    if (bytes.size() % element_bytes != 0 || bytes.size() / element_bytes != storage.n_elements) {
      throw Error(ErrorCode::bad_input, "storage " + printable(storage.key) + " has " +
                                            std::to_string(bytes.size()) + " bytes, expected " +
                                            std::to_string(storage.n_elements) + " elements of " +
                                            std::to_string(element_bytes));
    }
    bytes = bytes.subspan(storage.first * element_bytes, storage.n_seen * element_bytes);
    const StridedShape strided = {
        .offset = tensor.offset, .shape = tensor.shape, .strides = tensor.strides};
    const std::uint64_t count = count_within(strided, storage.n_seen);
    const bool swap = contents_.is_big_endian && element_bytes > 1;
    if (count == 0) return bytes.first(0);
    if (is_row_major(strided) && !swap) {
      return bytes.subspan(tensor.offset * element_bytes, count * element_bytes);
    }
    if (count > n_bytes_left_ / element_bytes) {
      throw Error(ErrorCode::resource,
                  "takes more memory than the file: its elements are repeated or out of order; "
                  "save a state dict of contiguous tensors");
    }
    n_bytes_left_ -= count * element_bytes;
    rearranged_.push_back(copy_row_major(strided, bytes, element_bytes, swap));
    return rearranged_.back();
  }

 private:
  const TorchContents& contents_;
  std::vector<std::vector<std::byte>>& rearranged_;
  std::size_t n_bytes_left_;
};

}  // namespace

TorchFile TorchFile::open(const std::filesystem::path& path, FileAccess access) {
  return {FileBytes::open(path, access), path};
}

TorchFile TorchFile::parse(FileBytes bytes, const std::filesystem::path& path) {
  return {std::move(bytes), path};
}

TorchFile::TorchFile(FileBytes bytes, const std::filesystem::path& path)
    : bytes_(std::move(bytes)), path_(std::make_unique<const std::filesystem::path>(path)) {
  with_context(printable(path.filename().string()), [this] {
    TorchContents contents = read_contents(bytes_.bytes());
    Views views(contents, bytes_.bytes().size(), rearranged_);
    std::vector<TensorView> tensors;
    tensors.reserve(contents.tensors.size());
    for (TorchTensor& tensor : contents.tensors) {
      const auto view =
          with_context("tensor " + printable(tensor.name), [&] { return views.bytes_of(tensor); });
      tensors.push_back({std::move(tensor.name), tensor.storage.type, std::move(tensor.shape), view,
                         path_.get()});
    }
    tensors_ = TensorList(std::move(tensors));
  });
}

}  // namespace espalier::checkpoint
