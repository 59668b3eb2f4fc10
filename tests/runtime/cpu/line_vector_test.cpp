// Vectors begin on a cache line wherever they lie; those of an arena lie side by side.
#include "runtime/cpu/line_vector.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

namespace espalier::runtime::cpu {
namespace {

template <typename T>
bool begins_a_line(const LineVector<T>& vector) {
  return reinterpret_cast<std::uintptr_t>(vector.data()) % kLineBytes == 0;
}

TEST(LineVector, BeginsOnALine) {
  Arena arena;
  for (std::size_t size = 1; size < 200; ++size) {
    const LineVector<std::int8_t> on_the_heap(size), in_the_arena(size, 0, arena);
    EXPECT_TRUE(begins_a_line(on_the_heap));
    EXPECT_TRUE(begins_a_line(in_the_arena));
  }
}

TEST(LineVector, OfAnArenaLiesBesideTheOneBefore) {
  Arena arena;
  const LineVector<float> first(3, 0.0F, arena);
  const LineVector<std::int8_t> second(65, 0, arena), third(1, 0, arena);

  const auto* const begin = reinterpret_cast<const std::byte*>(first.data());
  EXPECT_EQ(reinterpret_cast<const std::byte*>(second.data()), begin + kLineBytes);
  EXPECT_EQ(reinterpret_cast<const std::byte*>(third.data()), begin + 3 * kLineBytes);
}

TEST(LineVector, LargerThanWhatTheArenaHasLeftIsWhole) {
  Arena arena;
  LineVector<std::int8_t> small(100, 1, arena), large(2 * kHugePage, 2, arena);
  LineVector<std::int8_t> other(kHugePage, 3, arena);

  EXPECT_EQ(small, LineVector<std::int8_t>(100, 1));
  EXPECT_EQ(large, LineVector<std::int8_t>(2 * kHugePage, 2));
  EXPECT_EQ(other, LineVector<std::int8_t>(kHugePage, 3));
}

TEST(LineVector, StaysWhereItIsWhenMoved) {
  Arena arena;
  LineVector<float> from(50, 1.0F, arena), into;
  const float* const data = from.data();

  into = std::move(from);

  EXPECT_EQ(into.data(), data);
  into.resize(500);
  EXPECT_TRUE(begins_a_line(into));
}

}  // namespace
}  // namespace espalier::runtime::cpu
