// Memory in huge pages is aligned, zeroed and as large as asked; what cannot be had is an error.
#include "base/huge_pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/file_bytes.hpp"
#include "espalier/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier {
namespace {

using ::testing::HasSubstr;

bool starts_on_a_huge_page(const void* data) {
  return reinterpret_cast<std::uintptr_t>(data) % kHugePage == 0;
}

TEST(HugePages, AreWholeAlignedAndZero) {
  for (const std::size_t n_bytes : {std::size_t{1}, kHugePage, kHugePage + 1, 5 * kHugePage - 1}) {
    const MappedBytes mapped = map_huge_pages(n_bytes);
    const std::span<std::byte> all(mapped.get(), mapped.get_deleter().n_bytes);

    EXPECT_TRUE(starts_on_a_huge_page(all.data()));
    EXPECT_EQ(all.size() % kHugePage, 0U);
    EXPECT_GE(all.size(), n_bytes);
    EXPECT_LT(all.size(), n_bytes + kHugePage);
    EXPECT_EQ(std::count(all.begin(), all.end(), std::byte{0}),
              static_cast<std::ptrdiff_t>(all.size()));
    std::fill(all.begin(), all.end(), std::byte{1});  // writable to the end
  }
}

TEST(HugePages, ThatCannotBeHadAreAnError) {
  for (const std::size_t n_bytes : {std::size_t{1} << 60, SIZE_MAX}) {
    try {
      (void)map_huge_pages(n_bytes);
      FAIL() << n_bytes;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::resource);
      EXPECT_THAT(error.what(), HasSubstr(std::to_string(n_bytes)));
    }
  }
}

TEST(HugePages, AreForbiddenByTheSystemsChoiceAlone) {
  const testing::TemporaryFolder folder;
  const std::string file = (folder / "enabled").string();
  const auto allowed = [&](std::string_view setting) {
    testing::write_file(file, setting);
    return huge_pages_are_allowed(file.c_str());
  };
  // The process itself may be forbidden them.
  const bool otherwise = huge_pages_are_allowed((folder / "none").string().c_str());

  EXPECT_FALSE(allowed("always madvise [never]\n"));
  EXPECT_EQ(allowed("[always] madvise never\n"), otherwise);
  EXPECT_EQ(allowed("always [madvise] never\n"), otherwise);
}

TEST(HugePages, HoldLargeFiles) {
  const std::vector<std::byte> bytes(3 * kHugePage + 7, std::byte{42});
  const FileBytes copy = FileBytes::copy(bytes);

  EXPECT_TRUE(starts_on_a_huge_page(copy.bytes().data()));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), copy.bytes().begin(), copy.bytes().end()));
}

}  // namespace
}  // namespace espalier
