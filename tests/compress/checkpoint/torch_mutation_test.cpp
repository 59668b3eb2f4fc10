// Torch files spoilt at random never crash the reader, and what it accepts can be read to the last
// byte. Pickles are spoilt under right checksums, too. Seeded: a failure names the mutant.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <random>
#include <string>

#include "compress/checkpoint/torch_file.hpp"
#include "espalier/error.hpp"
#include "tests/compress/checkpoint/torch_builder.hpp"

namespace espalier::testing {
namespace {

using namespace std::string_literals;
using Random = std::mt19937_64;

const std::vector<StorageBytes> kStorages = {{"0", std::string(24, '\1')},
                                             {"1", std::string(16, '\2')}};

// A bit of everything: nesting, memo, parameters, strides, one storage twice, state of a dict.
std::string object() {
  const std::string shared = storage("FloatStorage", "0", 6);
  return global("collections", "OrderedDict") + ")R(" + text("a.weight") +
         tensor({.storage = shared, .shape = {2, 3}, .strides = {3, 1}}) + "q\1" +
         text("a.turned") + tensor({.storage = shared, .shape = {3, 2}, .strides = {1, 3}}) +
         text("tied") + "h\1" + text("more") +
         dict({text("b"),
               global("torch._utils", "_rebuild_parameter") +
                   tuple({tensor({.storage = storage("IntStorage", "1", 4),
                                  .offset = 1,
                                  .shape = {3},
                                  .strides = {1}}),
                          "\x88", dict({})}) +
                   "R",
               number(5), list({number(1), "N", "G12345678"})}) +
         "u" + dict({text("_metadata"), number(1)}) + "b";
}

// Changes one place in a way that has hurt readers before.
void spoil(std::string& bytes, Random& random) {
  if (bytes.empty()) return;
  const std::size_t place = random() % bytes.size();
  // Opcodes, so that what comes of it is often a pickle again.
  constexpr std::string_view kOpcodes =
      "(.NJKMGX)t]ae}suqrhjcRbQ\x80\x85\x86\x87\x88\x8a\x8c\x93\x94";
  switch (random() % 7) {
    case 0:
      bytes[place] = static_cast<char>(random());
      break;
    case 1:
      bytes[place] = static_cast<char>(bytes[place] ^ (1 << random() % 8));
      break;
    case 2:
      bytes[place] = kOpcodes[random() % kOpcodes.size()];
      break;
    case 3:
      bytes.insert(place, 1, kOpcodes[random() % kOpcodes.size()]);
      break;
    case 4:
      bytes.erase(place, random() % 4 + 1);
      break;
    case 5: {  // a piece of it once more, elsewhere
      const std::string piece = bytes.substr(place, random() % 40);
      bytes.insert(random() % bytes.size(), piece);
      break;
    }
    case 6:
      bytes.replace(place, 4, random() % 2 == 0 ? "\xff\xff\xff\xff"s : "\xff\xff\xff\x7f"s);
      break;
  }
}

void spoil_a_little(std::string& bytes, Random& random) {
  for (std::uint64_t change = random() % 3 + 1; change > 0; --change) spoil(bytes, random);
}

// Reads every byte, which a sanitizer watches, and compares sizes. False when it is refused.
bool accepts(const std::string& bytes, int mutant) {
  try {
    const auto file = checkpoint::TorchFile::parse(FileBytes::copy(std::as_bytes(std::span(bytes))),
                                                   "mutant.bin");
    for (const checkpoint::TensorView& view : file.tensors()) {
      const std::uint64_t count = std::accumulate(view.shape.begin(), view.shape.end(),
                                                  std::uint64_t{1}, std::multiplies<>());
      EXPECT_EQ(view.bytes.size(), count * bits_of(view.type) / 8) << "mutant " << mutant;
      unsigned sum = 0;
      for (const std::byte byte : view.bytes) sum += std::to_integer<unsigned>(byte);
      EXPECT_LE(sum, 255 * view.bytes.size());
      EXPECT_EQ(file.find(view.name), &view) << "mutant " << mutant;
    }
    return true;
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::bad_input || error.code() == ErrorCode::resource)
        << "mutant " << mutant << ": " << error.what();
    return false;
  }
}

void mutate(std::uint64_t seed, int n_mutants,
            const std::function<std::string(Random& random)>& mutant_of) {
  Random random(seed);
  int n_accepted = 0;
  for (int mutant = 0; mutant < n_mutants; ++mutant) {
    if (accepts(mutant_of(random), mutant)) ++n_accepted;
  }
  // A changed number of an unused value is harmless; most changes are not.
  EXPECT_GT(n_accepted, 0);
  EXPECT_LT(n_accepted, n_mutants / 2);
}

TEST(TorchMutation, StartsFromFilesThatAreRead) {
  EXPECT_TRUE(accepts(torch_zip_file(object(), kStorages), 0));
  EXPECT_TRUE(accepts(torch_legacy_file(object(), kStorages), 0));
}

TEST(TorchMutation, OfAPickleUnderRightChecksumsNeverCrashes) {
  mutate(21, 20000, [](Random& random) {
    std::string spoilt = object();
    spoil_a_little(spoilt, random);
    return torch_zip_file(spoilt, kStorages);
  });
}

TEST(TorchMutation, OfAZipArchiveNeverCrashes) {
  const std::string file = torch_zip_file(object(), kStorages);
  mutate(22, 20000, [&file](Random& random) {
    std::string spoilt = file;
    // The members' bytes have checksums: most changes go to the headers behind them.
    std::string end = spoilt.substr(spoilt.size() * 2 / 3);
    spoilt.resize(spoilt.size() * 2 / 3);
    spoil_a_little(random() % 4 == 0 ? spoilt : end, random);
    return spoilt + end;
  });
}

TEST(TorchMutation, OfALegacyFileNeverCrashes) {
  const std::string file = torch_legacy_file(object(), kStorages);
  mutate(23, 20000, [&file](Random& random) {
    std::string spoilt = file;
    spoil_a_little(spoilt, random);
    return spoilt;
  });
}

}  // namespace
}  // namespace espalier::testing
