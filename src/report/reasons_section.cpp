// How far a model's reasons are from the reference's: for the texts where they moved most, each
// word with what it adds to the answer, of both models.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/html.hpp"
#include "report/page.hpp"

namespace espalier::report {
namespace {

constexpr Form kCorrelation = {.decimals = 3};
constexpr Form kScore = {.digits = 2, .sign = true};
constexpr int kShades = 4;

// The strongest word of a text in both models: shades are shares of it.
double strongest_of(const Node& words) {
  double strongest = 0;
  for (std::size_t index = 0; index < words.size(); ++index) {
    for (const char* side : {"a", "b"}) {
      strongest = std::max(strongest, std::abs(words[index][side].number().value_or(0)));
    }
  }
  return strongest;
}

// A figure on a ground that is the stronger the more the word says; the sign tells the two colours
// apart without them.
std::string shaded(const Node& score, double strongest) {
  const double value = score.number().value_or(0);
  const double share = strongest > 0 ? std::abs(value) / strongest : 0;
  const int shade = static_cast<int>(std::lround(kShades * share));
  return std::string("<i class=\"") + (value < 0 ? "against" : "for") + std::to_string(shade) +
         "\">" + figure(score, kScore) + "</i>";
}

std::string words_of(const Node& text) {
  const Node words = text["words"];
  const double strongest = strongest_of(words);
  std::string all;
  for (std::size_t index = 0; index < words.size(); ++index) {
    const Node word = words[index];
    all += "<span class=\"word\"><bdi>" + html(word["text"].text()) + "</bdi>" +
           shaded(word["a"], strongest) + shaded(word["b"], strongest) + "</span>\n";
  }
  if (text["words_left_out"].number()) {
    all += "<span class=\"word\">and " + figure(text["words_left_out"], {}) + " more</span>\n";
  }
  return all.empty() ? all : "<p class=\"words\" dir=\"auto\">\n" + all + "</p>\n";
}

std::string text_block(const Node& text) {
  const std::string label = text["label"].text();
  std::string head = "Line " + figure(text["line"], {});
  if (!label.empty()) head += ", <bdi>" + html(label) + "</bdi>";
  head += ": rank correlation " + figure(text["spearman"], kCorrelation) +
          ", overlap of the five strongest " + figure(text["top5_overlap"], kCorrelation);
  const Node same = text["same_answer"];
  if (same.there() && !same.is_true()) head += ", another answer now";
  return "<p class=\"reason\">" + head + "</p>\n" + words_of(text);
}

std::string model_row(const Node& model) {
  const Node found = model["attribution"];
  const auto cell = [](const std::string& inside) { return "<td>" + inside + "</td>"; };
  return "<tr><th scope=\"row\">" + html(model["name"].text()) + "</th>" +
         cell(figure(found["n_texts"], {})) + cell(figure(found["mean_spearman"], kCorrelation)) +
         cell(figure(found["mean_top5_overlap"], kCorrelation)) + "</tr>\n";
}

std::string model_texts(const Node& model) {
  const Node texts = model["attribution"]["texts"];
  if (texts.size() == 0) return {};
  std::string blocks;
  for (std::size_t index = 0; index < texts.size(); ++index) blocks += text_block(texts[index]);
  return "<details><summary>" + html(model["name"].text()) +
         "<span class=\"sub\">, the texts whose reasons moved most</span></summary>\n" + blocks +
         "</details>\n";
}

}  // namespace

std::string reasons_section(const Node& results) {
  std::string rows;
  std::string lists;
  for (std::size_t index = 0; index < results["models"].size(); ++index) {
    const Node model = results["models"][index];
    if (!model["attribution"]["n_texts"].number()) continue;
    rows += model_row(model);
    lists += model_texts(model);
  }
  if (rows.empty()) return {};
  return "<p>Each word of a text is left out in turn; what the answer loses by it is the word's "
         "score. A model that answers the same may do so for other reasons: 1 is the same order of "
         "words as in " +
         html(results["reference"].text()) + ", 0 no likeness.</p>\n" +
         scrolling_table("likeness of reasons",
                         "<thead><tr><th scope=\"col\">Model</th><th scope=\"col\">Texts</th>"
                         "<th scope=\"col\">Rank correlation,<br>mean</th>"
                         "<th scope=\"col\">Overlap of the five<br>strongest words</th></tr>"
                         "</thead>\n<tbody>\n" +
                             rows + "</tbody>\n") +
         (lists.empty() ? ""
                        : "<p class=\"note\">Below each word what it adds to the reference's "
                          "answer, + for and − against it: above with the reference, below with "
                          "the model. The stronger the ground, the stronger the word.</p>\n" +
                              lists);
}

}  // namespace espalier::report
