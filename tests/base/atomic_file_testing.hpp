// What the tests of AtomicFile share: its refusals, and the folder as it is left.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "base/atomic_file.hpp"
#include "espalier/error.hpp"

namespace espalier::testing {

inline std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

/// The message of the Error(output) that `work` throws; empty when it throws none.
template <typename Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output) << error.what();
    return error.what();
  }
  return {};
}

inline std::string refusal_of(const std::filesystem::path& path, Overwrite overwrite) {
  return refusal([&] { const AtomicFile file(path, overwrite); });
}

/// Writes `text` as the whole of `path`, there or not.
inline void replace(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path, Overwrite::replace);
  file.write(text);
  file.commit();
}

/// Works as a user without rights while it lives; for tests that run as root.
class AsNobody {
 public:
  AsNobody() { EXPECT_EQ(::seteuid(kNobody), 0); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() { EXPECT_EQ(::seteuid(0), 0); }

  static constexpr uid_t kNobody = 65534;
};

}  // namespace espalier::testing
