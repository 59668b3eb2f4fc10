// The folder where a run keeps what it has done, so that it goes on where it ended: finished
// stages, the outcome of each candidate, and the fingerprint of all that they depend on.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::recipe {

/// What a run depends on, name by name, files as hashes of their content: two runs with the same
/// fingerprint do the same.
using Fingerprint = std::vector<std::pair<std::string, std::string>>;

/// One process at a time has a workspace open. Layout: run.json (the fingerprint),
/// stages/NAME/ (stage.json when it is done), candidates/N.json, data/, cache/.
class Workspace {
 public:
  /// Makes the folder, or takes up the one of an earlier run. restart: an earlier run of another
  /// fingerprint is removed. Throws Error(output), naming what differs, when it is one and
  /// `restart` is not given; when the folder holds something else or is in use; or cannot be
  /// written.
  Workspace(std::filesystem::path folder, const Fingerprint& fingerprint, bool restart);
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  /// Whether an earlier run left something to go on from.
  [[nodiscard]] bool goes_on() const noexcept { return goes_on_; }

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  /// Makes stages/NAME.
  [[nodiscard]] std::filesystem::path stage_folder(const std::string& name) const;
  [[nodiscard]] std::filesystem::path data_folder() const { return folder_ / "data"; }
  [[nodiscard]] std::filesystem::path cache_folder() const { return folder_ / "cache"; }

  /// What was kept under a name ("stages/1-prune-0a1b2c3d/stage.json"); nothing when it is not
  /// there. Throws Error(bad_input) when it is damaged.
  [[nodiscard]] std::optional<nlohmann::ordered_json> find(const std::string& name) const;
  void keep(const std::string& name, const nlohmann::ordered_json& facts) const;

 private:
  void lock();
  void remove_earlier_run() const;

  std::filesystem::path folder_;
  int lock_ = -1;
  bool goes_on_ = false;
};

}  // namespace espalier::recipe
