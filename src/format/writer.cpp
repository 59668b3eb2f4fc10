#include "format/writer.hpp"

#include <array>

#include "espalier/error.hpp"
#include "format/checksum.hpp"
#include "format/container.hpp"
#include "format/header.hpp"
#include "format/verify.hpp"

namespace espalier::format {
namespace {

/// A spec that does not hold is the exporter's failure, not a damaged file.
void check_before_writing(const ModelSpec& spec) {
  try {
    check_spec(spec);
  } catch (const Error& error) {
    throw Error(ErrorCode::failed,
                std::string("the model to be written is not sound: ") + error.what());
  }
}

/// Hands every byte of the file to `sink`, in order.
template <typename Sink>
void emit(const FilePlan& plan, Sink&& sink) {
  Checksum checksum;
  const auto put = [&](std::span<const std::byte> bytes) {
    checksum.add(bytes);
    sink(bytes);
  };
  put(plan.header);
  constexpr std::array<std::byte, kAlignment> kZeros{};
  for (const std::span<const std::byte> part : plan.parts) {
    put(part);
    put(std::span(kZeros).first(padded(part.size()) - part.size()));
  }
  std::array<std::byte, kTrailerBytes> trailer;
  const std::uint64_t sum = checksum.value();
  for (std::size_t byte = 0; byte < kTrailerBytes; ++byte) {
    trailer[byte] = static_cast<std::byte>(sum >> (8 * byte));
  }
  sink(trailer);
}

}  // namespace

void write_model(const ModelSpec& spec, const std::filesystem::path& path, Overwrite overwrite) {
  check_before_writing(spec);
  const FilePlan plan = plan_file(spec);
  AtomicFile file(path, overwrite);
  emit(plan, [&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.commit();
}

std::vector<std::byte> to_bytes(const ModelSpec& spec) {
  check_before_writing(spec);
  const FilePlan plan = plan_file(spec);
  std::vector<std::byte> bytes;
  bytes.reserve(plan.header.size() + plan.data_bytes + kTrailerBytes);
  emit(plan, [&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

}  // namespace espalier::format
