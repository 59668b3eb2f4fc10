#include "prune_words.hpp"

#include <algorithm>

#include "compress/prune/vocabulary.hpp"
#include "interrupt.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

template <typename Visit>
void for_each_text(const PruneRequest& request, const FineTuned& start, const std::string& file,
                   Visit&& visit) {
  for (const data::Row& row : read_unlabelled(request.data, start.kind(), file).rows) {
    throw_if_interrupted();
    visit(row.text);
    if (row.pair) visit(*row.pair);
  }
}

// Old ids of the pieces that stayed: both lists are in the same order.
std::vector<TokenId> kept_ids(const text::TokenizerSpec& before, const text::TokenizerSpec& after) {
  std::vector<TokenId> kept;
  for (std::size_t id = 0; id < before.pieces.size() && kept.size() < after.pieces.size(); ++id) {
    if (before.pieces[id] == after.pieces[kept.size()]) kept.push_back(static_cast<TokenId>(id));
  }
  return kept;
}

}  // namespace

std::vector<std::uint64_t> count_pieces(const PruneRequest& request, const FineTuned& start) {
  const std::string& corpus = request.corpus.empty() ? request.data.train : request.corpus;
  if (corpus.empty()) return {};
  const text::Tokenizer tokenizer(start.tokenizer_spec());
  prune::PieceCounter counter(tokenizer);
  for_each_text(request, start, corpus, [&](std::string_view text) { counter.add(text); });
  return counter.counts();
}

Json segmentation_facts(const PruneRequest& request, const FineTuned& start,
                        const text::TokenizerSpec& after) {
  Json facts = Json::object();
  const text::Tokenizer old_tokenizer(start.tokenizer_spec());
  const text::Tokenizer new_tokenizer(after);
  const std::vector<TokenId> kept = kept_ids(start.tokenizer_spec(), after);
  for (const std::string& file : {request.data.eval, request.check_text}) {
    if (file.empty()) continue;
    prune::SegmentationComparison comparison(old_tokenizer, new_tokenizer, kept);
    for_each_text(request, start, file, [&](std::string_view text) { (void)comparison.add(text); });
    const prune::SegmentationChange& change = comparison.change();
    facts[base_name(file)] = {{"texts", change.n_texts},
                              {"changed_texts", change.n_changed_texts},
                              {"words", change.n_words},
                              {"changed_words", change.n_changed_words},
                              {"new_unknown_words", change.n_new_unknown_words},
                              {"tokens_before", change.n_tokens_before},
                              {"tokens_after", change.n_tokens_after}};
  }
  return facts;
}

std::string segmentation_text(const Json& facts) {
  std::string text;
  for (const auto& [file, change] : facts.items()) {
    const double n_words = std::max(1.0, change["words"].get<double>());
    const double n_texts = std::max(1.0, change["texts"].get<double>());
    text += file + ": " + fixed(100 * change["changed_words"].get<double>() / n_words, 2) +
            " % of words and " + fixed(100 * change["changed_texts"].get<double>() / n_texts, 2) +
            " % of texts are cut otherwise, " +
            std::to_string(change["new_unknown_words"].get<std::uint64_t>()) +
            " words are unknown now\n";
  }
  return text;
}

}  // namespace espalier::tools
