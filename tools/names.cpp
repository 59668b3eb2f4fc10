#include "names.hpp"

#include "cli.hpp"

namespace espalier::tools {

std::string first_line(const Model& model, const Session& session) {
  return "espalier " + std::string(version()) + ": " + std::string(session.backend()) + " (" +
         std::string(session.backend_path()) + "), " + std::to_string(session.n_threads()) +
         (session.n_threads() == 1 ? " thread, " : " threads, ") +
         std::string(name_of(model.info().precision));
}

}  // namespace espalier::tools
