#include "compress/checkpoint/pickle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "espalier/error.hpp"
#include "tests/compress/checkpoint/torch_builder.hpp"

namespace espalier::checkpoint {
namespace {

using namespace std::string_literals;
using testing::dict;
using testing::global;
using ::testing::HasSubstr;
using testing::list;
using testing::little_endian;
using testing::number;
using testing::pickle;
using testing::text;
using testing::tuple;

constexpr std::array<PickleGlobal, 2> kKnown = {
    {{"collections", "OrderedDict", true}, {"known", "name", false}}};

// The bytes must outlive what is read.
Pickle read(const std::string& bytes) {
  return read_pickle(std::as_bytes(std::span(bytes)), 0, kKnown);
}

std::string refusal(const std::string& bytes) {
  try {
    (void)read(bytes);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::vector<std::int64_t> integers(const PickleGraph& graph, NodeId holder) {
  std::vector<std::int64_t> values;
  for (auto items = graph.items(holder); !items.done(); items.advance()) {
    values.push_back(graph.integer(items.item()));
  }
  return values;
}

TEST(Pickle, ReadsIntegersOfEveryLength) {
  const std::string bytes =
      pickle(tuple({"K\xff"s, "M\xff\xff"s, "J\xff\xff\xff\xff"s, "\x8a\x00"s, "\x8a\x01\xff"s,
                    "\x8a\x02\xff\x00"s, number(INT64_MIN)}));

  const Pickle read_back = read(bytes);

  EXPECT_EQ(integers(read_back.graph, read_back.root),
            (std::vector<std::int64_t>{255, 65535, -1, 0, -1, 255, INT64_MIN}));
  EXPECT_EQ(read_back.end, bytes.size());
}

TEST(Pickle, ReadsContainersAndWhatIsAddedToThemLater) {
  // [1, 2], then 3 through the memo; {"a": 4, "b": 5}, the second key alone.
  const std::string bytes = pickle(tuple(
      {list({number(1), number(2)}) + "q\0"s,
       dict({text("a"), number(4)}) + text("b") + number(5) + "s", "h\0"s + number(3) + "a"}));

  const Pickle read_back = read(bytes);

  const PickleGraph& graph = read_back.graph;
  const std::vector<NodeId> parts = graph.few_items(read_back.root, 3);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0], parts[2]);
  EXPECT_EQ(integers(graph, parts[0]), (std::vector<std::int64_t>{1, 2, 3}));
  const std::vector<NodeId> entries = graph.few_items(parts[1], 4);
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(graph.text(entries[2]), "b");
  EXPECT_EQ(graph.integer(entries[3]), 5);
}

TEST(Pickle, KeepsACallAsData) {
  const std::string bytes = pickle(global("known", "name") + tuple({number(7)}) + "R");

  const Pickle read_back = read(bytes);

  const PickleGraph& graph = read_back.graph;
  ASSERT_EQ(graph.kind(read_back.root), PickleKind::call);
  const std::vector<NodeId> parts = graph.few_items(read_back.root, 2);
  EXPECT_EQ(graph.global(parts[0]), 1u);
  EXPECT_EQ(integers(graph, parts[1]), (std::vector<std::int64_t>{7}));
}

TEST(Pickle, MakesADictOfPairsAsPython2WritesIt) {
  const std::string bytes =
      pickle(global("collections", "OrderedDict") +
             tuple({list({list({text("a"), number(1)}), tuple({text("b"), number(2)})})}) + "R" +
             dict({text("_metadata"), number(3)}) + "b");

  const Pickle read_back = read(bytes);

  ASSERT_EQ(read_back.graph.kind(read_back.root), PickleKind::dict);
  EXPECT_EQ(read_back.graph.few_items(read_back.root, 9).size(), 4u);
  EXPECT_THAT(refusal(pickle(global("collections", "OrderedDict") + tuple({number(1)}) + "R")),
              HasSubstr("makes a dict"));
  EXPECT_THAT(
      refusal(pickle(global("collections", "OrderedDict") + tuple({list({number(1)})}) + "R")),
      HasSubstr("makes a dict"));
  EXPECT_THAT(refusal(pickle(global("collections", "OrderedDict") +
                             tuple({list({tuple({number(1)})})}) + "R")),
              HasSubstr("makes a dict"));
}

TEST(Pickle, ReadsProtocol4AndBeginsWhereItIsTold) {
  const std::string bytes =
      "skipped\x80\x04\x95\x0a\0\0\0\0\0\0\0\x8c\x05known\x94\x8c\x04name\x94\x93\x94."s;

  const Pickle read_back = read_pickle(std::as_bytes(std::span(bytes)), 7, kKnown);

  EXPECT_EQ(read_back.graph.global(read_back.root), 1u);
}

TEST(Pickle, RefusesANameOutsideTheTableHoweverItIsSpelt) {
  EXPECT_THAT(refusal(pickle(global("posix", "system"))),
              HasSubstr("pickle byte 2: asks for 'posix.system'"));
  EXPECT_THAT(refusal("\x80\x04\x8c\x05posix\x8c\x06system\x93."), HasSubstr("'posix.system'"));
  EXPECT_THAT(refusal("S'posix'\nVsystem\n\x93."), HasSubstr("'posix.system'"));
  EXPECT_THAT(refusal("(iposix\nsystem\n."), HasSubstr("'posix.system'"));
  EXPECT_THAT(refusal("\x80\x02\x63known.name\n\n."), HasSubstr("'known.name.'"));
  EXPECT_THAT(refusal(pickle(global("a\x1b[2J", "b"))), HasSubstr("'a\\x1b[2J.b'"));
}

TEST(Pickle, RefusesToMakeObjectsOfKnownNames) {
  EXPECT_THAT(refusal("(iknown\nname\n."), HasSubstr("makes an object"));
  EXPECT_THAT(refusal(pickle(global("known", "name") + ")\x81")), HasSubstr("opcode '\\x81'"));
  EXPECT_THAT(refusal(pickle(global("known", "name") + ")R" + dict({}) + "b")),
              HasSubstr("gives a state"));
}

TEST(Pickle, RefusesWhatTheMachineCannotDo) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "wants 1 bytes"},
      {".", "0 values at hand"},
      {"NN.", "2 values at hand"},
      {"(N.", "1 values at hand"},
      {"\x85.", "value that is not there"},
      {"N(\x85.", "value that is not there"},  // below the mark
      {"t.", "mark that is not there"},
      {"Na.", "value that is not there"},
      {"NNa.", "appends to what is no list"},
      {"](NN(e.", "appends to what is no list"},
      {"](}e(NNu.", "sets a key of no dict"},
      {"}(Nu.", "key without a value"},
      {"(u.", "sets a key of no dict"},
      {"](e", "wants 1 bytes"},
      {"NNR.", "calls what is no name"},
      {global("known", "name") + "NR.", "calls with what is no tuple"},
      {"NN\x93.", "by a name that is no text"},
      {"h\x05.", "numbered 5, which is not there"},
      {"q\x00."s, "value that is not there"},
      {"Nq\x09.", "out of turn"},
      {"Nr\xff\xff\xff\xff.", "out of turn"},
      {"\x80\x01N.", "protocol 1"},
      {"\x80\x06N.", "protocol 6"},
      {"\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "runs past the end"},
      {"X\xff\xff\xff\xff.", "wants 4294967295 bytes where 1 are left"},
      {"cknown\nname", "does not end"},
      {"\x8b\xff\xff\xff\x7f", "opcode '\\x8b'"},
      {"Q.", "value that is not there"},
      {"}b.", "value that is not there"},
  };
  for (const auto& [bytes, reason] : cases) {
    EXPECT_THAT(refusal(bytes), HasSubstr(reason)) << ::testing::PrintToString(bytes);
  }
}

