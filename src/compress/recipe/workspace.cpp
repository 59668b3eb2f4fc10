#include "compress/recipe/workspace.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/atomic_file.hpp"
#include "compress/recipe/unquoted.hpp"
#include "espalier/error.hpp"

namespace espalier::recipe {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int kSchema = 1;
constexpr const char* kRunFile = "run.json";
constexpr const char* kLockFile = "lock";

void make_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    throw Error(ErrorCode::output, "the folder '" + folder.string() + "' cannot be made: " +
                                       error.message() + "; name another with --work");
  }
}

Json json_of(const Fingerprint& fingerprint) {
  Json facts = Json::object();
  for (const auto& [name, value] : fingerprint) facts[name] = value;
  return facts;
}

// The names whose values differ, or are there on one side only.
std::string differences(const Json& before, const Json& now) {
  std::string names;
  const auto add = [&names](const std::string& name) {
    if (names.find("'" + name + "'") == std::string::npos) {
      names += (names.empty() ? "'" : ", '") + name + "'";
    }
  };
  for (const auto& [name, value] : now.items()) {
    if (before.value(name, Json()) != value) add(name);
  }
  for (const auto& [name, value] : before.items()) {
    if (!now.contains(name)) add(unquoted(name));
  }
  return names;
}

}  // namespace

Workspace::Workspace(fs::path folder, const Fingerprint& fingerprint, bool restart)
    : folder_(std::move(folder)) {
  const Json facts = {{"schema", kSchema}, {"fingerprint", json_of(fingerprint)}};
  const bool is_used =
      fs::exists(folder_) && (!fs::is_directory(folder_) || !fs::is_empty(folder_));
  if (is_used && !fs::exists(folder_ / kRunFile)) {
    throw Error(ErrorCode::output, "'" + folder_.string() +
                                       "' holds something else than an earlier run; name another "
                                       "folder with --work");
  }
  make_folders(folder_);
  lock();
  try {
    const std::optional<Json> before = find(kRunFile);
    goes_on_ = before.has_value();
    if (before && *before != facts) {
      if (!restart) {
        throw Error(ErrorCode::output, "'" + folder_.string() + "' holds a run with another " +
                                           differences(before->value("fingerprint", Json::object()),
                                                       facts["fingerprint"]) +
                                           "; --force starts over, --work names another folder");
      }
      remove_earlier_run();
      goes_on_ = false;
    }
    if (!goes_on_) keep(kRunFile, facts);
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

Workspace::~Workspace() {
  ::close(lock_);
}

void Workspace::lock() {
  lock_ = ::open((folder_ / kLockFile).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) {
    throw Error(ErrorCode::output,
                "'" + folder_.string() + "' cannot be written: " + std::strerror(errno));
  }
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(lock_);
  throw Error(ErrorCode::output, "'" + folder_.string() +
                                     "' is in use by another run; wait for it, or name another "
                                     "folder with --work");
}

// Only what a run makes: a folder of the user's own keeps what else it holds.
void Workspace::remove_earlier_run() const {
  for (const char* name : {"stages", "candidates", "data", "cache", kRunFile}) {
    fs::remove_all(folder_ / name);
  }
}

fs::path Workspace::stage_folder(const std::string& name) const {
  fs::path folder = folder_ / "stages" / name;
  make_folders(folder);
  return folder;
}

std::optional<Json> Workspace::find(const std::string& name) const {
  const fs::path file = folder_ / name;
  if (!fs::exists(file)) return std::nullopt;
  std::ifstream stream(file);
  Json facts = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!facts.is_object()) {
    throw Error(ErrorCode::bad_input, "'" + file.string() +
                                          "' is damaged; remove it and what it tells of is done "
                                          "again");
  }
  return facts;
}

void Workspace::keep(const std::string& name, const Json& facts) const {
  const fs::path path = folder_ / name;
  make_folders(path.parent_path());
  AtomicFile file(path, Overwrite::replace);
  file.write(facts.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  file.commit();
}

}  // namespace espalier::recipe
