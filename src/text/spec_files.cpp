// Which files of a checkpoint folder say what about its tokenizer, and which one wins.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file_bytes.hpp"
#include "base/printable.hpp"
#include "espalier/error.hpp"
#include "text/tokenizer_json.hpp"
#include "text/tokenizer_spec.hpp"

namespace espalier::text {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxVocabFileBytes = kMaxPieceBytes + 2 * kMaxPieces;  // and line ends
constexpr std::size_t kMaxTokenizerFileBytes = std::size_t{128} << 20;
constexpr std::size_t kMaxConfigFileBytes = std::size_t{16} << 20;
constexpr double kLargestMaxLength = 1 << 20;  // larger is the package's way to say "no limit"

bool has_file(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

template <typename Read>
auto reading(const fs::path& path, Read&& read) {
  return with_context("while reading " + printable(path.string(), 300), std::forward<Read>(read));
}

Json read_config(const fs::path& path) {
  if (!has_file(path)) return Json::object();
  return reading(path, [&] { return read_json_object(path, kMaxConfigFileBytes); });
}

// Lines end at LF alone (U+2028 is a piece of real vocabularies); one CR before it goes.
std::vector<std::string> read_vocab_lines(const fs::path& path) {
  const FileBytes file = FileBytes::open(path, FileAccess::read, kMaxVocabFileBytes);
  const auto bytes = file.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto n_lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (n_lines > kMaxPieces + 1) {
    throw Error(ErrorCode::bad_input, "vocabulary has " + std::to_string(n_lines) +
                                          " lines, at most " + std::to_string(kMaxPieces) +
                                          " are supported");
  }
  std::vector<std::string> lines;
  lines.reserve(n_lines);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.emplace_back(line);
    begin = end + 1;
  }
  return lines;
}

// A special token is a string, or an object with its content.
void read_name(const JsonField& config, std::string_view key, std::string& name) {
  const JsonField field = config[key];
  if (field.is_null()) return;
  name = field.is_string() ? field.as_string() : field["content"].as_string();
}

void read_names(const JsonField& config, TokenizerSpec& spec) {
  read_name(config, "unk_token", spec.unk);
  read_name(config, "cls_token", spec.cls);
  read_name(config, "sep_token", spec.sep);
  read_name(config, "pad_token", spec.pad);
  read_name(config, "mask_token", spec.mask);
}

void refuse_never_split(const JsonField& config) {
  const JsonField never_split = config["never_split"];
  if (!never_split.is_null() && !never_split.as_array().empty()) {
    never_split.refuse("is not empty; add these words as added tokens instead");
  }
}

std::uint32_t read_max_length(const JsonField& field) {
  if (field.is_null()) return 0;
  if (!field.json().is_number()) field.refuse("is not a number");
  const double value = field.json().get<double>();
  if (!(value >= 0) || value != std::floor(value)) field.refuse("is not a whole number from 0");
  return value > kLargestMaxLength ? 0 : static_cast<std::uint32_t>(value);
}

// What tokenizer_config.json states for a BERT class replaces what tokenizer.json says; the plain
// class takes tokenizer.json as it is.
bool flags_apply(const JsonField& config) {
  const JsonField name = config["tokenizer_class"];
  return name.is_null() || name.as_string() != "PreTrainedTokenizerFast";
}

void read_flags(const JsonField& config, TokenizerSpec& spec) {
  const bool follows_lowercase = spec.strip_accents == spec.lowercase;
  spec.lowercase = config["do_lower_case"].bool_or(spec.lowercase);
  spec.strip_accents =
      config["strip_accents"].bool_or(follows_lowercase ? spec.lowercase : spec.strip_accents);
  spec.split_cjk = config["tokenize_chinese_chars"].bool_or(spec.split_cjk);
}

// Tokens that a folder without tokenizer.json adds to its vocabulary, by id.
void read_config_tokens(const JsonField& decoder, TokenizerSpec& spec, TokenIds& ids) {
  if (decoder.is_null()) return;
  std::vector<std::pair<std::uint32_t, std::string>> keys;
  for (auto entry = decoder.as_object().begin(); entry != decoder.as_object().end(); ++entry) {
    const std::string& key = entry.key();
    const bool is_id =
        !key.empty() && key.size() <= 7 &&
        std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_id) decoder.refuse("has the key " + printable(key) + ", which is not an id");
    keys.emplace_back(static_cast<std::uint32_t>(std::stoul(key)), key);
  }
  std::sort(keys.begin(), keys.end());
  for (const auto& entry : keys) add_token(spec, ids, decoder[entry.second], entry.first);
}

