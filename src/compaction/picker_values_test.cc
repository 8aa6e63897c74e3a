// What the picker does about value segments.
#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "compaction/picker_test_util.h"
#include "compaction/rewrite_picker.h"

namespace seerdb {
namespace {

using Values = std::map<uint64_t, ValueBytesList>;  // by table

VersionPtr WithValues(const VersionPtr& tree, const Values& values) {
  std::vector<Level> levels = tree->levels();
  for (Level& level : levels) {
    for (Run& run : level.runs) {
      for (TableMetaPtr& table : run.tables) {
        const auto found = values.find(table->number);
        if (found == values.end()) continue;
        auto meta = std::make_shared<TableMeta>(*table);
        meta->values = found->second;
        table = std::move(meta);
      }
    }
  }
  return std::make_shared<const Version>(std::move(levels));
}

// `count` segments from `first` on, with 100 bytes in each.
ValueBytesList Each(uint64_t first, uint64_t count) {
  ValueBytesList list;
  for (uint64_t i = 0; i < count; ++i) list.push_back({first + i, 100});
  return list;
}

// All segments are small.
PickContext SmallTree(const VersionPtr& version) {
  PickContext context;
  for (const ValueBytes& values : *version->values()) {
    context.values.small.emplace(values.segment, values.bytes);
  }
  return context;
}

// The segment has much garbage.
PickContext Emptying(uint64_t segment) {
  PickContext context;
  context.values.segments = {segment};
  context.values.garbage_bytes = 10'000;
  return context;
}

// What jobs make of tables and of the segments they point into.
struct Database {
  VersionPtr tree;
  Values values;
  std::map<uint64_t, uint64_t> files;  // bytes of values, dead ones among them
  uint64_t next = 1000;
  uint64_t small_bytes = 1000;
  uint64_t moved_bytes = 0;

  VersionPtr version() const { return WithValues(tree, values); }
  uint64_t references() const {
    uint64_t sum = 0;
    for (const auto& [table, list] : values) sum += list.size();
    return sum;
  }
  // All values that a plan moves go to one segment; what nothing points into goes.
  void Run(const CompactionPlan& plan, std::set<uint64_t> moved_from) {
    moved_from.insert(plan.gathers.begin(), plan.gathers.end());
    const uint64_t segment = next++;
    for (const CompactionPlan::Input& input : plan.inputs) {
      ValueBytesList& list = values[input.table->number];
      uint64_t moved = 0;
      std::erase_if(list, [&](const ValueBytes& one) {
        if (!moved_from.contains(one.segment)) return false;
        moved += one.bytes;
        return true;
      });
      if (moved > 0) list.push_back({segment, moved});
      files[segment] += moved;
      moved_bytes += moved;
    }
    std::set<uint64_t> live;
    const VersionPtr now = version();
    for (const ValueBytes& one : *now->values()) live.insert(one.segment);
    std::erase_if(files, [&](const auto& file) { return !live.contains(file.first); });
  }
  ValueGcPlan Plan(bool limited) const {
    ValueGcFacts facts;
    for (const auto& [segment, bytes] : files) {
      facts.files.push_back({segment, bytes + kValueSegmentHeaderBytes});
    }
    facts.live = version()->values();
    facts.limited = limited;
    facts.small_bytes = small_bytes;
    return PlanValueGc(facts);
  }
};

constexpr uint64_t kLeast = RewritePicker::kLeastGathered;

PickerOptions NothingElseDue() {
  PickerOptions options = Shaped(CompactionPolicy::kLeveled);
  options.base_level_size = 10'000;
  return options;
}

TEST(CompactionPicker, WhereTheTableWithMostValuesIsBusyAnotherGivesUpItsOwn) {
  const PickerOptions options = NothingElseDue();
  const VersionPtr version =
      WithValues(Tree({"", "1:a-c 2:d-f 3:g-i"}), {{1, {{7, 500}}}, {2, {{7, 900}}}, {3, {{7, 100}}}});
  PickContext context = Emptying(7);
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L1:1 L1:2 L1:3 -> L1");
  context.unavailable = {2};
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L1:1 -> L1");
  context.unavailable = {1, 2};
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L1:3 -> L1");
  context.unavailable = {1, 2, 3};
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "none");
}

TEST(CompactionPicker, NeighboursBetweenWhichAJobWritesAreNotWrittenAnewAsOne) {
  const PickerOptions options = NothingElseDue();
  const VersionPtr version =
      WithValues(Tree({"", "1:a-b 2:f-g 3:h-i"}), {{1, {{7, 500}}}, {2, {{7, 900}}}, {3, {{7, 100}}}});
  PickContext context = Emptying(7);
  const KeyRange between{"c", "e", false};
  context.running = {{1, kFirstRun, between}};
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L1:2 L1:3 -> L1");
  context.running.front().run = kFirstRun + 1;
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L1:1 L1:2 L1:3 -> L1");
  context.running = {{2, kFirstRun, between}};
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L1:1 L1:2 L1:3 -> L1");
}

// In L0 a table can be picked only with all that it must sink with.
TEST(CompactionPicker, WhereTheTableWithMostValuesCannotBeWrittenAnewAnotherIs) {
  PickerOptions options = NothingElseDue();
  options.l0_compaction_trigger = 10;
  const VersionPtr version = WithValues(Tree({"1:a-c 2:a-c", "3:g-i"}), {{2, {{7, 900}}}, {3, {{7, 100}}}});
  PickContext context = Emptying(7);
  context.unavailable = {1};
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L1:3 -> L1");
}

TEST(CompactionPicker, WhatATableHasInManySmallSegmentsIsPutTogether) {
  PickerOptions options = NothingElseDue();
  const VersionPtr tree = Tree({"", "1:a-c 2:d-f"});
  const VersionPtr few = WithValues(tree, {{1, Each(10, kLeast - 1)}, {2, Each(30, kLeast - 1)}});
  EXPECT_EQ(Show(PickCompaction(options, *few, SmallTree(few))), "none");
  const VersionPtr many = WithValues(tree, {{1, Each(10, kLeast - 1)}, {2, Each(30, kLeast)}});
  PickContext context = SmallTree(many);
  const auto plan = PickCompaction(options, *many, context);
  EXPECT_EQ(Show(plan), "merge L1:2 -> L1");
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->for_values);
  EXPECT_EQ(plan->gathers.size(), kLeast);
  context.unavailable = {2};
  EXPECT_EQ(Show(PickCompaction(options, *many, context)), "none");
  context = SmallTree(many);
  context.values.small.erase(30);
  EXPECT_EQ(Show(PickCompaction(options, *many, context)), "none") << "large, or damaged";
  options.merge_bytes = 100 * kLeast - 1;
  EXPECT_EQ(Show(PickCompaction(options, *many, SmallTree(many))), "none") << "more than a job may take";
}

