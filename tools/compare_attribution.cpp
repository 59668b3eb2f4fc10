#include "compare_attribution.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "attribution.hpp"
#include "interrupt.hpp"
#include "json_text.hpp"
#include "measure/correlation.hpp"
#include "output.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTop = 5;
constexpr std::size_t kShownTexts = 5;
constexpr std::size_t kShownWords = 3;

// Words that both models have, with both scores.
struct Matched {
  Json words = Json::array();
  std::vector<double> a;
  std::vector<double> b;
};

Matched matched(const Attribution& of_a, const Attribution& of_b) {
  using Place = std::tuple<std::uint8_t, std::uint32_t, std::uint32_t>;
  const auto place = [](const AttributedPart& word) {
    return Place(word.segment, word.bytes.begin, word.bytes.end);
  };
  std::map<Place, double> scores;
  for (const AttributedPart& word : of_b.words) scores[place(word)] = word.score;
  Matched both;
  for (const AttributedPart& word : of_a.words) {
    const auto found = scores.find(place(word));
    if (found == scores.end()) continue;
    both.a.push_back(word.score);
    both.b.push_back(found->second);
    both.words.push_back({{"text", word.text},
                          {"segment", word.segment},
                          {"start_byte", word.bytes.begin},
                          {"end_byte", word.bytes.end},
                          {"a", word.score},
                          {"b", found->second}});
  }
  return both;
}

Json compared(Contestants& contestants, const data::Row& row) {
  const Text text = texts_of({&row, 1})[0];
  Contestant& a = *contestants.other;
  Contestant& b = contestants.model;
  const Attribution of_a = attribute(a.model, a.session, text);
  const Attribution of_b = attribute(b.model, b.session, text, 0, of_a.label);
  Matched both = matched(of_a, of_b);
  if (both.a.size() < 2) return nullptr;
  const std::optional<double> rank = measure::spearman(both.a, both.b);
  const std::vector<std::string>& labels = contestants.labels();
  Json json = {{"line", row.line}, {"text", row.text}};
  if (row.pair) json["pair"] = *row.pair;
  json["label"] = of_a.label < labels.size() ? Json(labels[of_a.label]) : Json();
  json["same_answer"] = of_a.answer.label == of_b.answer.label;
  json["spearman"] = rank ? Json(*rank) : Json();
  json["top5_overlap"] = measure::top_overlap(both.a, both.b, kTop);
  json["words"] = std::move(both.words);
  return json;
}

// The words whose score moved most.
std::string moved_most(const Json& words) {
  std::vector<const Json*> order;
  for (const Json& word : words) order.push_back(&word);
  const auto change = [](const Json* word) {
    return std::abs((*word)["b"].get<double>() - (*word)["a"].get<double>());
  };
  std::stable_sort(order.begin(), order.end(), [&](const Json* left, const Json* right) {
    return change(left) > change(right);
  });
  std::string text;
  for (std::size_t index = 0; index < std::min(order.size(), kShownWords); ++index) {
    const Json& word = *order[index];
    text += (index > 0 ? ", " : "") + one_line(word["text"].get<std::string>(), 30) + " " +
            fixed(word["a"].get<double>(), 2) + " -> " + fixed(word["b"].get<double>(), 2);
  }
  return text;
}

std::string figure(const Json& number) {
  return number.is_number() ? fixed(number.get<double>(), 3) : "n/a";
}

}  // namespace

Json compare_attributions(Contestants& contestants, data::Reader& reader, std::size_t n_texts) {
  check_attributable(contestants.model.model.info());
  Progress progress("texts explained", n_texts);
  std::vector<Json> texts;
  std::size_t n_skipped = 0;
  double sum_rank = 0, sum_overlap = 0;
  std::size_t n_ranked = 0;
  for (data::Row row; texts.size() < n_texts && reader.next(row);) {
    throw_if_interrupted();
    Json json = compared(contestants, row);
    if (json.is_null()) {
      ++n_skipped;
      continue;
    }
    sum_overlap += json["top5_overlap"].get<double>();
    if (json["spearman"].is_number()) {
      sum_rank += json["spearman"].get<double>();
      ++n_ranked;
    }
    texts.push_back(std::move(json));
    progress.show(texts.size());
  }
  const auto rank = [](const Json& json) {
    return json["spearman"].is_number() ? json["spearman"].get<double>() : -2.0;
  };
  std::stable_sort(texts.begin(), texts.end(),
                   [&](const Json& left, const Json& right) { return rank(left) < rank(right); });
  const auto mean = [](double sum, std::size_t n) {
    return n == 0 ? Json() : Json(sum / static_cast<double>(n));
  };
  return {{"n_texts", texts.size()},
          {"n_skipped", n_skipped},
          {"mean_spearman", mean(sum_rank, n_ranked)},
          {"mean_top5_overlap", mean(sum_overlap, texts.size())},
          {"texts", texts}};
}

std::string attribution_text(const Json& comparison) {
  std::string text = "reasons for A's answers, word by word, in " + comparison["n_texts"].dump() +
                     " texts: rank correlation " + figure(comparison["mean_spearman"]) +
                     ", overlap of the five strongest " + figure(comparison["mean_top5_overlap"]) +
                     "\n";
  const Json& texts = comparison["texts"];
  for (std::size_t index = 0; index < std::min(texts.size(), kShownTexts); ++index) {
    const Json& one = texts[index];
    text += "  line " + one["line"].dump() + ": " + figure(one["spearman"]) + ", " +
            figure(one["top5_overlap"]) + "; " + moved_most(one["words"]) + ": " +
            one_line(one["text"].get<std::string>(), 60) + "\n";
  }
  return text;
}

}  // namespace espalier::tools
