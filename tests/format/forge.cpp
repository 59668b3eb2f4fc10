#include "tests/format/forge.hpp"

#include <cstdint>
#include <cstring>

#include "format/checksum.hpp"
#include "format/container.hpp"
#include "format/header.hpp"

namespace espalier::testing {
namespace {

void append(Bytes& file, std::span<const std::byte> bytes) {
  file.insert(file.end(), bytes.begin(), bytes.end());
  file.resize(format::padded(file.size()));
}

}  // namespace

Bytes write_unchecked(const format::ModelSpec& spec) {
  const format::FilePlan plan = format::plan_file(spec);
  Bytes file = plan.header;
  for (const std::span<const std::byte> part : plan.parts) append(file, part);
  file.resize(file.size() + format::kTrailerBytes);
  reseal(file);
  return file;
}

Bytes edit_header(const Bytes& file, const std::function<void(format::schema::ModelT&)>& edit) {
  const auto model = flatbuffers::GetSizePrefixedRoot<format::schema::Model>(file.data());
  const std::unique_ptr<format::schema::ModelT> fields(model->UnPack());
  edit(*fields);
  flatbuffers::FlatBufferBuilder fbb;
  fbb.FinishSizePrefixed(format::schema::Model::Pack(fbb, fields.get()), format::kFileId);
  return replace_header(
      file, std::as_bytes(std::span<const std::uint8_t>(fbb.GetBufferPointer(), fbb.GetSize())));
}

Bytes replace_header(const Bytes& file, std::span<const std::byte> header) {
  Bytes result;
  append(result, header);
  result.insert(result.end(), file.begin() + static_cast<std::ptrdiff_t>(data_begin(file)),
                file.end());
  reseal(result);
  return result;
}

std::size_t header_end(const Bytes& file) {
  std::uint32_t size = 0;
  std::memcpy(&size, file.data(), sizeof size);
  return sizeof size + size;
}

std::size_t data_begin(const Bytes& file) {
  return format::padded(header_end(file));
}

void reseal(Bytes& file) {
  const std::size_t body = file.size() - format::kTrailerBytes;
  const std::uint64_t sum = format::checksum_of(std::span<const std::byte>(file).first(body));
  std::memcpy(file.data() + body, &sum, sizeof sum);
}

Verdict read(std::span<const std::byte> file) {
  try {
    (void)format::ModelFile::parse(FileBytes::copy(file));
  } catch (const Error& error) {
    return {.code = error.code(), .message = error.what()};
  }
  return {.accepted = true};
}

TinyModel smallest_model() {
  return {.hidden = 8,
          .head_dim = 4,
          .n_heads = {1},
          .intermediate = {8},
          .positions = 8,
          .small_type = format::ElementType::f16,
          .self_test = true};
}

}  // namespace espalier::testing
