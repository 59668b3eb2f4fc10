#include "base/huge_pages.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "espalier/error.hpp"

namespace espalier {

void Unmap::operator()(std::byte* data) const noexcept {
  ::munmap(data, n_bytes);
}

MappedBytes map_huge_pages(std::size_t n_bytes) {
  const auto fail = [&] {
    return Error(ErrorCode::resource,
                 "out of memory: " + std::to_string(n_bytes) + " bytes wanted");
  };
  if (n_bytes > SIZE_MAX - 2 * kHugePage) throw fail();
  const std::size_t size = (n_bytes + kHugePage - 1) / kHugePage * kHugePage;
  // A page more than wanted holds a multiple of kHugePage; what lies before and after goes back.
  const std::size_t room = size + kHugePage;
  void* const mapped =
      ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw fail();
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t before =
      (kHugePage - reinterpret_cast<std::uintptr_t>(begin) % kHugePage) % kHugePage;
  const std::size_t after = room - before - size;
  if (before > 0) ::munmap(begin, before);
  if (after > 0) ::munmap(begin + before + size, after);
  ::madvise(begin + before, size, MADV_HUGEPAGE);  // small pages hold the same
  return {begin + before, Unmap{size}};
}

bool huge_pages_are_allowed(const char* setting_file) noexcept {
  if (::prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) > 0) return false;
  std::FILE* const file = std::fopen(setting_file, "re");
  if (file == nullptr) return true;
  char line[64];  // "always madvise [never]": the choice stands in brackets
  const std::size_t n_read = std::fread(line, 1, sizeof line, file);
  std::fclose(file);
  return std::string_view(line, n_read).find("[never]") == std::string_view::npos;
}

}  // namespace espalier
