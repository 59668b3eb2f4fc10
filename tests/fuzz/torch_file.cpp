// Torch files. The first byte says how the others are meant: a whole file, or the pickle of a file
// whose frame, with its checksums, is right.
#include "compress/checkpoint/torch_file.hpp"

#include "tests/compress/checkpoint/torch_builder.hpp"
#include "tests/fuzz/target.hpp"

namespace espalier::fuzz {
namespace {

std::string value() {
  using namespace testing;
  return dict(
      {text("a"),
       tensor({.storage = storage("FloatStorage", "0", 4), .shape = {2, 2}, .strides = {2, 1}})});
}

const std::string kStorage(16, 'f');

}  // namespace

std::vector<std::string> seeds() {
  using namespace testing;
  return {"W" + torch_zip_file(value(), {{"0", kStorage}}),
          "W" + torch_legacy_file(value(), {{"0", kStorage}}), "P" + pickle(value()),
          "P" + pickle(dict({text("t"), tensor({.storage = storage("HalfStorage", "0", 8),
                                                .shape = {2, 2},
                                                .strides = {1, 2}})}))};
}

}  // namespace espalier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espalier;
  if (size == 0) return 0;
  std::string file(fuzz::text_of(data + 1, size - 1));
  if (data[0] == 'P') {
    file = testing::zip_file({{.name = "m/data.pkl", .bytes = file},
                              {.name = "m/byteorder", .bytes = "little"},
                              {.name = "m/data/0", .bytes = fuzz::kStorage},
                              {.name = "m/version", .bytes = "3\n"}});
  }
  fuzz::accepted([&] {
    const auto read = checkpoint::TorchFile::parse(
        FileBytes::copy(std::as_bytes(std::span<const char>(file.data(), file.size()))), "input");
    for (const checkpoint::TensorView& tensor : read.tensors()) {
      std::uint64_t n_elements = 1;
      for (const std::uint64_t extent : tensor.shape) n_elements *= extent;
      fuzz::require(n_elements * checkpoint::bits_of(tensor.type) == 8 * tensor.bytes.size(),
                    "a tensor has the bytes of its shape");
      fuzz::require(read.find(tensor.name) == &tensor, "a tensor is found by its name");
      fuzz::touch(tensor.bytes);
    }
  });
  return 0;
}
