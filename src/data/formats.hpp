// What each format brings to the table in readers.cpp: a guess over the first lines, and a reader.
// A new format is one file with these two functions and one row there.
#pragma once

#include <memory>
#include <string_view>

#include "data/columns.hpp"
#include "data/lines.hpp"
#include "data/reader.hpp"

namespace espalier::data {

/// How much speaks for a format, in rising order. The first lines say `no`, `possible`, `likely` or
/// `sure`; a file's extension lifts what is not ruled out to `named`.
enum class Guess { no, possible, likely, named, sure };

[[nodiscard]] Guess guess_tsv(std::string_view head);
[[nodiscard]] Guess guess_csv(std::string_view head);
[[nodiscard]] Guess guess_jsonl(std::string_view head);
[[nodiscard]] Guess guess_conll(std::string_view head);

/// Each takes the lines from their start and throws as Reader::open() does.
[[nodiscard]] std::unique_ptr<Reader> open_tsv(std::unique_ptr<LineSource>, const Columns&);
[[nodiscard]] std::unique_ptr<Reader> open_csv(std::unique_ptr<LineSource>, const Columns&);
[[nodiscard]] std::unique_ptr<Reader> open_jsonl(std::unique_ptr<LineSource>, const Columns&);
[[nodiscard]] std::unique_ptr<Reader> open_conll(std::unique_ptr<LineSource>, const Columns&);

/// Cuts the first line, without its LF, off the front of `text`.
[[nodiscard]] std::string_view take_line(std::string_view& text);

}  // namespace espalier::data
