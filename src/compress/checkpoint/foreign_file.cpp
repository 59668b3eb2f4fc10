#include "compress/checkpoint/foreign_file.hpp"

#include <string_view>

#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_tar(std::string_view text) {
  constexpr std::size_t kMagicPlace = 257;
  return text.size() >= 512 && text.substr(kMagicPlace, 5) == "ustar";
}

// A protobuf message whose field 1 is a small number, the version of the format, and whose next
// field is one of ModelProto's: producer (text), or domain, documentation, graph, opset.
bool is_onnx(std::string_view text) {
  if (text.size() < 4 || text[0] != 0x08 || text[1] < 1 || text[1] > 0x3f) return false;
  const char field = text[2];
  return field == 0x12 || field == 0x1a || field == 0x22 || field == 0x32 || field == 0x3a ||
         field == 0x42;
}

bool is_safetensors(std::string_view text) {
  return text.size() > 10 && text.substr(4, 4) == std::string_view("\0\0\0\0", 4) &&
         text.substr(8, 2) == "{\"";
}

}  // namespace

void refuse_no_weights(std::span<const std::byte> bytes) {
  const std::string_view text = as_text(bytes);
  if (text.starts_with("version https://git-lfs")) {
    throw Error(ErrorCode::bad_input,
                "is a Git LFS pointer, not the weights; fetch them with 'git lfs pull'");
  }
  if (text.starts_with("<!") || text.starts_with("<html")) {
    throw Error(ErrorCode::bad_input, "is a web page, not the weights; download the file itself");
  }
}

void refuse_no_torch_file(std::span<const std::byte> bytes) {
  const std::string_view text = as_text(bytes);
  if (text.empty()) throw Error(ErrorCode::bad_input, "is empty; download or copy it again");
  if (is_tar(text)) {
    throw Error(ErrorCode::bad_input,
                "is a tar archive of a torch from before 2017, which is not read; load it with "
                "torch once and save its state dict again");
  }
  if (is_onnx(text)) {
    throw Error(ErrorCode::bad_input,
                "is an ONNX graph, not the weights of a checkpoint; use the checkpoint that it was "
                "exported from");
  }
  if (is_safetensors(text)) {
    throw Error(ErrorCode::bad_input,
                "is a safetensors file; in a checkpoint it is called model.safetensors");
  }
}

}  // namespace espalier::checkpoint
