// The trie against a plain search over all keys, for every way in which nodes keep their children.
#include "text/trie.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace espalier::text {
namespace {

Trie build(const std::map<std::string, std::uint32_t>& keys) {
  std::vector<Trie::Entry> entries;
  for (const auto& [key, value] : keys) entries.push_back({key, value});
  return Trie(entries);
}

Trie::Match longest_by_search(const std::map<std::string, std::uint32_t>& keys,
                              std::string_view prefix, std::string_view text) {
  Trie::Match match;
  for (const auto& [key, value] : keys) {
    if (key.size() <= prefix.size() || key.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string_view rest = std::string_view(key).substr(prefix.size());
    if (text.substr(0, rest.size()) == rest && rest.size() > match.n_bytes) {
      match = {value, static_cast<std::uint32_t>(rest.size())};
    }
  }
  return match;
}

TEST(Trie, FindsTheLongestKey) {
  const Trie trie = build({{"a", 1}, {"ab", 2}, {"abcd", 3}, {"##b", 4}});

  const Trie::Match match = trie.longest(trie.start_after(""), "abce");

  EXPECT_EQ(match.value, 2U);
  EXPECT_EQ(match.n_bytes, 2U);
  EXPECT_EQ(trie.longest(trie.start_after("##"), "bx").value, 4U);
  EXPECT_EQ(trie.longest(trie.start_after("$$"), "bx").value, Trie::kNone);
  EXPECT_EQ(trie.longest(trie.start_after(""), "").value, Trie::kNone);
}

TEST(Trie, AnEmptyTrieFindsNothing) {
  const Trie nothing;
  const Trie only_empty_key = build({{"", 7}});

  EXPECT_EQ(nothing.longest(nothing.start_after(""), "a").value, Trie::kNone);
  EXPECT_EQ(only_empty_key.longest(only_empty_key.start_after(""), "a").value, Trie::kNone);
}

TEST(Trie, AgreesWithAPlainSearchOnRandomKeys) {
  std::mt19937 random(7);
  // Alphabets without gaps, with small gaps and with wide ones: adjacent, table and search.
  for (const std::string_view alphabet : {"abc", "aceg", "\x01\x40\x80\xFF"}) {
    const auto random_text = [&](std::size_t n_bytes) {
      std::string text;
      while (text.size() < n_bytes) text += alphabet[random() % alphabet.size()];
      return text;
    };
    std::map<std::string, std::uint32_t> keys;
    for (std::uint32_t value = 0; value < 150; ++value) keys[random_text(1 + random() % 6)] = value;
    const Trie trie = build(keys);

    for (int round = 0; round < 2000; ++round) {
      const std::string prefix = random_text(random() % 3);
      const std::string text = random_text(random() % 8);
      const Trie::Match found = trie.longest(trie.start_after(prefix), text);
      const Trie::Match wanted = longest_by_search(keys, prefix, text);
      ASSERT_EQ(found.value, wanted.value);
      ASSERT_EQ(found.n_bytes, wanted.n_bytes);
    }
  }
}

}  // namespace
}  // namespace espalier::text