TEST(CompactionPicker, TheTableThatMostFilesGoWithIsFirst) {
  const VersionPtr version =
      WithValues(Tree({"", "1:a-c 2:d-f 3:g-i"}), {{1, Each(10, 9)}, {2, Each(30, 12)}, {3, Each(50, 11)}});
  EXPECT_EQ(Show(PickCompaction(NothingElseDue(), *version, SmallTree(version))), "merge L1:2 -> L1");
}

TEST(CompactionPicker, WhereSpaceIsShortSmallSegmentsCountThatNoOtherTableNeeds) {
  const VersionPtr tree = Tree({"", "1:a-c 2:d-f"});
  const auto shown = [&](uint64_t count, bool too_much_space) {
    const VersionPtr version = WithValues(tree, {{1, Each(10, count)}, {2, {{10, 1}}}});
    PickContext context = SmallTree(version);
    context.too_much_space = too_much_space;
    return Show(PickCompaction(NothingElseDue(), *version, context));
  };
  EXPECT_EQ(shown(kLeast, true), "none") << "10 would stay for the sake of 2, beside a copy";
  EXPECT_EQ(shown(kLeast + 1, true), "merge L1:1 -> L1");
  EXPECT_EQ(shown(kLeast + 1, false), "merge L1:1 -> L1");
}

// As many segments as tables are what would come of it.
TEST(CompactionPicker, SmallSegmentsThatMostTablesPointIntoAreLeftWhereTheyAre) {
  const VersionPtr tree = Tree({"", "1:a-c 2:d-f 3:g-i 4:j-l"});
  const auto shown = [&](uint64_t count) {
    Values values;
    for (uint64_t table = 1; table <= 4; ++table) values[table] = Each(10, count);
    const VersionPtr version = WithValues(tree, values);
    return Show(PickCompaction(NothingElseDue(), *version, SmallTree(version)));
  };
  EXPECT_EQ(shown(4 * kLeast - 1), "none");
  EXPECT_EQ(shown(4 * kLeast), "merge L1:1 -> L1");
}

