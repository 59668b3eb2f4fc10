// safetensors files: what is accepted has its bytes, each tensor its own and none left over.
#include "compress/checkpoint/safetensors.hpp"

#include "tests/compress/checkpoint/hostile_files.hpp"
#include "tests/fuzz/target.hpp"

namespace espalier::fuzz {

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  for (const testing::HostileFile& file : testing::hostile_safetensors()) {
    if (file.bytes.size() < 4096) seeds.push_back(file.bytes);
  }
  return seeds;
}

}  // namespace espalier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espalier;
  fuzz::accepted([&] {
    const auto file =
        checkpoint::SafetensorsFile::parse(FileBytes::copy(fuzz::bytes_of(data, size)), "input");
    std::size_t n_bytes = 0;
    for (const checkpoint::TensorView& tensor : file.tensors()) {
      std::uint64_t n_elements = 1;
      for (const std::uint64_t extent : tensor.shape) n_elements *= extent;
      fuzz::require(n_elements * checkpoint::bits_of(tensor.type) == 8 * tensor.bytes.size(),
                    "a tensor has the bytes of its shape");
      fuzz::require(file.find(tensor.name) == &tensor, "a tensor is found by its name");
      fuzz::touch(tensor.bytes);
      n_bytes += tensor.bytes.size();
    }
    fuzz::require(n_bytes < size, "tensors do not share bytes");
  });
  return 0;
}
