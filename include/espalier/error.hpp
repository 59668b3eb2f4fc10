// The one exception type of the library and the classes of failure it tells apart.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "espalier/export.hpp"

namespace espalier {

/// What kind of failure an Error reports. The numbers are the exit codes of the command line tools.
enum class ErrorCode : int {
  failed = 1,         ///< the work could not be done; the message says why
  usage = 2,          ///< an argument or option is wrong
  bad_input = 3,      ///< a file or text given as input is not what it should be
  output = 4,         ///< an output could not be written
  over_budget = 5,    ///< a model misses the accuracy budget it was given
  unavailable = 6,    ///< a device, instruction set or optional component is missing
  verification = 7,   ///< a checksum, a structure or a self-test does not hold
  resource = 8,       ///< out of memory, or over a stated limit
  cancelled = 9,      ///< the caller asked a call to stop before it was done
  deadline = 10,      ///< the caller's deadline passed before a call was done
  interrupted = 130,  ///< stopped by SIGINT; the work can be resumed
  terminated = 143,   ///< stopped by SIGTERM; the work can be resumed
};

/// Says what went wrong, where, and what to do about it, in one line without a trailing full stop.
/// Thrown by every function of the library that can fail; never thrown across the C ABI.
class ESPALIER_EXPORT Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// Runs `work` and puts `context` ("while reading layer 3") in front of the message of an Error it
/// throws. Other exceptions pass unchanged.
template <typename Work>
decltype(auto) with_context(std::string_view context, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Error(error.code(), std::string(context) + ": " + error.what());
  }
}

}  // namespace espalier
