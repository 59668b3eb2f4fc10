// Folders that are written: read back as the same tokenizer, replaced only when asked, whole or not
// at all.
#include "text/tokenizer_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "espalier/error.hpp"
#include "tests/text/small_spec.hpp"
#include "tests/text/temporary_folder.hpp"

namespace espalier::text {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string content(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

template <typename Work>
std::string refusal(ErrorCode code, Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "not refused";
}

TEST(WriteTokenizer, IsReadBackAsItWas) {
  const TemporaryFolder folder;
  TokenizerSpec spec = small_spec();
  for (int flags = 0; flags < 8; ++flags) {
    spec.lowercase = (flags & 1) != 0;
    spec.strip_accents = (flags & 2) != 0;
    spec.split_cjk = (flags & 4) != 0;
    spec.max_length = flags == 0 ? 0 : 128;

    write_tokenizer(folder.path(), spec, Overwrite::replace);

    EXPECT_EQ(load_tokenizer_spec(folder.path()), spec) << flags;
  }
}

TEST(WriteTokenizer, KeepsNamesOfSpecialTokensAndAMissingMask) {
  const TemporaryFolder folder;
  TokenizerSpec spec = small_spec();
  spec.pieces[1] = spec.unk = "<unk>";
  spec.pieces[4] = "free";
  spec.mask.clear();

  write_tokenizer(folder.path(), spec, Overwrite::refuse);

  EXPECT_EQ(load_tokenizer_spec(folder.path()), spec);
  EXPECT_THAT(content(folder.path() / "tokenizer_config.json"), HasSubstr("\"mask_token\": null"));
}

TEST(WriteTokenizer, KeepsAddedTokensWithTheirFlags) {
  const TemporaryFolder folder;
  TokenizerSpec spec = small_spec();
  spec.added = {{.id = TokenId{4}, .lstrip = true},
                {.id = TokenId{8}, .single_word = true, .rstrip = true, .normalized = true}};

  write_tokenizer(folder.path(), spec, Overwrite::refuse);

  EXPECT_EQ(load_tokenizer_spec(folder.path()), spec);
}

TEST(WriteTokenizer, RefusesToReplaceUnlessTold) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", "{}");

  EXPECT_THAT(refusal(ErrorCode::output,
                      [&] { write_tokenizer(folder.path(), small_spec(), Overwrite::refuse); }),
              HasSubstr("tokenizer.json' exists"));
  EXPECT_FALSE(fs::exists(folder.path() / "vocab.txt"));

  write_tokenizer(folder.path(), small_spec(), Overwrite::replace);
  EXPECT_FALSE(fs::exists(folder.path() / "tokenizer.json"));
  EXPECT_EQ(load_tokenizer_spec(folder.path()), small_spec());
}

TEST(WriteTokenizer, NeedsAFolder) {
  const TemporaryFolder folder;

  (void)refusal(ErrorCode::output,
                [&] { write_tokenizer(folder.path() / "none", small_spec(), Overwrite::refuse); });
  EXPECT_FALSE(fs::exists(folder.path() / "none"));
}

TEST(WriteTokenizer, RefusesWhatVocabTxtCannotSay) {
  const TemporaryFolder folder;
  const auto refused = [&](auto&& edit) {
    TokenizerSpec spec = small_spec();
    edit(spec);
    return refusal(ErrorCode::bad_input,
                   [&] { write_tokenizer(folder.path(), spec, Overwrite::refuse); });
  };

  EXPECT_THAT(refused([](auto& spec) { spec.clean_text = false; }), HasSubstr("clean"));
  EXPECT_THAT(refused([](auto& spec) { spec.continuation = "@@"; }), HasSubstr("@@"));
  EXPECT_THAT(refused([](auto& spec) { spec.max_word_chars = 99; }), HasSubstr("99"));
  EXPECT_THAT(refused([](auto& spec) { spec.pieces[8] = "t\nhe"; }), HasSubstr("line end"));
  EXPECT_THAT(refused([](auto& spec) { spec.pieces[8] = "the\r"; }), HasSubstr("line end"));
  EXPECT_THAT(
      refused([](auto& spec) { spec.added = {{.id = TokenId{8}, .in_vocabulary = false}}; }),
      HasSubstr("added token 'the'"));
  EXPECT_THAT(refused([](auto& spec) { spec.pieces.clear(); }), HasSubstr("empty"));
  EXPECT_EQ(refused([](auto& spec) { spec.added = {{.id = TokenId{4}}}; }), "not refused");
}

TEST(CopyTokenizer, CopiesEveryFileByteForByte) {
  const TemporaryFolder folder;
  const fs::path from = folder.path() / "from";
  const fs::path to = folder.path() / "to";
  fs::create_directories(from);
  fs::create_directories(to);
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "vocab.txt",
                           "special_tokens_map.json", "added_tokens.json", "config.json"}) {
    folder.write("from/" + std::string(name), std::string("\xFF\0\r\n", 4) + name);
  }

  copy_tokenizer(from, to, Overwrite::refuse);

  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "vocab.txt",
                           "special_tokens_map.json", "added_tokens.json"}) {
    EXPECT_EQ(content(to / name), content(from / name)) << name;
  }
  EXPECT_FALSE(fs::exists(to / "config.json"));
}

TEST(CopyTokenizer, LeavesNoFileOfAnotherTokenizerBehind) {
  const TemporaryFolder folder;
  const fs::path from = folder.path() / "from";
  const fs::path to = folder.path() / "to";
  fs::create_directories(from);
  fs::create_directories(to);
  folder.write("from/vocab.txt", "new");
  folder.write("to/vocab.txt", "old");
  folder.write("to/added_tokens.json", "old");

  EXPECT_THAT(refusal(ErrorCode::output, [&] { copy_tokenizer(from, to, Overwrite::refuse); }),
              HasSubstr("exists"));
  EXPECT_EQ(content(to / "vocab.txt"), "old");
  copy_tokenizer(from, to, Overwrite::replace);

  EXPECT_EQ(content(to / "vocab.txt"), "new");
  EXPECT_FALSE(fs::exists(to / "added_tokens.json"));
}

TEST(CopyTokenizer, OntoItselfChangesNothing) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", "x");

  copy_tokenizer(folder.path(), folder.path() / ".", Overwrite::refuse);

  EXPECT_EQ(content(folder.path() / "vocab.txt"), "x");
}

TEST(CopyTokenizer, RefusesAFolderWithoutATokenizer) {
  const TemporaryFolder folder;

  EXPECT_THAT(
      refusal(ErrorCode::bad_input,
              [&] { copy_tokenizer(folder.path() / "none", folder.path(), Overwrite::replace); }),
      HasSubstr("neither tokenizer.json nor vocab.txt"));
}

}  // namespace
}  // namespace espalier::text
