// Model files, spoilt under a right checksum: refused, or they answer without harm. What is
// accepted can be written again.
#include <algorithm>

#include "espalier/espalier.hpp"
#include "format/reader.hpp"
#include "format/writer.hpp"
#include "tests/format/forge.hpp"
#include "tests/fuzz/target.hpp"

namespace espalier::fuzz {
namespace {

// Longer work says nothing more: a forged model may be as large as its file allows.
constexpr std::size_t kMaxHidden = 4096;

std::string file_of(const testing::TinyModel& tiny) {
  const std::vector<std::byte> bytes = format::to_bytes(testing::make_tiny_model(tiny).spec());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void ask(std::span<const std::byte> bytes) {
  const Model model = Model::open(bytes);
  if (model.info().hidden > kMaxHidden) return;
  Session session(model, {.n_threads = 1, .backend = "reference"});
  const TokenId pad{0};
  TokenBatch batch;
  batch.ids.assign(std::min<std::size_t>(4, model.info().max_length), pad);
  batch.segments.assign(batch.ids.size(), 0);
  batch.offsets = {0, static_cast<std::uint32_t>(batch.ids.size())};
  std::vector<float> answers(session.output_size(batch));
  session.run(batch, answers);
}

}  // namespace

std::vector<std::string> seeds() {
  std::vector<testing::TinyModel> models(7, testing::smallest_model());
  models[1].precision = Precision::fp32;
  models[2].embedding_rank = 3;
  models[3].four_bit_group = 32;
  models[4].task = Task::tag;
  models[5].task = Task::embed;
  models[6].task = Task::fill_mask;
  std::vector<std::string> seeds;
  for (const testing::TinyModel& model : models) seeds.push_back(file_of(model));
  return seeds;
}

}  // namespace espalier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espalier;
  const std::span<const std::byte> bytes = fuzz::bytes_of(data, size);
  const bool read = fuzz::accepted([&] {
    const auto model = format::ModelFile::parse(FileBytes::copy(bytes));
    fuzz::require(testing::read(format::to_bytes(model.spec())).accepted,
                  "what was read can be written and read again");
  });
  // Weights may be so large that answers are no numbers, which is said.
  if (read) fuzz::accepted([&] { fuzz::ask(bytes); }, ErrorCode::failed);
  return 0;
}

// libFuzzer's own; absent where inputs are only replayed.
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                                              std::size_t max_size);

// Most changes leave the checksum right, so that they reach what is behind it.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  constexpr unsigned kWithChecksum = 15;  // of 16
  const std::size_t changed = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 16 >= kWithChecksum || changed < 64) return changed;
  const std::byte* begin = reinterpret_cast<const std::byte*>(data);
  espalier::testing::Bytes file(begin, begin + changed);
  espalier::testing::reseal(file);
  std::copy_n(reinterpret_cast<const std::uint8_t*>(file.data()), file.size(), data);
  return file.size();
}
