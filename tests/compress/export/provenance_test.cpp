// Hashes and names of a model's inputs.
#include "compress/export/provenance.hpp"

#include <gtest/gtest.h>

#include "espalier/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::compress {
namespace {

using testing::TemporaryFolder;
using testing::write_file;

TEST(Provenance, HashesAFileAsXxh3Does) {
  const TemporaryFolder folder;
  write_file(folder / "empty", "");

  // The published XXH3-64 of no bytes with seed 0.
  EXPECT_EQ(file_hash(folder / "empty"), "2d06800538d394c2");
}

TEST(Provenance, HashesALongFileByEveryByte) {
  const TemporaryFolder folder;
  std::string bytes(3 << 20, 'x');  // more than is read at once
  write_file(folder / "before", bytes);
  bytes.back() = 'y';
  write_file(folder / "after", bytes);

  EXPECT_NE(file_hash(folder / "before"), file_hash(folder / "after"));
}

TEST(Provenance, RefusesAFileThatIsNotThere) {
  const TemporaryFolder folder;

  try {
    (void)file_hash(folder / "missing.json");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_NE(std::string(error.what()).find("missing.json"), std::string::npos);
  }
}

TEST(Provenance, NamesInputsWithoutTheirFolder) {
  const TemporaryFolder folder;
  write_file(folder / "vocab.txt", "a\n");

  const format::ProvenanceStage stage =
      make_stage("quantize", {{"precision", "int8"}}, {folder / "vocab.txt"});

  ASSERT_EQ(stage.inputs.size(), 1U);
  EXPECT_EQ(stage.inputs[0].first, "vocab.txt");
  EXPECT_EQ(stage.inputs[0].second.size(), 16U);
  EXPECT_EQ(stage.name, "quantize");
  EXPECT_FALSE(stage.version.empty());
}

}  // namespace
}  // namespace espalier::compress
