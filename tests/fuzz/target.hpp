// A fuzz target: what is done with bytes that anybody may have made, and bytes to begin with. One
// file a target defines both functions; libFuzzer or replay.cpp calls them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/error.hpp"

/// Does it. Whatever the bytes are, it returns 0; a crash, a sanitizer's report or a broken promise
/// (require) is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace espalier::fuzz {

/// Inputs that reach deep, made on the spot.
[[nodiscard]] std::vector<std::string> seeds();

/// A promise to callers, kept for every input.
inline void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

/// Runs `body`. Whether it was not refused; only an Error that blames the input refuses, or one of
/// the code `also`.
template <typename Body>
bool accepted(Body&& body, ErrorCode also = ErrorCode::bad_input) {
  try {
    body();
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::bad_input || error.code() == ErrorCode::verification ||
                error.code() == ErrorCode::resource || error.code() == ErrorCode::usage ||
                error.code() == also,
            error.what());
    require(std::string_view(error.what()).size() < 4096,
            "messages are short, whatever they quote");
    return false;
  }
}

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

[[nodiscard]] inline std::span<const std::byte> bytes_of(const std::uint8_t* data,
                                                         std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

/// Reads every byte, for the sanitizer to see that they are there.
inline void touch(std::span<const std::byte> bytes) {
  unsigned sum = 0;
  for (const std::byte byte : bytes) sum += std::to_integer<unsigned>(byte);
  [[maybe_unused]] static volatile unsigned sink;
  sink = sum;
}

}  // namespace espalier::fuzz
