// Pickles by themselves, under the names that torch files may import.
#include "compress/checkpoint/pickle.hpp"

#include "compress/checkpoint/torch_objects.hpp"
#include "tests/compress/checkpoint/torch_builder.hpp"
#include "tests/fuzz/target.hpp"

namespace espalier::fuzz {

std::vector<std::string> seeds() {
  using namespace testing;
  const std::string one =
      tensor({.storage = storage("FloatStorage", "0", 4), .shape = {2, 2}, .strides = {2, 1}});
  return {pickle(one), pickle(dict({text("a"), one})), pickle(list({one, number(7), text("x")})),
          pickle(tuple({global("collections", "OrderedDict"), number(-1)})),
          pickle(dict({text("model"), dict({text("b"), one}), text("step"), number(1000)}))};
}

}  // namespace espalier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espalier;
  fuzz::accepted([&] {
    const checkpoint::Pickle pickle = checkpoint::read_torch_pickle(fuzz::bytes_of(data, size), 0);
    fuzz::require(pickle.end <= size, "a pickle ends within its bytes");
    const auto tensors = checkpoint::find_tensors(pickle);
    fuzz::require(!tensors.empty(), "a pickle without tensors is refused");
    for (const auto& tensor : tensors) {
      fuzz::require(tensor.shape.size() == tensor.strides.size(), "every axis has its stride");
    }
  });
  fuzz::accepted([&] {
    (void)checkpoint::find_storages(checkpoint::read_torch_pickle(fuzz::bytes_of(data, size), 0));
  });
  return 0;
}