// The form of older folders: {"content": id}, without flags.
void read_added_tokens_file(const fs::path& path, TokenizerSpec& spec, TokenIds& ids) {
  const Json file = read_config(path);
  std::vector<std::pair<std::uint32_t, std::string>> tokens;
  for (auto entry = file.begin(); entry != file.end(); ++entry) {
    const JsonField id(entry.value(), printable(entry.key()));
    tokens.emplace_back(id.as_uint(kMaxPieces - 1), entry.key());
  }
  std::sort(tokens.begin(), tokens.end());
  for (const auto& token : tokens) {
    const bool is_special = token.second == spec.unk || token.second == spec.cls ||
                            token.second == spec.sep || token.second == spec.pad ||
                            token.second == spec.mask;
    const Json object = {{"content", token.second}, {"special", is_special}};
    add_token(spec, ids, JsonField(object, printable(token.second)), token.first);
  }
}

TokenizerSpec read_vocab_folder(const fs::path& folder, const JsonField& config,
                                const JsonField& special_map) {
  TokenizerSpec spec;
  const fs::path vocab = folder / "vocab.txt";
  spec.pieces = reading(vocab, [&] { return read_vocab_lines(vocab); });
  reading(folder / "special_tokens_map.json", [&] { read_names(special_map, spec); });
  reading(folder / "tokenizer_config.json", [&] { read_names(config, spec); });
  TokenIds ids = token_ids(spec);
  if (!config["added_tokens_decoder"].is_null()) {
    reading(folder / "tokenizer_config.json",
            [&] { read_config_tokens(config["added_tokens_decoder"], spec, ids); });
  } else if (has_file(folder / "added_tokens.json")) {
    const fs::path added = folder / "added_tokens.json";
    reading(added, [&] { read_added_tokens_file(added, spec, ids); });
  }
  return spec;
}

TokenizerSpec read_json_folder(const fs::path& folder, const JsonField& config,
                               const JsonField& special_map) {
  const fs::path path = folder / "tokenizer.json";
  TokenizerSpec spec = reading(path, [&] {
    return spec_from_tokenizer_json(read_json_object(path, kMaxTokenizerFileBytes));
  });
  // [UNK], [CLS] and [SEP] are part of the pipeline and so are stated there.
  reading(folder, [&] {
    for (const JsonField& names : {special_map, config}) {
      read_name(names, "pad_token", spec.pad);
      read_name(names, "mask_token", spec.mask);
    }
  });
  return spec;
}

}  // namespace

TokenizerSpec load_tokenizer_spec(const fs::path& folder) {
  const bool has_json = has_file(folder / "tokenizer.json");
  if (!has_json && !has_file(folder / "vocab.txt")) {
    throw Error(ErrorCode::bad_input,
                printable(folder.string(), 300) + " holds neither tokenizer.json nor vocab.txt");
  }
  const fs::path config_path = folder / "tokenizer_config.json";
  const Json config_json = read_config(config_path);
  const Json special_json = read_config(folder / "special_tokens_map.json");
  const JsonField config(config_json, "");
  const JsonField special_map(special_json, "");

  TokenizerSpec spec = has_json ? read_json_folder(folder, config, special_map)
                                : read_vocab_folder(folder, config, special_map);
  reading(config_path, [&] {
    if (flags_apply(config)) read_flags(config, spec);
    refuse_never_split(config);
    spec.max_length = read_max_length(config["model_max_length"]);
  });
  // Only fill-mask needs it; a vocabulary without the usual name simply has none.
  const bool is_stated = !config["mask_token"].is_null() || !special_map["mask_token"].is_null();
  if (!is_stated &&
      std::find(spec.pieces.begin(), spec.pieces.end(), spec.mask) == spec.pieces.end()) {
    spec.mask.clear();
  }
  reading(folder, [&] { validate(spec); });
  return spec;
}

}  // namespace espalier::text
