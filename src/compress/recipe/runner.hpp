// Carries out one command of a run and waits for it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace espalier::recipe {

struct StageJob {
  std::string title;               ///< "2-prune", for errors
  std::vector<std::string> words;  ///< verb and arguments
  std::filesystem::path output;    ///< what it writes; may be there in part, from an earlier try
  std::filesystem::path report;    ///< gets what the command prints, which is one JSON object
};

struct StageCost {
  double seconds = 0;
  double cpu_seconds = 0;  ///< of all its threads
};

class StageRunner {
 public:
  virtual ~StageRunner() = default;

  /// Returns when the command has ended well. Throws Error with the command's own exit code, and
  /// Error(interrupted) or Error(terminated) when this program is to end: the command has then
  /// been told, and has saved what it can.
  virtual StageCost run(const StageJob& job) = 0;
};

/// Starts each command as a child process of its own, in a process group of its own: Ctrl-C reaches
/// it once, through this program, and not a second time from the terminal.
class ChildRunner final : public StageRunner {
 public:
  /// What a command says on standard error.
  enum class Messages {
    its_own,  ///< goes where this program's does; on a terminal the command draws its progress
    kept,     ///< passes through this program, and an error repeats the last line
  };

  /// program: the executable. pending_signal: the signal that this program has got, or 0.
  ChildRunner(std::filesystem::path program, std::function<int()> pending_signal, bool quiet,
              Messages messages = Messages::its_own)
      : program_(std::move(program)),
        pending_signal_(std::move(pending_signal)),
        quiet_(quiet),
        messages_(messages) {}

  /// An interrupted training goes on where it saved; all else that is there is replaced.
  StageCost run(const StageJob& job) override;

 private:
  std::filesystem::path program_;
  std::function<int()> pending_signal_;
  bool quiet_;
  Messages messages_;
};

}  // namespace espalier::recipe
