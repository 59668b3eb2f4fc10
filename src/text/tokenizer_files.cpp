#include "text/tokenizer_files.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file_bytes.hpp"
#include "base/printable.hpp"
#include "espalier/error.hpp"
#include "text/json_reader.hpp"

namespace espalier::text {
namespace {

namespace fs = std::filesystem;

// The vocabulary itself is last: a folder that lacks it is no tokenizer, so what a writer that was
// killed leaves behind is refused and not misread.
constexpr std::array<const char*, 5> kFileNames = {"added_tokens.json", "special_tokens_map.json",
                                                   "tokenizer_config.json", "tokenizer.json",
                                                   "vocab.txt"};

struct NewFile {
  std::string name;
  std::string content;
};

bool has_file(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

std::string shown(const fs::path& path) {
  return printable(path.string(), 300);
}

// `files` in the order of kFileNames.
void replace_tokenizer(const fs::path& folder, const std::vector<NewFile>& files,
                       Overwrite overwrite) {
  for (const char* name : kFileNames) {
    if (overwrite == Overwrite::refuse && has_file(folder / name)) {
      throw Error(ErrorCode::output, shown(folder / name) + " exists; give --force to replace it");
    }
  }
  // A disk that is full says so here, while the old files are still all there.
  std::list<AtomicFile> written;
  for (const NewFile& file : files) {
    written.emplace_back(folder / file.name, overwrite).write(file.content);
  }
  for (const char* name : kFileNames) {
    const auto is_it = [name](const NewFile& file) { return file.name == name; };
    if (std::any_of(files.begin(), files.end(), is_it)) continue;
    std::error_code problem;
    fs::remove(folder / name, problem);
    if (problem) {
      throw Error(ErrorCode::output,
                  "cannot remove " + shown(folder / name) + ": " + problem.message());
    }
  }
  for (AtomicFile& file : written) file.commit();
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::bad_input, "vocab.txt cannot hold a tokenizer " + what +
                                        "; keep the files of the folder that it came from");
}

const std::string& content_of(const TokenizerSpec& spec, const AddedToken& token) {
  return spec.pieces[static_cast<std::size_t>(to_int(token.id))];
}

bool is_special(const TokenizerSpec& spec, const std::string& content) {
  const std::array<const std::string*, 5> special = {&spec.unk, &spec.cls, &spec.sep, &spec.pad,
                                                     &spec.mask};
  return std::any_of(special.begin(), special.end(),
                     [&](const std::string* name) { return *name == content; });
}

// Special tokens are cut out of the text without being listed.
bool needs_listing(const TokenizerSpec& spec) {
  return std::any_of(spec.added.begin(), spec.added.end(), [&](const AddedToken& token) {
    return !is_special(spec, content_of(spec, token)) || token != AddedToken{.id = token.id};
  });
}

Json added_tokens(const TokenizerSpec& spec) {
  Json tokens = Json::object();
  for (const AddedToken& token : spec.added) {
    const std::string& content = content_of(spec, token);
    tokens[std::to_string(to_int(token.id))] = {{"content", content},
                                                {"lstrip", token.lstrip},
                                                {"normalized", token.normalized},
                                                {"rstrip", token.rstrip},
                                                {"single_word", token.single_word},
                                                {"special", is_special(spec, content)}};
  }
  return tokens;
}

std::string vocabulary_text(const TokenizerSpec& spec) {
  std::string text;
  for (const std::string& piece : spec.pieces) text.append(piece).push_back('\n');
  return text;
}

std::string config_text(const TokenizerSpec& spec) {
  Json config = {{"tokenizer_class", "BertTokenizer"},
                 {"do_lower_case", spec.lowercase},
                 {"strip_accents", spec.strip_accents},
                 {"tokenize_chinese_chars", spec.split_cjk},
                 {"unk_token", spec.unk},
                 {"cls_token", spec.cls},
                 {"sep_token", spec.sep},
                 {"pad_token", spec.pad},
                 // Left out, it would be a [MASK] that transformers adds behind the vocabulary.
                 {"mask_token", spec.mask.empty() ? Json() : Json(spec.mask)}};
  if (needs_listing(spec)) config["added_tokens_decoder"] = added_tokens(spec);
  if (spec.max_length != 0) config["model_max_length"] = spec.max_length;
  return config.dump(2) + "\n";
}

std::string read_whole(const fs::path& path) {
  const FileBytes file = FileBytes::open(path);
  const auto bytes = file.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void check_expressible(const TokenizerSpec& spec) {
  validate(spec);
  const TokenizerSpec usual;
  if (!spec.clean_text) refuse("that does not clean its text");
  if (spec.continuation != usual.continuation) {
    refuse("whose words go on with " + printable(spec.continuation));
  }
  if (spec.max_word_chars != usual.max_word_chars) {
    refuse("that takes words of up to " + std::to_string(spec.max_word_chars) + " characters");
  }
  for (const std::string& piece : spec.pieces) {
    const bool has_line_end = piece.find('\n') != std::string::npos || piece.ends_with('\r');
    if (has_line_end) refuse("whose piece " + printable(piece) + " holds a line end");
  }
  for (const AddedToken& token : spec.added) {
    if (!token.in_vocabulary) refuse("with the added token " + printable(content_of(spec, token)));
  }
}

void write_tokenizer(const fs::path& folder, const TokenizerSpec& spec, Overwrite overwrite) {
  check_expressible(spec);
  replace_tokenizer(
      folder, {{"tokenizer_config.json", config_text(spec)}, {"vocab.txt", vocabulary_text(spec)}},
      overwrite);
}

void copy_tokenizer(const fs::path& from, const fs::path& to, Overwrite overwrite) {
  if (!has_file(from / "tokenizer.json") && !has_file(from / "vocab.txt")) {
    throw Error(ErrorCode::bad_input, shown(from) + " holds neither tokenizer.json nor vocab.txt");
  }
  std::error_code ignored;
  if (fs::equivalent(from, to, ignored)) return;
  std::vector<NewFile> files;
  for (const char* name : kFileNames) {
    if (has_file(from / name)) files.push_back({name, read_whole(from / name)});
  }
  replace_tokenizer(to, files, overwrite);
}

}  // namespace espalier::text
