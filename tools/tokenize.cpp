// espalier tokenize: how a text is cut into pieces, for a model file or a checkpoint folder.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "espalier/espalier.hpp"
#include "measure/report.hpp"
#include "output.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

struct TokenizeOptions {
  std::string model;
  std::string text;
  std::optional<std::string> pair;
  std::uint32_t max_length = 0;
  std::string format = "table";
};

template <typename Visitor>
void visit(TokenizeOptions& options, Visitor&& visitor) {
  visitor({.name = "MODEL", .help = "model file, or folder with a tokenizer", .required = true},
          options.model);
  visitor({.name = "--text", .help = "the text", .value = "T", .required = true}, options.text);
  visitor({.name = "--pair", .help = "second text", .value = "T"}, options.pair);
  visitor({.name = "--max-length",
           .help = "longest input in tokens; without it the model's own",
           .min = 2},
          options.max_length);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, options.format);
}

// The tokens of one input with their places in bytes and in characters of their own text.
struct Tokens {
  TokenBatch batch;
  std::vector<ByteSpan> characters;
};

Tokens encode(const Tokenizer& tokenizer, const TokenizeOptions& options) {
  Text text{.first = options.text};
  if (options.pair) text.second = *options.pair;
  Tokens tokens{tokenizer.encode({&text, 1}, options.max_length), {}};
  const std::vector<ByteSpan>& spans = tokens.batch.spans;
  const auto first_of_pair = static_cast<std::size_t>(
      std::find(tokens.batch.segments.begin(), tokens.batch.segments.end(), 1) -
      tokens.batch.segments.begin());
  tokens.characters = character_spans(options.text, std::span(spans).first(first_of_pair));
  if (options.pair) {
    for (const ByteSpan span :
         character_spans(*options.pair, std::span(spans).subspan(first_of_pair))) {
      tokens.characters.push_back(span);
    }
  }
  return tokens;
}

nlohmann::ordered_json to_json(const std::vector<ByteSpan>& spans) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ByteSpan span : spans) list.push_back({span.begin, span.end});
  return list;
}

void run(const TokenizeOptions& options) {
  const Tokenizer tokenizer = std::filesystem::is_directory(options.model)
                                  ? Tokenizer::open(options.model)
                                  : Model::open(options.model).tokenizer();
  const Tokens tokens = encode(tokenizer, options);
  const TokenBatch& batch = tokens.batch;
  const bool truncated = !batch.truncated.empty() && batch.truncated[0] != 0;
  if (options.format == "json") {
    nlohmann::ordered_json report = {{"ids", nlohmann::ordered_json::array()},
                                     {"tokens", nlohmann::ordered_json::array()},
                                     {"segments", batch.segments}};
    for (const TokenId id : batch.ids) {
      report["ids"].push_back(to_int(id));
      report["tokens"].push_back(tokenizer.piece(id));
    }
    report["offsets"] = {{"bytes", to_json(batch.spans)},
                         {"characters", to_json(tokens.characters)}};
    report["truncated"] = truncated;
    print_json(report);
    return;
  }
  using measure::Align;
  using measure::Cell;
  measure::Table table;
  table.add_column("token").add_column("id", Align::right).add_column("segment", Align::right);
  table.add_column("bytes", Align::right).add_column("characters", Align::right);
  const auto range = [](ByteSpan span) {
    return std::to_string(span.begin) + "-" + std::to_string(span.end);
  };
  for (std::size_t token = 0; token < batch.ids.size(); ++token) {
    table.add_row({tokenizer.piece(batch.ids[token]),
                   Cell::count(static_cast<std::size_t>(to_int(batch.ids[token]))),
                   Cell::count(batch.segments[token]), range(batch.spans[token]),
                   range(tokens.characters[token])});
  }
  write_out(table.print(measure::TableFormat::table));
  if (truncated) note("the text was longer than the limit and cut");
}

}  // namespace

Command tokenize_command() {
  return make_command<TokenizeOptions>(
      {.name = "tokenize",
       .summary = "show the tokens of a text with their ids and places",
       .examples = "espalier tokenize sentiment.espl --text 'a charming journey'\n"
                   "espalier tokenize ./bert-base-uncased --text 'It rains.' --pair 'It is dry.'\n"
                   "espalier tokenize ./bert-base-chinese --text '今天很好' --format json",
       .details = "A folder needs no more than vocab.txt and tokenizer_config.json. Places are\n"
                  "half-open ranges of the token's own text; special tokens stand at 0-0."},
      run);
}

}  // namespace espalier::tools
