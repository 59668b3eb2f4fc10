// Memory for what is read again and again. In pages of 4 KB a model's weights take more address
// translations than a processor keeps, and which lines of its caches they share is chance, other
// in every process; in pages of 2 MB neither matters.
#pragma once

#include <cstddef>
#include <memory>

namespace espalier {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

struct Unmap {
  std::size_t n_bytes = 0;
  void operator()(std::byte* data) const noexcept;
};
using MappedBytes = std::unique_ptr<std::byte, Unmap>;

/// At least `n_bytes` zeros in whole huge pages, from a multiple of kHugePage on; small pages where
/// the system has no others to give. Thread-safe. Throws Error(resource) when memory runs out.
[[nodiscard]] MappedBytes map_huge_pages(std::size_t n_bytes);

/// Whether huge pages are not forbidden, to this process or to all: by `setting_file` of the
/// system, which says nothing where it cannot be read. Having none left is another matter.
[[nodiscard]] bool huge_pages_are_allowed(
    const char* setting_file = "/sys/kernel/mm/transparent_hugepage/enabled") noexcept;

}  // namespace espalier
