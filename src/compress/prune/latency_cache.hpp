// Keeps measured latencies in a folder, so that the same machine measures the same request once.
// A file that is damaged, or speaks of another machine, build or request, counts as none.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "compress/prune/latency_table.hpp"

namespace espalier::prune {

/// The table as lines of text, ended by a checksum. The same table gives the same text, and
/// latency_from_text() gives every number back as it was.
[[nodiscard]] std::string latency_to_text(const LatencyTable& table);

/// The table that `text` holds, or nothing when it is not exactly what latency_to_text() writes for
/// `fingerprint`: one byte changed, a number that is not finite or falls, another fingerprint.
[[nodiscard]] std::optional<LatencyTable> latency_from_text(std::string_view text,
                                                            std::string_view fingerprint);

/// The file of this fingerprint in `folder`.
[[nodiscard]] std::filesystem::path latency_file(const std::filesystem::path& folder,
                                                 std::string_view fingerprint);

/// A table and where it came from.
struct KeptLatency {
  LatencyTable table;
  bool was_kept = false;   ///< read from the folder, not measured now
  std::string not_stored;  ///< why a measured one could not be kept; empty when it was
};

/// How a table is measured when none is kept.
using MeasureLatency = std::function<LatencyTable()>;

/// The table of `fingerprint` from `folder`, or else what `measure` gives, which is kept there (the
/// folder is made when missing). A folder that cannot be read or written is no error: the table is
/// there all the same. Throws what `measure` throws.
[[nodiscard]] KeptLatency kept_latency(const std::filesystem::path& folder,
                                       std::string_view fingerprint, const MeasureLatency& measure);

/// The same for a request on this machine.
[[nodiscard]] KeptLatency kept_latency(const std::filesystem::path& folder,
                                       const LatencyRequest& request,
                                       const OnMeasured& on_measured);

}  // namespace espalier::prune
