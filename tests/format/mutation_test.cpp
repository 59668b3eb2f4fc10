// Headers spoilt at random under a right checksum never crash the reader, and what it accepts is a
// model that can be written and read again. Seeded: a failure names the mutant.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "format/verify.hpp"
#include "format/writer.hpp"
#include "tests/format/forge.hpp"

namespace espalier::testing {
namespace {

/// Overwrites a word or a byte of the header with a value that has hurt readers before.
void spoil(Bytes& file, std::size_t end, std::mt19937_64& random) {
  const std::size_t n_words = end / 4;
  const std::size_t at = random() % n_words * 4;
  std::uint32_t word = 0;
  std::memcpy(&word, file.data() + at, sizeof word);
  switch (random() % 8) {
    case 0:
      word = 0;
      break;
    case 1:
      word = 0xFFFFFFFF;
      break;
    case 2:
      word = 0x7FFFFFFF;
      break;
    case 3:
      word = static_cast<std::uint32_t>(end);
      break;
    case 4:
      word += static_cast<std::uint32_t>(random() % 17) - 8;
      break;
    case 5:
      word ^= 1U << random() % 32;
      break;
    case 6:
      word = (word & ~0xFFU << random() % 4 * 8) | static_cast<std::uint32_t>(random()) % 256;
      break;
    case 7:
      std::memcpy(&word, file.data() + random() % n_words * 4, sizeof word);
      break;
  }
  std::memcpy(file.data() + at, &word, sizeof word);
}

void mutate(const TinyModel& tiny, std::uint64_t seed, int n_mutants) {
  const Bytes file = format::to_bytes(make_tiny_model(tiny).spec());
  const std::size_t end = header_end(file);
  std::mt19937_64 random(seed);
  int n_accepted = 0;
  for (int mutant = 0; mutant < n_mutants; ++mutant) {
    Bytes spoilt = file;
    for (std::uint64_t change = random() % 3 + 1; change > 0; --change) spoil(spoilt, end, random);
    reseal(spoilt);
    try {
      const auto model = format::ModelFile::parse(FileBytes::copy(spoilt));
      ++n_accepted;
      EXPECT_NO_THROW(format::check_spec(model.spec())) << "mutant " << mutant;
      EXPECT_TRUE(read(format::to_bytes(model.spec())).accepted) << "mutant " << mutant;
    } catch (const Error& error) {
      ASSERT_TRUE(error.code() == ErrorCode::verification || error.code() == ErrorCode::bad_input)
          << "mutant " << mutant << ": " << error.what();
    }
  }
  // Some changes are harmless (a flag, a digit of the provenance): the loop must reach beyond the
  // frame, and most changes are not.
  EXPECT_GT(n_accepted, 0);
  EXPECT_LT(n_accepted, n_mutants / 2);
}

TEST(Mutation, OfAClassifierNeverCrashes) {
  mutate(smallest_model(), 11, 10000);
}

TEST(Mutation, OfAFactorisedModelNeverCrashes) {
  TinyModel tiny = smallest_model();
  tiny.embedding_rank = 3;
  mutate(tiny, 13, 10000);
}

TEST(Mutation, OfAModelOfFourBitsNeverCrashes) {
  TinyModel tiny = smallest_model();
  tiny.four_bit_group = 32;
  mutate(tiny, 14, 10000);
}

TEST(Mutation, OfAMaskFillerNeverCrashes) {
  TinyModel tiny = smallest_model();
  tiny.task = Task::fill_mask;
  tiny.precision = Precision::fp32;
  mutate(tiny, 12, 10000);
}

}  // namespace
}  // namespace espalier::testing
