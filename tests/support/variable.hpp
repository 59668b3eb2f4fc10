// An environment variable that is set as long as a test lasts.
#pragma once

#include <cstdlib>

namespace espalier::testing {

/// Sets `name` to `value` and unsets it when it goes out of scope.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace espalier::testing
