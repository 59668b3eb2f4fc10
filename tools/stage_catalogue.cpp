#include "stage_catalogue.hpp"

#include <memory>

#include "commands.hpp"
#include "distill_request.hpp"
#include "finetune_request.hpp"
#include "prune_request.hpp"
#include "suggest.hpp"

namespace espalier::tools {
namespace {

// owner: keeps the fields of `option` alive, which its check fills.
recipe::StageOption stage_option(const BoundOption& option, std::shared_ptr<const void> owner) {
  const std::string_view name = option.text.name.substr(option.text.name.rfind(',') + 1);
  const bool is_positional = !name.starts_with('-');
  return {.name = std::string(is_positional ? name : name.substr(2)),
          .is_flag = std::holds_alternative<bool*>(option.field),
          .is_repeatable = std::holds_alternative<std::vector<std::string>*>(option.field),
          .is_required = option.text.required,
          .is_file = option.text.value == "FILE" || option.text.value == "DIR" || is_positional,
          .check = [option, owner = std::move(owner)](const std::vector<std::string>& values) {
            set_option(option, values);
          }};
}

recipe::StageKind stage_kind(std::string_view verb, const std::vector<BoundOption>& options,
                             const std::shared_ptr<const void>& owner) {
  recipe::StageKind kind{.verb = std::string(verb), .options = {}};
  for (const BoundOption& option : options) kind.options.push_back(stage_option(option, owner));
  return kind;
}

template <typename Options>
recipe::StageKind stage_kind(std::string_view verb) {
  const auto options = std::make_shared<Options>();
  return stage_kind(verb, bound_options(*options), options);
}

}  // namespace

recipe::Catalogue stage_catalogue() {
  const auto quantize = std::make_shared<Command>(quantize_command());
  return {.kinds = {stage_kind<DistillRequest>("distill"), stage_kind<FinetuneOptions>("finetune"),
                    stage_kind<PruneRequest>("prune"),
                    stage_kind("quantize", quantize->options, quantize)},
          .suggest = did_you_mean};
}

}  // namespace espalier::tools