// What does not fit, or has grown already, is not in the way of those behind it.
TEST(CompactionPicker, AGrownSegmentIsLeftUntilTheSmallOnesAreAsMuch) {
  PickerOptions options = NothingElseDue();
  const auto gathered = [&](uint64_t grown_bytes) {
    ValueBytesList list = Each(11, kLeast);
    list.insert(list.begin(), {10, grown_bytes});
    const VersionPtr version = WithValues(Tree({"", "1:a-c"}), {{1, list}});
    const auto plan = PickCompaction(options, *version, SmallTree(version));
    return plan ? plan->gathers.size() : 0;
  };
  EXPECT_EQ(gathered(100 * kLeast), kLeast + 1);
  EXPECT_EQ(gathered(100 * kLeast + 1), kLeast);
  options.merge_bytes = 100 * kLeast;
  EXPECT_EQ(gathered(100 * kLeast), kLeast);
}

// Segments keep coming, as from flushes of few values: no value is moved more often than what it lies in can
// double, and few segments are left.
TEST(CompactionPicker, AValueIsMovedAsOftenAsItsSegmentCanDouble) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    constexpr uint64_t kLeastBytes = 50;
    Database database;
    database.tree = Tree({"", "1:a-c"});
    database.small_bytes = uint64_t{1} << 40;
    uint64_t bytes = 0;
    for (int i = 0; i < 1000; ++i) {
      const uint64_t segment = database.next++;
      const uint64_t more = kLeastBytes + random.Uniform(kLeastBytes);
      bytes += more;
      database.values[1].push_back({segment, more});
      database.files[segment] = more;
      PickContext context;
      context.values = database.Plan(false);
      const VersionPtr version = database.version();
      if (const auto plan = PickCompaction(NothingElseDue(), *version, context)) database.Run(*plan, {});
    }
    const auto doublings = static_cast<uint64_t>(std::bit_width(bytes / kLeastBytes));
    EXPECT_GT(database.moved_bytes, 0u);
    EXPECT_LE(database.moved_bytes, bytes * doublings);
    EXPECT_LE(database.files.size(), kLeast + doublings);
  }
}

// In L0 all that are tried must take along what is busy.
TEST(CompactionPicker, HoweverManyTablesCannotBeWrittenAnewOneBelowIs) {
  PickerOptions options = NothingElseDue();
  options.l0_compaction_trigger = 100;
  constexpr uint64_t kInL0 = 30;
  std::string level0 = "1:a-c";
  Values values = {{kInL0 + 1, {{7, 100}}}};
  for (uint64_t table = 2; table <= kInL0; ++table) {
    level0 += " " + std::to_string(table) + ":a-c";
    values[table] = {{7, 900}};
  }
  const VersionPtr version = WithValues(Tree({level0, std::to_string(kInL0 + 1) + ":g-i"}), values);
  PickContext context;
  context.values.segments = {7};
  context.values.garbage_bytes = 100'000;
  context.unavailable = {1};
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L1:31 -> L1");
}

// However values lie in segments, all that is done about it comes to an end: no job is picked for what an
// earlier one has brought about.
TEST(CompactionPicker, CollectingAndPuttingTogetherComesToAnEndWithFewerSegments) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const bool limited = seed % 2 == 0;
    const uint64_t tables = 1 + seed % 4;  // that point into the same segments
    const uint64_t most_garbage = seed % 3 == 0 ? 1 : 200;
    Database database;
    database.tree = Tree({"", "1:a-c 2:d-f 3:g-i 4:j-l"});
    for (uint64_t segment = 100; segment < 180; ++segment) {
      for (uint64_t table = 1; table <= tables; ++table) {
        if (!random.OneIn(2)) continue;
        const uint64_t bytes = 1 + random.Uniform(100);
        database.values[table].push_back({segment, bytes});
        database.files[segment] += bytes;
      }
      if (database.files.contains(segment)) database.files[segment] += random.Uniform(most_garbage);
    }
    const size_t segments = database.files.size();
    const uint64_t references = database.references();
    const uint64_t live_bytes = database.version()->value_bytes();
    uint64_t jobs = 0;
    while (true) {
      PickContext context;
      context.values = database.Plan(limited);
      context.too_much_space = limited;
      const VersionPtr version = database.version();
      const auto plan = PickCompaction(NothingElseDue(), *version, context);
      if (!plan) break;
      ASSERT_LE(++jobs, references / 2);
      database.Run(*plan, context.values.segments);
    }
    EXPECT_EQ(database.version()->value_bytes(), live_bytes);
    EXPECT_LT(database.files.size(), segments);
    if (tables == 1) {
      EXPECT_LT(database.files.size(), kLeast);
    }
  }
}

}  // namespace
}  // namespace seerdb
