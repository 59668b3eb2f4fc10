// Files are read in pieces and not mapped: the weights are mapped already, and mapped twice they
// would count twice.
#include "compress/export/provenance.hpp"

#include <cstdint>
#include <fstream>
#include <span>

#include "base/printable.hpp"
#include "espalier/error.hpp"
#include "format/checksum.hpp"

namespace espalier::compress {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

std::string hex(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t digit = text.size(); digit-- > 0; value >>= 4) text[digit] = kDigits[value & 15];
  return text;
}

}  // namespace

std::string file_hash(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  format::Checksum checksum;
  std::vector<char> piece(kPieceBytes);
  while (stream) {
    stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    checksum.add(std::as_bytes(std::span(piece).first(static_cast<std::size_t>(stream.gcount()))));
  }
  if (!stream.eof()) {
    throw Error(ErrorCode::bad_input, printable(file.filename().string()) +
                                          " cannot be read; check that it is a readable file");
  }
  return hex(checksum.value());
}

std::string text_hash(std::string_view text) {
  format::Checksum checksum;
  checksum.add(std::as_bytes(std::span(text)));
  return hex(checksum.value());
}

format::ProvenanceStage make_stage(std::string_view name,
                                   std::vector<std::pair<std::string, std::string>> options,
                                   const std::vector<std::filesystem::path>& inputs) {
  format::ProvenanceStage stage;
  stage.name = name;
  stage.version = ESPALIER_VERSION;
  stage.options = std::move(options);
  for (const std::filesystem::path& input : inputs) {
    stage.inputs.emplace_back(input.filename().string(), file_hash(input));
  }
  return stage;
}

}  // namespace espalier::compress