TEST(Pickle, RefusesALongString) {
  EXPECT_EQ(refusal(pickle(text(std::string(kMaxPickleString, 'a')))), "");
  EXPECT_THAT(refusal(pickle(text(std::string(kMaxPickleString + 1, 'a')))),
              HasSubstr("65537 bytes"));
}

TEST(Pickle, BoundsValuesAndMarks) {
  EXPECT_THAT(refusal(std::string(kMaxPickleStack + 1, 'N')), HasSubstr("more than"));
  EXPECT_THAT(refusal(std::string(kMaxPickleStack + 1, '(')), HasSubstr("more than"));
  // Values that are used up count, too: each stays in the graph.
  std::string lists = "]";
  for (std::size_t item = 0; item < kMaxPickleNodes; ++item) lists += "Na";
  EXPECT_THAT(refusal(lists + "."), HasSubstr("values in one pickle"));
  std::string references = "]q\0"s;
  for (std::size_t item = 0; item <= kMaxPickleLinks; ++item) references += "h\0a"s;
  EXPECT_THAT(refusal(references + "."), HasSubstr("containers"));
}

TEST(Pickle, HoldsAListThatHoldsItself) {
  const std::string bytes = pickle("]q\0h\0a"s);

  const Pickle read_back = read(bytes);

  EXPECT_EQ(read_back.graph.few_items(read_back.root, 2), (std::vector<NodeId>{read_back.root}));
}

TEST(Pickle, IsRefusedWhenCutAnywhere) {
  const std::string good = pickle(dict(
      {text("key"), global("known", "name") + tuple({number(5), "K\x01", "G12345678"}) + "Rq\x01",
       "h\x01", "]"}));
  ASSERT_EQ(refusal(good), "");

  // Each cut gets memory of its own size, so that a sanitizer sees a read past the end.
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    EXPECT_NE(refusal(good.substr(0, bytes)), "") << bytes;
  }
}

}  // namespace
}  // namespace espalier::checkpoint
