#include "compress/checkpoint/safetensors_writer.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

void check(const TensorBytes& tensor) {
  std::uint64_t bits = bits_of(tensor.type);
  for (const std::uint64_t size : tensor.shape) bits *= size;
  if (bits / 8 == tensor.bytes.size()) return;
  throw Error(ErrorCode::usage, "tensor " + printable(tensor.name) + " has " +
                                    std::to_string(tensor.bytes.size()) +
                                    " bytes, its shape takes " + std::to_string(bits / 8));
}

bool goes_before(const TensorBytes& a, const TensorBytes& b) {
  const std::uint32_t bits_of_a = bits_of(a.type);
  const std::uint32_t bits_of_b = bits_of(b.type);
  return bits_of_a != bits_of_b ? bits_of_a > bits_of_b : a.name < b.name;
}

std::string header_of(const std::vector<TensorBytes>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const TensorBytes& tensor : tensors) {
    if (header.contains(tensor.name)) {
      throw Error(ErrorCode::usage, "tensor " + printable(tensor.name) + " is there twice");
    }
    header[tensor.name] = {{"dtype", name_of(tensor.type)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins aligned
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& file, std::vector<TensorBytes> tensors,
                       const std::map<std::string, std::string>& metadata, Overwrite overwrite) {
  AtomicFile out(file, overwrite);
  write_safetensors(out, std::move(tensors), metadata);
  out.commit();
}

void write_safetensors(AtomicFile& out, std::vector<TensorBytes> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::for_each(tensors.begin(), tensors.end(), check);
  std::sort(tensors.begin(), tensors.end(), goes_before);
  const std::string header = header_of(tensors, metadata);
  std::array<char, 8> size{};
  for (std::size_t byte = 0; byte < size.size(); ++byte) {
    size[byte] = static_cast<char>(header.size() >> (8 * byte) & 0xFF);
  }
  out.write(std::string_view(size.data(), size.size()));
  out.write(header);
  for (const TensorBytes& tensor : tensors) out.write(tensor.bytes);
}

}  // namespace espalier::checkpoint
