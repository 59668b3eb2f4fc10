// Our own cases, with what the reference tokenizer makes of them (data/golden.json, made by
// make_expectations.py): cleaning flags, reordered marks, added tokens of every kind.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/text/temporary_folder.hpp"
#include "text/spans.hpp"
#include "text/tokenizer.hpp"

namespace espalier::text {
namespace {

using nlohmann::json;

TEST(Golden, EveryCaseHasTheIdsAndOffsetsOfTheReference) {
  const json groups = json::parse(std::ifstream(TEST_DATA "/golden.json"));
  ASSERT_EQ(groups.size(), 8U);
  const TemporaryFolder folder;
  Scratch scratch;

  for (const json& group : groups) {
    folder.write("tokenizer.json", group["tokenizer"].dump());
    const Tokenizer tokenizer(load_tokenizer_spec(folder.path()));
    for (const json& expected : group["cases"]) {
      const std::string text = expected["text"];
      TokenBatch batch;
      tokenizer.encode({text}, {.truncation = Truncation::none}, batch, scratch);
      json ids = json::array();
      json offsets = json::array();
      for (const TokenId id : batch.ids) ids.push_back(to_int(id));
      for (const ByteSpan span : character_spans(text, batch.spans)) {
        offsets.push_back({span.begin, span.end});
      }
      EXPECT_EQ(ids, expected["ids"]) << expected << group["tokenizer"]["normalizer"];
      EXPECT_EQ(offsets, expected["offsets"]) << expected << group["tokenizer"]["normalizer"];
    }
  }
}

}  // namespace
}  // namespace espalier::text
