// The entities of CoNLL-2003 (IOB1) and WNUT-17 (IOB2), against published and independent counts.
#include <gtest/gtest.h>

#include "data/reader.hpp"
#include "measure/entities.hpp"
#include "tests/support/real_data.hpp"

namespace espalier::measure {
namespace {

/// Scores a file's tags against themselves, so that all counts must agree.
EntityScorer score_file(const char* name) {
  const auto reader = data::Reader::open(espalier::testing::real_data() / "data/ner" / name);
  EntityScorer scorer;
  data::Row row;
  while (reader->next(row)) {
    const std::vector<std::string_view> tags(row.tags.begin(), row.tags.end());
    scorer.add(tags, tags);
  }
  return scorer;
}

TEST(RealEntities, OfConll2003AreAsManyAsPublished) {
  ESPALIER_NEEDS_REAL_DATA();
  // Tjong Kim Sang and De Meulder 2003, table 2: named entities of each type.
  struct Published {
    const char* name;
    std::size_t n_location, n_miscellaneous, n_organization, n_person;
  };
  for (const Published& file : {Published{"conll2003/eng.train", 7140, 3438, 6321, 6600},
                                Published{"conll2003/eng.testa", 1837, 922, 1341, 1842},
                                Published{"conll2003/eng.testb", 1668, 702, 1661, 1617}}) {
    SCOPED_TRACE(file.name);

    const EntityScorer scorer = score_file(file.name);

    EXPECT_EQ(scorer.by_type().at("LOC").gold, file.n_location);
    EXPECT_EQ(scorer.by_type().at("MISC").gold, file.n_miscellaneous);
    EXPECT_EQ(scorer.by_type().at("ORG").gold, file.n_organization);
    EXPECT_EQ(scorer.by_type().at("PER").gold, file.n_person);
    EXPECT_EQ(scorer.all().correct, scorer.all().gold);
    EXPECT_EQ(scorer.all().f1(), 100.0);
  }
}

TEST(RealEntities, OfWnut17AreItsTagsThatStartWithB) {
  ESPALIER_NEEDS_REAL_DATA();

  // IOB2: grep -c $'\tB-' says so.
  EXPECT_EQ(score_file("wnut17/train.conll").all().gold, 1975u);
  EXPECT_EQ(score_file("wnut17/dev.conll").all().gold, 836u);
  EXPECT_EQ(score_file("wnut17/test.conll").all().gold, 1079u);
}

}  // namespace
}  // namespace espalier::measure
