// What compress says: its plan, its candidates, its result, its card.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "compress/recipe/card.hpp"
#include "compress/recipe/search.hpp"
#include "compress_run.hpp"
#include "measure/energy.hpp"

namespace espalier::tools {

/// The plan with its predictions, as --dry-run prints it: a table, or JSON.
[[nodiscard]] std::string plan_text(const CompressPlan& plan, const recipe::Catalogue& catalogue);

/// One line on a candidate that was tried.
[[nodiscard]] std::string candidate_line(const recipe::Outcome& outcome);

/// Throws Error(over_budget) with what was asked and the best of what there is.
[[noreturn]] void fail_over_budget(const CompressPlan& plan, const recipe::SearchResult& result);

/// The card beside the model file, to be written and committed. Throws Error(output) before the
/// work rather than after it.
[[nodiscard]] std::unique_ptr<AtomicFile> open_card(const CompressRequest& request);

/// The text of the card of a file that is written. outcome: null without a plan.
[[nodiscard]] std::string card_of(const CompressRequest& request, const recipe::Recipe& recipe,
                                  std::span<const recipe::DoneStage> stages,
                                  const recipe::Outcome* outcome);

/// Writes the accepted candidate with all that is known of its origin, then its card, and prints
/// the report.
void finish(const CompressPlan& plan, const recipe::Catalogue& catalogue,
            const recipe::SearchResult& result, AtomicFile& card);

[[nodiscard]] nlohmann::ordered_json energy_json(const measure::EnergyFigure& figure);

}  // namespace espalier::tools
