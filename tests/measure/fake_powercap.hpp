// A powercap tree of a test's own: folders like intel-rapl:0 with name, energy_uj and range.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "tests/support/temporary_folder.hpp"

namespace espalier::testing {

/// What a common processor shows: 2^32 counts of 61 µJ.
inline constexpr std::uint64_t kRangeUj = 262'143'328'850;

class FakePowercap {
 public:
  [[nodiscard]] const std::filesystem::path& root() const { return folder_.path(); }

  void add_zone(const std::string& folder, std::string_view name, std::uint64_t energy_uj) const {
    write_file(root() / folder / "name", std::string(name) + "\n");
    write_file(root() / folder / "max_energy_range_uj", std::to_string(kRangeUj) + "\n");
    set_energy(folder, energy_uj);
  }
  void set_energy(const std::string& folder, std::uint64_t energy_uj) const {
    write_file(energy_file(folder), std::to_string(energy_uj) + "\n");
  }
  [[nodiscard]] std::filesystem::path energy_file(const std::string& folder) const {
    return root() / folder / "energy_uj";
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace espalier::testing
