#include "compress/prune/latency_cache.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "base/atomic_file.hpp"
#include "base/file_bytes.hpp"
#include "espalier/error.hpp"
#include "format/checksum.hpp"

namespace espalier::prune {
namespace {

constexpr std::string_view kTitle = "espalier latency table 1\n";
constexpr std::string_view kChecksum = "checksum ";
constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

std::string hex(std::uint64_t number) {
  std::string digits(16, '0');
  for (std::size_t place = 16; place-- > 0; number >>= 4) {
    digits[place] = "0123456789abcdef"[number & 15];
  }
  return digits;
}

std::uint64_t text_checksum(std::string_view text) {
  return format::checksum_of(std::as_bytes(std::span<const char>(text.data(), text.size())));
}

/// The shortest digits that read back as the same number.
template <typename Number>
void append(std::string& text, Number number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  text.append(digits.data(), end);
}

void append(std::string& text, std::string_view name, const LayerLatency& latency) {
  text += std::string(name) + " heads";
  for (const double ms : latency.heads) append(text += ' ', ms);
  text += '\n' + std::string(name) + " intermediate";
  for (const auto& [width, ms] : latency.intermediate) {
    append(text += ' ', width);
    append(text += ':', ms);
  }
  text += '\n';
}

/// Reads what latency_to_text() wrote, from front to back; once something is amiss, all fails.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool skip(std::string_view expected) {
    if (rest_.substr(0, expected.size()) != expected) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  template <typename Number>
  [[nodiscard]] bool number(Number& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

  /// At least `least`.
  [[nodiscard]] bool milliseconds(double least, double& ms) {
    return number(ms) && std::isfinite(ms) && ms >= least;
  }

  [[nodiscard]] bool layer(std::string_view name, LayerLatency& latency) {
    if (!skip(name) || !skip(" heads")) return false;
    double ms = 0;
    while (skip(" ")) {
      if (!milliseconds(ms, ms)) return false;
      latency.heads.push_back(ms);
    }
    if (!skip("\n") || !skip(name) || !skip(" intermediate")) return false;
    ms = 0;
    while (skip(" ")) {
      std::uint32_t width = 0;
      if (!number(width) || !skip(":") || !milliseconds(ms, ms)) return false;
      const bool follows =
          latency.intermediate.empty() ? width == 0 : width > latency.intermediate.back().first;
      if (!follows) return false;
      latency.intermediate.emplace_back(width, ms);
    }
    return skip("\n") && latency.heads.size() > 1 && latency.intermediate.size() > 1;
  }

 private:
  std::string_view rest_;
};

std::optional<LatencyTable> read_kept(const std::filesystem::path& file,
                                      std::string_view fingerprint) {
  try {
    const FileBytes bytes = FileBytes::open(file, FileAccess::read, kMaxBytes);
    return latency_from_text(
        {reinterpret_cast<const char*>(bytes.bytes().data()), bytes.bytes().size()}, fingerprint);
  } catch (const Error&) {
    return std::nullopt;  // missing, or nothing that can be read: measured anew
  }
}

std::string store(const std::filesystem::path& file, const LatencyTable& table) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  try {
    AtomicFile out(file, Overwrite::replace);
    out.write(latency_to_text(table));
    out.commit();
    return {};
  } catch (const Error& reason) {
    return reason.what();
  }
}

}  // namespace

std::string latency_to_text(const LatencyTable& table) {
  std::string text(kTitle);
  text += "fingerprint " + table.fingerprint + '\n';
  append(text, "inner", table.inner);
  append(text, "last", table.last);
  append(text += "rest ", table.rest_ms);
  text += '\n';
  const std::uint64_t sum = text_checksum(text);
  return text.append(kChecksum) + hex(sum) + '\n';
}

std::optional<LatencyTable> latency_from_text(std::string_view text, std::string_view fingerprint) {
  const std::size_t ending = kChecksum.size() + 17;
  if (text.size() < ending) return std::nullopt;
  const std::string_view body = text.substr(0, text.size() - ending);
  if (text.substr(body.size()) != std::string(kChecksum) + hex(text_checksum(body)) + '\n') {
    return std::nullopt;
  }
  LatencyTable table;
  table.fingerprint = fingerprint;
  TextReader reader(body);
  const bool is_sound = reader.skip(kTitle) && reader.skip("fingerprint ") &&
                        reader.skip(fingerprint) && reader.skip("\n") &&
                        reader.layer("inner", table.inner) && reader.layer("last", table.last) &&
                        reader.skip("rest ") && reader.milliseconds(0, table.rest_ms) &&
                        latency_to_text(table) == text;
  if (!is_sound) return std::nullopt;
  return table;
}

std::filesystem::path latency_file(const std::filesystem::path& folder,
                                   std::string_view fingerprint) {
  return folder / ("latency-" + hex(text_checksum(fingerprint)) + ".txt");
}

KeptLatency kept_latency(const std::filesystem::path& folder, std::string_view fingerprint,
                         const MeasureLatency& measure) {
  const std::filesystem::path file = latency_file(folder, fingerprint);
  if (std::optional<LatencyTable> kept = read_kept(file, fingerprint)) {
    return {.table = std::move(*kept), .was_kept = true, .not_stored = {}};
  }
  KeptLatency result{.table = measure(), .was_kept = false, .not_stored = {}};
  result.table.fingerprint = fingerprint;
  result.not_stored = store(file, result.table);
  return result;
}

KeptLatency kept_latency(const std::filesystem::path& folder, const LatencyRequest& request,
                         const OnMeasured& on_measured) {
  return kept_latency(folder, fingerprint_of(request),
                      [&] { return measure_latency(request, on_measured); });
}

}  // namespace espalier::prune
