// Which labels are found in training data and in which order, what a file must hold, and tags of
// either scheme as IOB2.
#include "compress/objective/labelled_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/compress/objective/task_testing.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::objective {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Strings = std::vector<std::string>;

LabelledRows read_bytes(const std::string& name, std::string_view bytes,
                        const data::Columns& columns = {}) {
  const testing::TemporaryFolder folder;
  testing::write_file(folder / name, bytes);
  return read_labelled_rows(folder / name, data::Format::automatic, columns);
}

std::string refusal_of_bytes(const std::string& name, std::string_view bytes,
                             const data::Columns& columns = {}) {
  return refusal_of([&] { (void)read_bytes(name, bytes, columns); });
}

LabelledRows labelled(const Strings& labels) {
  std::vector<data::Row> rows;
  for (const std::string& label : labels) rows.push_back({.text = "rain", .label = label});
  return rows_of(std::move(rows));
}

LabelledRows tagged(const std::vector<Strings>& sentences) {
  std::vector<data::Row> rows;
  for (const Strings& tags : sentences) {
    rows.push_back({.words = Strings(tags.size(), "rain"), .tags = tags});
  }
  return rows_of(std::move(rows));
}

TEST(ReadLabelledRows, KeepsRowsLinesAndTheNameWithoutFolders) {
  const LabelledRows rows = read_bytes("train.tsv", "sentence\tlabel\nrain\t1\n今天\t0\n");

  EXPECT_EQ(rows.file, "train.tsv");
  ASSERT_EQ(rows.rows.size(), 2U);
  EXPECT_EQ(rows.rows[1].text, "今天");
  EXPECT_EQ(rows.rows[1].label, "0");
  EXPECT_EQ(rows.place(1).line, 3U);
  EXPECT_EQ(rows.place(1).file, "train.tsv");
}

TEST(ReadLabelledRows, RefusesAFileWithoutRows) {
  EXPECT_THAT(refusal_of_bytes("train.tsv", "sentence\tlabel\n"),
              AllOf(HasSubstr("'train.tsv'"), HasSubstr("no rows")));
}

TEST(ReadLabelledRows, RefusesTextThatIsNotUtf8NamingItsLine) {
  EXPECT_THAT(refusal_of_bytes("train.tsv", "sentence\tlabel\nrain\t1\ncaf\xe9\t0\n"),
              AllOf(HasSubstr("line 3 of 'train.tsv'"), HasSubstr("not UTF-8")));
}

TEST(ReadLabelledRows, RefusesAPairThatIsNotUtf8) {
  EXPECT_THAT(refusal_of_bytes("train.tsv", "text_a\ttext_b\tlabel\nrain\tcaf\xe9\t0\n"),
              AllOf(HasSubstr("line 2 of 'train.tsv'"), HasSubstr("the text is not UTF-8")));
}

TEST(ReadLabelledRows, RefusesALabelThatIsNotUtf8) {
  EXPECT_THAT(refusal_of_bytes("train.tsv", "sentence\tlabel\nrain\tcaf\xe9\n"),
              AllOf(HasSubstr("line 2 of 'train.tsv'"), HasSubstr("the label is not UTF-8")));
}

TEST(ReadLabelledRows, RefusesWordsAndTagsThatAreNotUtf8) {
  EXPECT_THAT(refusal_of_bytes("train.conll", "rain O\n\ncaf\xe9 O\n"),
              AllOf(HasSubstr("line 3 of 'train.conll'"), HasSubstr("the text is not UTF-8")));
  EXPECT_THAT(refusal_of_bytes("train.conll", "rain O\n\nrain B-caf\xe9\n"),
              AllOf(HasSubstr("line 3 of 'train.conll'"), HasSubstr("the label is not UTF-8")));
}

TEST(DistinctLabels, AreSortedByName) {
  EXPECT_THAT(distinct_labels(labelled({"pos", "neg", "pos", "10", "9"})),
              ElementsAre("10", "9", "neg", "pos"));
}

TEST(DistinctLabels, AreSortedByValueWhenAllAreWholeNumbers) {
  EXPECT_THAT(distinct_labels(labelled({"10", "9", "1", "9"})), ElementsAre("1", "9", "10"));
}

TEST(DistinctLabels, AreNoNumbersWhenOneHasASignOrAFraction) {
  EXPECT_THAT(distinct_labels(labelled({"10", "-1", "9"})), ElementsAre("-1", "10", "9"));
  EXPECT_THAT(distinct_labels(labelled({"10", "9.5"})), ElementsAre("10", "9.5"));
}

