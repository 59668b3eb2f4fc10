// Zip archives as torch.save writes them: members lie in the file, apart from each other, and are
// found by name.
#include "compress/checkpoint/zip_archive.hpp"

#include "tests/compress/checkpoint/torch_builder.hpp"
#include "tests/fuzz/target.hpp"

namespace espalier::fuzz {

std::vector<std::string> seeds() {
  using namespace testing;
  return {
      zip_file({}), zip_file({{.name = "a/data.pkl", .bytes = "x"}}),
      zip_file({{.name = "a/data.pkl", .bytes = "x"}, {.name = "a/data/0", .bytes = "12345678"}}),
      zip_file({{.name = "a", .bytes = "x", .flags = 8}}),
      zip_file({{.name = "a", .bytes = "x", .in_64_bits = true}}, {.in_64_bits = true})};
}

}  // namespace espalier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espalier;
  const auto bytes = fuzz::bytes_of(data, size);
  fuzz::accepted([&] {
    const auto archive = checkpoint::ZipArchive::read(
        bytes, checkpoint::read_zip_directory(checkpoint::ZipBytes(bytes)));
    std::size_t n_bytes = 0;
    for (const checkpoint::ZipMember& member : archive.members()) {
      fuzz::require(archive.find(member.name) == &member, "a member is found by its name");
      fuzz::touch(member.bytes);
      n_bytes += member.bytes.size();
    }
    fuzz::require(n_bytes <= size, "members do not share bytes");
  });
  return 0;
}
