// Data sets in every format that --data-format knows; the first byte chooses. Rows come in order of
// their lines, and there are no more of them than lines.
#include <algorithm>

#include "data/reader.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/target.hpp"

namespace espalier::fuzz {

std::vector<std::string> seeds() {
  return {"0text\tlabel\na b\t1\nc\t0\n",
          "1text\tlabel\r\na \"quoted\t1\r\n",
          "2text,label\n\"a, \"\"b\"\"\nc\",1\nd,0\n",
          "3{\"text\":\"a\",\"label\":1}\n{\"text\":[\"b\",\"c\"],\"label\":\"x\"}\n",
          "4-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n",
          std::string("0\x1F\x8B\x08\0\0\0\0\0", 9)};
}

}  // namespace espalier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espalier;
  using data::Format;
  if (size == 0) return 0;
  constexpr Format kFormats[] = {Format::automatic, Format::tsv, Format::csv, Format::jsonl,
                                 Format::conll};
  static fuzz::MemoryFile file;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  file.fill(text);
  const Format format = kFormats[data[0] % std::size(kFormats)];
  fuzz::accepted([&] {
    const auto reader = data::Reader::open(file.path(), format);
    fuzz::require(reader->format() != Format::automatic, "the format is settled");
    data::Row row;
    std::size_t line = 0;
    std::size_t n_rows = 0;
    while (reader->next(row)) {
      fuzz::require(row.line > line, "rows come in the order of their lines");
      line = row.line;
      ++n_rows;
      fuzz::require(row.tags.empty() || row.tags.size() == row.words.size(),
                    "a tag for every word");
    }
    const bool is_plain = text.substr(0, 2) != "\x1F\x8B";
    fuzz::require(
        !is_plain ||
            n_rows <= static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1,
        "no more rows than lines");
  });
  return 0;
}
