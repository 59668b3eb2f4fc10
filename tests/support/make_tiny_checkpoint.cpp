// Writes one tiny checkpoint folder, for tests that run programs and have no C++ of their own.
#include <exception>
#include <iostream>
#include <string_view>

#include "tests/support/tiny_checkpoint.hpp"

namespace {

using espalier::testing::TinyArchitecture;
using espalier::testing::TinyCheckpoint;

// False: there is no such kind.
bool choose(std::string_view kind, TinyCheckpoint& tiny) {
  if (kind == "sequence") return true;
  if (kind == "tokens") {
    tiny.architecture = TinyArchitecture::token_classification;
    tiny.labels = {"O", "B-PER", "I-PER"};
  } else if (kind == "masked_lm") {
    tiny.architecture = TinyArchitecture::masked_lm;
  } else if (kind == "embedding") {
    tiny.architecture = TinyArchitecture::model;
    tiny.sentence_transformers = true;
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  TinyCheckpoint tiny;
  if (argc < 2 || argc > 3 || !choose(argc == 3 ? argv[2] : "sequence", tiny)) {
    std::cerr << "usage: make_tiny_checkpoint FOLDER [sequence|tokens|masked_lm|embedding]\n";
    return 2;
  }
  try {
    espalier::testing::write_tiny_checkpoint(argv[1], tiny);
  } catch (const std::exception& error) {
    std::cerr << "make_tiny_checkpoint: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
