#include "names.hpp"

#include "cli.hpp"

namespace espalier::tools {

std::string_view name_of(Task task) noexcept {
  switch (task) {
    case Task::classify:
      return "classify";
    case Task::multi_label:
      return "multi_label";
    case Task::regress:
      return "regress";
    case Task::tag:
      return "tag";
    case Task::embed:
      return "embed";
    case Task::fill_mask:
      return "fill_mask";
  }
  return "";
}

std::string_view name_of(Precision precision) noexcept {
  switch (precision) {
    case Precision::fp32:
      return "fp32";
    case Precision::int8:
      return "int8";
  }
  return "";
}

std::string first_line(const Model& model, const Session& session) {
  return "espalier " + std::string(version()) + ": " + std::string(session.backend()) + " (" +
         std::string(session.backend_path()) + "), " + std::to_string(session.n_threads()) +
         (session.n_threads() == 1 ? " thread, " : " threads, ") +
         std::string(name_of(model.info().precision));
}

}  // namespace espalier::tools
