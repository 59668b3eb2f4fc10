// espalier profile: where a model's time goes on this machine, and why it is not less.
#include "profile.hpp"

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "profile_report.hpp"
#include "report.hpp"

namespace espalier::tools {

template <typename Visitor>
void visit(ProfileRequest& options, Visitor&& visitor) {
  visitor({.name = "MODEL", .help = "model file (.espl)", .required = true}, options.model);
  visitor({.name = "--texts",
           .help = "one text a line, the first 1000 are used; - is standard input",
           .value = "FILE"},
          options.texts);
  visitor({.name = "-b,--batch", .help = "texts of a call; without it 32", .min = 1, .max = 4096},
          options.batch);
  visitor({.name = "-s,--seq",
           .help = "without --texts: tokens of a sentence; else a mixture",
           .min = 1,
           .max = 65536},
          options.seq);
  visitor({.name = "--max-length",
           .help = "longest text in tokens; without it the model's own",
           .min = 3},
          options.max_length);
  visit_threads(options.threads, visitor);
  visitor({.name = "--duration", .help = "seconds to measure for", .value = "S", .max = 3600},
          options.duration_s);
  visitor({.name = "--backend", .help = "what computes", .choices = "auto|cpu|reference"},
          options.backend);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, options.format);
  visit_quiet(options.quiet, visitor);
}

namespace {

void run(const ProfileRequest& options) {
  if (options.quiet) silence_notes();
  const Profile profile = measure_profile(options);
  const std::vector<Cause> causes = causes_of(profile);
  if (options.format == "json") return print_json(profile_json(options, profile, causes));
  write_out(profile_text(options, profile, causes));
}

}  // namespace

Command profile_command() {
  return make_command<ProfileRequest>(
      {.name = "profile",
       .summary = "say where a model's time goes and what to do about it",
       .examples = "espalier profile sentiment.espl --texts reviews.txt\n"
                   "espalier profile sentiment.espl -b 1 -s 128 -t 1 --format json",
       .details =
           "Times are of a call at the mean, as if its threads shared them evenly. The peak is\n"
           "that of the processor's multiply-adds on registers, measured in the same run. Gains\n"
           "are bounds, for the order of the causes."},
      run);
}

}  // namespace espalier::tools
