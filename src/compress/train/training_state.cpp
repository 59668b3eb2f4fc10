// A safetensors file: the model's and the optimizer's tensors under their names, and two tensors of
// bytes beside them for what is no tensor.
#include "compress/train/training_state.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <cstring>

#include "compress/checkpoint/safetensors_writer.hpp"
#include "espalier/error.hpp"

namespace espalier::train {
namespace {

constexpr const char* kPosition = "espalier.position";
constexpr const char* kSettings = "espalier.settings";

// What lies in the file; every field is 8 bytes, so there is no padding to leave unset.
struct StoredPosition {
  std::uint64_t step;
  std::uint64_t finished;
  std::int64_t best_epoch;
  std::uint64_t epochs_since_best;
  double best_score;
};

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  throw Error(ErrorCode::bad_input, "the saved training run '" + file.filename().string() + "' " +
                                        what + "; start anew with --force in place of --resume");
}

std::string to_text(const Settings& settings) {
  std::string text;
  for (const auto& [name, value] : settings) text += name + "=" + value + '\n';
  return text;
}

checkpoint::ElementType type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kDouble:
      return checkpoint::ElementType::f64;
    case at::kLong:
      return checkpoint::ElementType::i64;
    default:
      return checkpoint::ElementType::f32;
  }
}

const checkpoint::TensorView& find(const checkpoint::SafetensorsFile& file,
                                   const std::string& name) {
  const checkpoint::TensorView* view = file.find(name);
  if (view == nullptr) fail(file.path(), "lacks '" + name + "'");
  return *view;
}

// The setting that differs first, as a sentence.
std::string difference(std::string_view saved, std::string_view wanted) {
  const auto take_line = [](std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
  };
  while (true) {
    const std::string_view before = take_line(saved);
    const std::string_view now = take_line(wanted);
    if (before != now) {
      return "was begun with " + std::string(before.empty() ? "fewer settings" : before) +
             ", now it is " + std::string(now.empty() ? "missing" : now);
    }
  }
}

}  // namespace

void save_state(const std::filesystem::path& file, const Position& position,
                const Settings& settings, const std::vector<objective::NamedTensor>& tensors) {
  const StoredPosition stored = {.step = position.step,
                                 .finished = position.finished ? 1U : 0U,
                                 .best_epoch = position.best_epoch,
                                 .epochs_since_best = position.epochs_since_best,
                                 .best_score = position.best_score};
  const std::string text = to_text(settings);
  std::vector<at::Tensor> kept;
  std::vector<checkpoint::TensorBytes> parts;
  parts.push_back({.name = kPosition,
                   .type = checkpoint::ElementType::u8,
                   .shape = {sizeof stored},
                   .bytes = std::as_bytes(std::span(&stored, 1))});
  parts.push_back({.name = kSettings,
                   .type = checkpoint::ElementType::u8,
                   .shape = {text.size()},
                   .bytes = std::as_bytes(std::span(text.data(), text.size()))});
  for (const objective::NamedTensor& tensor : tensors) {
    const at::Tensor& value = kept.emplace_back(tensor.value.detach().to(at::kCPU).contiguous());
    parts.push_back(
        {.name = tensor.name,
         .type = type_of(value),
         .shape = {value.sizes().begin(), value.sizes().end()},
         .bytes = {static_cast<const std::byte*>(value.const_data_ptr()), value.nbytes()}});
  }
  checkpoint::write_safetensors(file, std::move(parts), {}, Overwrite::replace);
}

SavedState SavedState::open(const std::filesystem::path& file, const Settings& settings) {
  SavedState state(checkpoint::SafetensorsFile::open(file));
  const checkpoint::TensorView& text = find(state.file_, kSettings);
  const std::string_view saved(reinterpret_cast<const char*>(text.bytes.data()), text.bytes.size());
  const std::string wanted = to_text(settings);
  if (saved != wanted) {
    throw Error(
        ErrorCode::usage,
        "the run to resume " + difference(saved, wanted) +
            "; give what it was begun with, or start anew with --force in place of --resume");
  }
  const checkpoint::TensorView& bytes = find(state.file_, kPosition);
  StoredPosition stored;
  if (bytes.bytes.size() != sizeof stored) fail(file, "has a position of another size");
  std::memcpy(&stored, bytes.bytes.data(), sizeof stored);
  state.position_ = {.step = stored.step,
                     .finished = stored.finished != 0,
                     .best_epoch = stored.best_epoch,
                     .epochs_since_best = stored.epochs_since_best,
                     .best_score = stored.best_score};
  return state;
}

at::Tensor SavedState::integers(const std::string& name) const {
  const checkpoint::TensorView& view = find(file_, name);
  if (view.type != checkpoint::ElementType::i64 || view.shape.size() != 1) {
    fail(file_.path(), "has '" + name + "' in another shape or type");
  }
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(view.shape.front())}, at::kLong);
  // An empty tensor has no bytes, and nowhere to copy them to.
  if (!view.bytes.empty()) {
    std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
  }
  return tensor;
}

void SavedState::copy_to(const std::vector<objective::NamedTensor>& tensors) const {
  const at::NoGradGuard no_grad;
  for (const objective::NamedTensor& tensor : tensors) {
    const checkpoint::TensorView& view = find(file_, tensor.name);
    const std::vector<std::int64_t> shape(view.shape.begin(), view.shape.end());
    if (tensor.value.sizes() != at::IntArrayRef(shape) || view.type != type_of(tensor.value)) {
      fail(file_.path(), "has '" + tensor.name + "' in another shape or type");
    }
    const at::Tensor copy = at::empty(shape, tensor.value.scalar_type());
    std::memcpy(copy.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    at::Tensor destination = tensor.value;
    destination.copy_(copy);
  }
}

}  // namespace espalier::train
