// Random numbers that are the same on every machine and with every standard library: the
// distributions of <random> are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace espalier {

/// One step of splitmix64: well mixed even for 0, 1, 2, ... Source: Steele, Lea and Flood 2014,
/// "Fast splittable pseudorandom number generators".
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

/// A seed for one of many independent draws.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t seed, std::uint64_t index) noexcept {
  return mix(mix(seed) ^ index);
}

/// splitmix64 as a generator. One thread at a time.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) noexcept : state_(mix(seed)) {}

  constexpr std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15U;
    return mix(state_);
  }

  /// A number below `n`, which is not 0. The bias of the multiplication is below n / 2^64.
  /// Source: Lemire 2019, "Fast random integer generation in an interval".
  constexpr std::size_t below(std::size_t n) noexcept {
    return static_cast<std::size_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }

  /// A number in [0, 1).
  constexpr double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

/// Fisher and Yates: every order is equally likely.
template <typename Value>
constexpr void shuffle(std::span<Value> values, Random& random) {
  for (std::size_t left = values.size(); left > 1; --left) {
    std::swap(values[left - 1], values[random.below(left)]);
  }
}

}  // namespace espalier
