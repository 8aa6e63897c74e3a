#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "btree_fences.h"
#include "key_sets.h"
#include "study_indexes.h"
#include "study_kinds.h"
#include "study_measure.h"

namespace seerdb::bench {
namespace {

std::vector<uint64_t> SomeWindows(size_t count, uint64_t step, Rng* rng) {
  std::vector<uint64_t> windows(count);
  for (uint64_t& window : windows) window = step == 0 ? rng->Next() : rng->Below(step);
  std::sort(windows.begin(), windows.end());
  return windows;
}

TEST(BtreeFencesTest, BracketsHoldForAnyWindow) {
  Rng rng(1);
  for (const size_t count : {1, 2, 7, 8, 9, 63, 64, 65, 72, 73, 575, 576, 577, 648, 649, 10'000}) {
    for (const uint32_t spacing : {1u, 3u, 8u}) {
      for (const uint64_t step : {uint64_t{0}, uint64_t{4}, uint64_t{20'000}}) {
        SCOPED_TRACE(testing::Message() << count << " windows, spacing " << spacing << ", below " << step);
        std::vector<uint64_t> windows = SomeWindows(count, step, &rng);
        if (step == 4) windows.back() = UINT64_MAX;
        const BtreeFences fences(windows, spacing);
        ASSERT_TRUE(fences.IsOf(count));
        std::vector<uint64_t> asked = windows;
        for (const uint64_t window : windows) {
          asked.push_back(window + 1);
          asked.push_back(window - 1);
        }
        for (const uint64_t window : asked) {
          const auto rank = std::lower_bound(windows.begin(), windows.end(), window) - windows.begin();
          const ApproxRange range = fences.Find(window);
          ASSERT_LE(range.lo, rank) << window;
          ASSERT_GE(range.hi, rank) << window;
          ASSERT_LE(range.hi - range.lo, spacing - 1) << window;
        }
      }
    }
  }
  EXPECT_TRUE(BtreeFences(std::vector<uint64_t>(), 8).empty());
}

StudyPlan SmallPlan() {
  StudyPlan plan;
  plan.probes = 1'000;
  plan.rounds = 2;
  plan.cold_rounds = 1;
  plan.cold_groups = 2;
  return plan;
}

TEST(StudyTest, EveryKindAnswersEverySetRightly) {
  Eviction eviction(4096);
  for (const std::string& name : KeySetNames()) {
    for (const size_t size : {size_t{1}, size_t{2'000}}) {
      SCOPED_TRACE(name + " " + std::to_string(size));
      const KeySet set = MakeKeySet(name, size, 1, KeySources::Nowhere());
      const SortedKeys keys(set.keys);
      const auto subjects = MakeIndexSubjects(&keys);
      Rng rng(1);
      const auto results = StudyRun(SmallPlan(), set.keys, &rng, &eviction).Measure(subjects);
      ASSERT_EQ(results.size(), subjects.size());
      for (size_t i = 0; i < subjects.size(); ++i) {
        SCOPED_TRACE(subjects[i]->name());
        EXPECT_EQ(results[i].wrong, 0u);
        EXPECT_EQ(results[i].build_ns.size(), 2u);
        const nlohmann::json json = ResultJson(results[i], SmallPlan(), subjects[i]->Facts()["learned"]);
        EXPECT_EQ(json["ns"]["hit"]["warm"]["rounds"].size(), 2u);
        EXPECT_EQ(json["ns"]["miss"]["cold"]["rounds"].size(), 1u);
        EXPECT_EQ(json["ns"].contains("lower_bound"), subjects[i]->Can(Operation::kLowerBound));
        EXPECT_EQ(json.contains("fallback_share"), subjects[i]->Facts()["learned"] == true);
        EXPECT_EQ(subjects[i]->Facts().contains("max_error"), subjects[i]->Facts()["learned"] == true);
      }
    }
  }
}

// Says that everything is at rank 0.
class Liar {
 public:
  static constexpr bool kLearned = true;
  static constexpr bool kOrdered = true;
  static std::string Name() { return "liar"; }
  explicit Liar(const SortedKeys&) {}
  size_t memory_bytes() const { return 0; }
  IndexAnswer LowerBound(Slice) const { return {0, false}; }
  IndexAnswer Get(Slice) const { return {0, false}; }
};

TEST(StudyTest, WrongAnswersAndFailedBracketsAreCounted) {
  const KeySet set = MakeKeySet("uniform64", 1'000, 1, KeySources::Nowhere());
  const SortedKeys keys(set.keys);
  std::vector<std::unique_ptr<Subject>> subjects;
  subjects.push_back(std::make_unique<IndexSubject<Liar>>(&keys));
  Rng rng(1);
  Eviction eviction(4096);
  const StudyPlan plan = SmallPlan();
  const auto results = StudyRun(plan, set.keys, &rng, &eviction).Measure(subjects);
  EXPECT_GT(results[0].wrong, 2'900u);
  const nlohmann::json json = ResultJson(results[0], plan, true);
  for (const Operation operation : kOperations) {
    EXPECT_EQ(json["fallback_share"][OperationName(operation)], 1.0);
  }
}

// A model that is wrong about every window.
struct WrongModel {
  struct Model {
    bool IsOf(size_t) const { return true; }
    ApproxRange Find(uint64_t) const { return {}; }
    size_t memory_bytes() const { return 8; }
  };
  static constexpr bool kLearned = true;
  static std::string Name() { return "wrong"; }
  static Model Build(std::span<const uint64_t>) { return {}; }
};

TEST(StudyTest, AWrongModelCostsTimeAndNoAnswer) {
  const KeySet set = MakeKeySet("lognormal64", 1'000, 1, KeySources::Nowhere());
  const SortedKeys keys(set.keys);
  const ModelIndex<WrongModel, WindowsFrom::kKeys> index(keys);
  EXPECT_TRUE(index.kLearned);
  for (size_t rank = 1; rank < keys.size(); ++rank) {
    EXPECT_EQ(index.Get(keys[rank]).rank, rank);
    EXPECT_FALSE(index.Get(keys[rank]).bracketed);
  }
}

TEST(ProbesTest, AnswersAreThoseOfTheKeys) {
  const KeySet set = MakeKeySet("words", 2'000, 1, KeySources::Nowhere());
  Rng rng(1);
  for (const Operation operation : kOperations) {
    SCOPED_TRACE(OperationName(operation));
    const Probes probes(operation, set.keys, 1'000, &rng);
    ASSERT_EQ(probes.size(), 1'000u);
    uint64_t present = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < probes.size(); ++i) {
      const std::string key(probes[i]);
      const bool there = std::binary_search(set.keys.begin(), set.keys.end(), key);
      present += there ? 1 : 0;
      sum += probes.answer(i);
      if (operation == Operation::kMiss) {
        EXPECT_EQ(probes.answer(i), kAbsent);
      } else {
        EXPECT_EQ(probes.answer(i),
                  std::lower_bound(set.keys.begin(), set.keys.end(), key) - set.keys.begin());
      }
    }
    EXPECT_EQ(sum, probes.SumOfAnswers(0, probes.size()));
    EXPECT_EQ(present, operation == Operation::kHit ? 1'000u : operation == Operation::kMiss ? 0u : 500u);
  }
}

TEST(RoundsJsonTest, HasTheQuartiles) {
  const nlohmann::json json = RoundsJson({4, 1, 3, 2, 5});
  EXPECT_EQ(json["quartiles"], (std::vector<double>{2, 3, 4}));
  EXPECT_EQ(json["rounds"][0], 4);
  EXPECT_EQ(RoundsJson({7})["quartiles"], (std::vector<double>{7, 7, 7}));
}

TEST(EvictionTest, SaysWhatItWalks) {
  Eviction eviction(size_t{1} << 20);
  eviction.Evict();
  EXPECT_EQ(eviction.Facts()["walked_bytes"], 1 << 20);
  EXPECT_TRUE(eviction.Facts()["trials"].empty());
}

}  // namespace
}  // namespace seerdb::bench