TEST(DistinctLabels, RefuseAnEmptyLabelNamingItsLine) {
  EXPECT_THAT(refusal_of([] {
                (void)distinct_labels(labelled({"pos", ""}));
              }),
              AllOf(HasSubstr("line 3 of 'train.tsv'"), HasSubstr("the label is empty")));
}

TEST(ListedLabels, AreFoundInJsonListsAndCommaLists) {
  EXPECT_THAT(listed_labels_in(labelled({R"(["late", "lost, stolen"])", " refund , late ", ""})),
              ElementsAre("late", "lost, stolen", "refund"));
}

TEST(ListedLabels, MayBeNone) {
  EXPECT_THAT(listed_labels_in(labelled({"", "[]", " "})), IsEmpty());
}

TEST(ListedLabels, RefuseAnEmptyOneNamingItsLine) {
  for (const char* cell : {"late,,lost", "late,", ",late", "late, ,lost", R"(["late",""])"}) {
    EXPECT_THAT(refusal_of([&] {
                  (void)listed_labels_in(labelled({"late", cell}));
                }),
                AllOf(HasSubstr("line 3 of 'train.tsv'"), HasSubstr("empty")))
        << cell;
  }
}

TEST(ListedLabels, RefuseAListThatIsNoJson) {
  EXPECT_THAT(refusal_of([] { (void)listed_labels_in(labelled({R"(["late")"})); }),
              HasSubstr("line 2 of 'train.tsv'"));
}

TEST(ToIob2, BeginsTheEntitiesOfIob1) {
  EXPECT_THAT(to_iob2({"I-PER", "I-PER", "O", "I-LOC"}),
              ElementsAre("B-PER", "I-PER", "O", "B-LOC"));
}

TEST(ToIob2, KeepsTwoEntitiesOfATypeSideBySideApart) {
  EXPECT_THAT(to_iob2({"I-PER", "B-PER", "I-PER"}), ElementsAre("B-PER", "B-PER", "I-PER"));
}

TEST(ToIob2, BeginsAnEntityOfAnotherTypeNextToOne) {
  EXPECT_THAT(to_iob2({"I-PER", "I-ORG", "I-ORG", "B-LOC", "I-PER"}),
              ElementsAre("B-PER", "B-ORG", "I-ORG", "B-LOC", "B-PER"));
}

TEST(ToIob2, KeepsIob2) {
  const Strings tags = {"B-PER", "I-PER", "O", "B-LOC", "B-LOC"};

  EXPECT_EQ(to_iob2(tags), tags);
}

TEST(ToIob2, BeginsEntitiesWithoutAType) {
  EXPECT_THAT(to_iob2({"I", "I", "O", "I"}), ElementsAre("B", "I", "O", "B"));
}

TEST(ToIob2, KeepsSchemesThatMarkEnds) {
  for (const Strings& tags : {Strings{"I-PER", "E-PER", "O", "S-LOC"},
                              Strings{"I-PER", "L-PER", "O", "U-LOC"}, Strings{"I-PER", "E-PER"}}) {
    EXPECT_EQ(to_iob2(tags), tags);
  }
}

TEST(ToIob2, KeepsTagsThatMarkNoEntities) {
  const Strings tags = {"NN", "VB", "I-PER", "IN"};

  EXPECT_EQ(to_iob2(tags), tags);
}

TEST(TagsIn, PutsOFirstAndBesideEachBeginItsInside) {
  EXPECT_THAT(tags_in(tagged({{"O", "B-PER", "I-PER"}, {"B-LOC", "I-LOC", "O"}})),
              ElementsAre("O", "B-LOC", "I-LOC", "B-PER", "I-PER"));
}

TEST(TagsIn, KeepsTypesTogetherWhenOneBeginsWithAnother) {
  EXPECT_THAT(tags_in(tagged({{"B-PER", "I-PER", "B-PERC", "I-PERC", "B-PERSON"}})),
              ElementsAre("B-PER", "I-PER", "B-PERC", "I-PERC", "B-PERSON"));
}

TEST(TagsIn, FindsTheIob2TagsOfIob1Data) {
  EXPECT_THAT(tags_in(tagged({{"I-PER", "I-PER", "O"}})), ElementsAre("O", "B-PER", "I-PER"));
}

TEST(TagsIn, SortsOtherTagsByName) {
  EXPECT_THAT(tags_in(tagged({{"VB", "NNP", "DT", "NN", "PRP"}})),
              ElementsAre("DT", "NN", "NNP", "PRP", "VB"));
}

}  // namespace
}  // namespace espalier::objective
