#include "report_files.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/atomic_file.hpp"
#include "espalier/error.hpp"
#include "json_text.hpp"
#include "report/page.hpp"
#include "report/results.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxInputBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxPageBytes = 1'000'000;

std::string text_of(const Json& results, ReportKind kind) {
  switch (kind) {
    case ReportKind::html:
      return report::results_page(results);
    case ReportKind::md:
      return report::results_text(results, measure::TableFormat::md);
    case ReportKind::json:
      break;
  }
  return results.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

ReportKind report_kind(const std::string& path) {
  const std::string suffix = std::filesystem::path(path).extension().string();
  if (suffix == ".html") return ReportKind::html;
  if (suffix == ".md") return ReportKind::md;
  if (suffix == ".json") return ReportKind::json;
  throw Error(ErrorCode::usage, "'" + one_line(path, 200) +
                                    "' says no kind of report; end it in .html, .md or .json");
}

Json read_json_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  const std::uintmax_t n_bytes = std::filesystem::file_size(path, error);
  const std::string name = "'" + one_line(path, 200) + "'";
  if (!file || error) throw Error(ErrorCode::bad_input, name + " cannot be read");
  if (n_bytes > kMaxInputBytes) {
    throw Error(ErrorCode::bad_input, name + " is over 64 MB and no report of espalier's");
  }
  Json json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw Error(ErrorCode::bad_input, name + " is no JSON");
  return json;
}

void write_report(const Json& results, ReportKind kind, const std::string& path) {
  const std::string text = text_of(results, kind);
  if (kind == ReportKind::html && text.size() > kMaxPageBytes) {
    throw Error(ErrorCode::resource,
                "the page would be over 1 MB; --no-texts makes it smaller, and "
                "fewer models do");
  }
  AtomicFile file(path, Overwrite::replace);
  file.write(text);
  file.commit();
}

}  // namespace espalier::tools
