#include "tests/transaction/serial_checker.h"

#include <gtest/gtest.h>

namespace seerdb::testing {
namespace {

using T = CheckedTransaction;
using History = std::vector<CheckedTransaction>;

TEST(SerialChecker, HistoriesInOrderHaveNoCycle) {
  EXPECT_TRUE(CheckSerial({}).serializable());
  const History history = {T{1, {{1, 0}}, {{1, 10}}}, T{2, {{1, 10}}, {{1, 11}, {2, 20}}},
                           T{3, {{2, 20}, {1, 11}}, {{3, 30}}}, T{0, {{3, 0}, {2, 20}}, {}}};
  const SerialVerdict verdict = CheckSerial(history);
  EXPECT_TRUE(verdict.serializable()) << verdict.malformed;
  // Two ww or wr of key 1 (twice), wr of 2 and 1 to the third, wr of 2 to the fourth and its rw to the third.
  EXPECT_EQ(verdict.edges, 6u);
}

TEST(SerialChecker, ALostUpdateIsACycle) {
  const SerialVerdict verdict = CheckSerial({T{1, {{1, 0}}, {{1, 10}}}, T{2, {{1, 0}}, {{1, 11}}}});
  EXPECT_EQ(verdict.cycle.size(), 2u);
}

TEST(SerialChecker, WriteSkewIsACycleOfAntiDependencies) {
  const SerialVerdict verdict =
      CheckSerial({T{1, {{1, 0}, {2, 0}}, {{1, 10}}}, T{2, {{1, 0}, {2, 0}}, {{2, 20}}}});
  EXPECT_EQ(verdict.cycle.size(), 2u);
}

// Each reads what the next writes; of three, and through one that does not take part.
TEST(SerialChecker, LongCyclesAreFound) {
  const History history = {T{5, {{9, 0}}, {{8, 80}}}, T{1, {{2, 0}}, {{1, 10}}}, T{2, {{3, 0}}, {{2, 20}}},
                           T{3, {{1, 0}, {8, 0}}, {{3, 30}}}};
  const SerialVerdict verdict = CheckSerial(history);
  EXPECT_EQ(verdict.cycle.size(), 3u);
  for (const size_t member : verdict.cycle) EXPECT_NE(member, 0u);
}

// The reader sees the deposit and not the withdrawal, which did not see the deposit.
TEST(SerialChecker, TheReadOnlyAnomalyIsACycle) {
  const T deposit{1, {{1, 0}}, {{1, 10}}};
  const T withdrawal{2, {{1, 0}, {2, 0}}, {{2, 20}}};
  const T report{0, {{1, 10}, {2, 0}}, {}};
  EXPECT_TRUE(CheckSerial({deposit, withdrawal}).serializable());
  EXPECT_EQ(CheckSerial({deposit, withdrawal, report}).cycle.size(), 3u);
}

TEST(SerialChecker, AReadOfWhatNobodyWroteIsMalformed) {
  EXPECT_EQ(CheckSerial({T{0, {{1, 7}}, {}}}).malformed, "version 7 of key 1 was read, and nobody wrote it");
  EXPECT_EQ(CheckSerial({T{1, {}, {{1, 7}}}, T{2, {}, {{1, 7}}}}).malformed,
            "version 7 of key 1 was written twice");
}

}  // namespace
}  // namespace seerdb::testing
