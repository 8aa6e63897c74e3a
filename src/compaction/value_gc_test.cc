#include "compaction/value_gc.h"

#include <gtest/gtest.h>

#include <memory>

namespace seerdb {
namespace {

constexpr uint64_t kHeader = kValueSegmentHeaderBytes;
using Segments = std::set<uint64_t>;
using Small = std::map<uint64_t, uint64_t>;

ValueGcFacts Facts(ValueBytesList files, ValueBytesList live) {
  ValueGcFacts facts;
  for (ValueBytes& file : files) file.bytes += kHeader;
  facts.files = std::move(files);
  facts.live = std::make_shared<const ValueBytesList>(std::move(live));
  return facts;
}

TEST(ValueGc, NothingIsEmptiedWhereNothingPointsToAnything) {
  ValueGcFacts facts = Facts({{1, 100}, {2, 100}}, {});
  EXPECT_TRUE(PlanValueGc(facts).segments.empty());
  facts.live = nullptr;
  const ValueGcPlan plan = PlanValueGc(facts);
  EXPECT_TRUE(plan.segments.empty());
  EXPECT_EQ(plan.total_bytes, 0u);
}

// What no table points to goes by itself, or belongs to a memtable.
TEST(ValueGc, SegmentsThatNoTablePointsIntoAreNoCandidates) {
  const ValueGcPlan plan = PlanValueGc(Facts({{1, 100}, {3, 100}, {5, 100}}, {{3, 1}, {4, 50}}));
  EXPECT_EQ(plan.segments, Segments{3});
  EXPECT_EQ(plan.total_bytes, 100u);
  EXPECT_EQ(plan.garbage_bytes, 99u);
  EXPECT_EQ(plan.live_bytes, 1u);
}

TEST(ValueGc, TheThresholdIsReachedByJustHalf) {
  EXPECT_EQ(PlanValueGc(Facts({{1, 100}, {2, 100}}, {{1, 50}, {2, 51}})).segments, Segments{1});
}

TEST(ValueGc, WhereSpaceIsShortASegmentWithMoreGarbageThanMostIsEmptied) {
  ValueGcFacts facts = Facts({{1, 100}, {2, 100}}, {{1, 80}, {2, 90}});
  EXPECT_TRUE(PlanValueGc(facts).segments.empty());
  facts.limited = true;
  EXPECT_EQ(PlanValueGc(facts).segments, Segments{1});
  facts = Facts({{1, 1600}, {2, 1600}}, {{1, 1501}, {2, 1501}});
  facts.limited = true;
  EXPECT_TRUE(PlanValueGc(facts).segments.empty()) << "less than a sixteenth";
}

// Moved values begin a segment: were its header garbage, they would be moved for ever.
TEST(ValueGc, ASegmentOfOneSmallValueHasNoGarbage) {
  for (const uint64_t bytes : {1, 64, 100, 1000}) {
    ValueGcFacts facts = Facts({{1, bytes}}, {{1, bytes}});
    facts.limited = true;
    const ValueGcPlan plan = PlanValueGc(facts);
    EXPECT_TRUE(plan.segments.empty()) << bytes;
    EXPECT_EQ(plan.total_garbage_bytes, 0u) << bytes;
  }
}

TEST(ValueGc, SmallSegmentsAreNamedIfTheirValuesCanBeMoved) {
  ValueGcFacts facts = Facts({{1, 99}, {2, 100}, {3, 50}, {4, 50}}, {{1, 90}, {2, 100}, {3, 50}});
  EXPECT_TRUE(PlanValueGc(facts).small.empty());
  facts.small_bytes = 100;
  EXPECT_EQ(PlanValueGc(facts).small, (Small{{1, 90}, {3, 50}})) << "nothing points into 4";
  facts.excluded = {1};
  EXPECT_EQ(PlanValueGc(facts).small, (Small{{3, 50}}));
}

TEST(ValueGc, ExcludedSegmentsCountAsGarbageAndStay) {
  ValueGcFacts facts = Facts({{1, 100}, {2, 100}}, {{1, 1}, {2, 1}});
  facts.excluded = {1};
  const ValueGcPlan plan = PlanValueGc(facts);
  EXPECT_EQ(plan.segments, Segments{2});
  EXPECT_EQ(plan.total_garbage_bytes, 198u);
}

TEST(ValueGc, TheMostGarbageGoesFirstAndAboutSoMuchIsMoved) {
  ValueGcFacts facts = Facts({{1, 100}, {2, 100}, {3, 100}, {4, 100}}, {{1, 40}, {2, 10}, {3, 30}, {4, 20}});
  facts.most_moved_bytes = 30;
  EXPECT_EQ(PlanValueGc(facts).segments, (Segments{2, 4}));
  facts.most_moved_bytes = 0;
  EXPECT_EQ(PlanValueGc(facts).segments, Segments{2}) << "at least one";
  facts.most_moved_bytes = UINT64_MAX;
  EXPECT_EQ(PlanValueGc(facts).segments, (Segments{1, 2, 3, 4}));
}

// A manifest may say more than its files hold, and a file be shorter than a header.
TEST(ValueGc, SumsAboveWhatIsThereAreNoGarbage) {
  ValueGcFacts facts = Facts({{1, 100}}, {{1, UINT64_MAX}});
  facts.limited = true;
  EXPECT_TRUE(PlanValueGc(facts).segments.empty());
  facts.files = {{1, 10}};
  facts.live = std::make_shared<const ValueBytesList>(ValueBytesList{{1, 500}});
  EXPECT_EQ(PlanValueGc(facts).total_bytes, 0u);
}

TEST(ValueGc, BytesInCountsOnlyTheSegmentsAskedFor) {
  const ValueBytesList list{{1, 10}, {2, 20}, {5, 50}};
  EXPECT_EQ(BytesIn(list, {}), 0u);
  EXPECT_EQ(BytesIn(list, {2, 5, 7}), 70u);
}

}  // namespace
}  // namespace seerdb
