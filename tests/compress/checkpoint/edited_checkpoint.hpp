// What the tests of damaged checkpoints share: edits of a tiny checkpoint and the answer to it.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "compress/checkpoint/checkpoint.hpp"
#include "espalier/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::testing {

using TensorList = std::vector<TinyTensor>;

inline TinyTensor& by_name(TensorList& tensors, const std::string& name) {
  for (TinyTensor& tensor : tensors) {
    if (tensor.name == name) return tensor;
  }
  throw std::runtime_error("no tensor " + name + " to edit");
}

inline void remove(TensorList& tensors, const std::string& name) {
  const TinyTensor& tensor = by_name(tensors, name);
  tensors.erase(tensors.begin() + (&tensor - tensors.data()));
}

/// The message with which `tiny` is refused, which must be bad input; "" when it is accepted.
inline std::string refusal(const TinyCheckpoint& tiny) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), tiny);
  try {
    (void)checkpoint::Checkpoint::open(folder.path());
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    return error.what();
  }
}

}  // namespace espalier::testing
