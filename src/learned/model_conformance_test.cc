// Conformance of every kind of RankModel: whatever the windows, its bracket holds the lower bound of any
// window, and a search with it answers like std::lower_bound and std::upper_bound.
//
// SEERDB_MODEL_PROBES=10000000 makes so many probes for each kind over larger sets; SEERDB_SEED repeats a
// run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "learned/alex_model.h"
#include "learned/bracket_search.h"
#include "learned/optimal_pla.h"
#include "learned/pgm_model.h"
#include "learned/pla_builder.h"
#include "learned/radix_spline.h"
#include "learned/rank_model.h"

namespace seerdb {
namespace {

using Windows = std::vector<uint64_t>;

// Brackets everything: searching with it is plain binary search.
class WholeRange {
 public:
  explicit WholeRange(uint32_t ranks = 0) : ranks_(ranks) {}

  bool empty() const { return ranks_ == 0; }
  bool IsOf(size_t count) const { return !empty() && ranks_ == count; }
  uint32_t ranks() const { return ranks_; }
  uint32_t max_error() const { return ranks_; }
  ApproxRange Find(uint64_t) const { return RangeAround(ranks_ / 2, ranks_, ranks_); }
  size_t memory_bytes() const { return 0; }

 private:
  uint32_t ranks_;
};

class WholeRangeBuilder {
 public:
  explicit WholeRangeBuilder(uint32_t) {}
  void Add(uint64_t) { ++ranks_; }
  WholeRange Finish() { return WholeRange(ranks_); }

 private:
  uint32_t ranks_ = 0;
};

// An AlexModel is made of all windows at once, and has no epsilon.
class AlexBuilder {
 public:
  explicit AlexBuilder(uint32_t) {}
  void Add(uint64_t window) { windows_.push_back(window); }
  AlexModel Finish() { return AlexModel::Build(windows_); }

 private:
  Windows windows_;
};

// A name as an argument of a template.
struct Name {
  template <size_t N>
  constexpr Name(const char (&literal)[N]) {  // NOLINT: a literal is a name
    static_assert(N <= sizeof text);
    for (size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
  char text[24] = {};
};

// A kind whose models are made by a builder with an epsilon, Add and Finish.
template <Name kName, typename Builder>
struct BuiltBy {
  static std::string KindName() { return kName.text; }
  static auto Build(const Windows& windows, uint32_t epsilon) {
    Builder builder(epsilon);
    for (const uint64_t window : windows) builder.Add(window);
    return builder.Finish();
  }
};

// A kind is one line here.
using Kinds = ::testing::Types<                  //
    BuiltBy<"Alex", AlexBuilder>,                //
    BuiltBy<"BinarySearch", WholeRangeBuilder>,  //
    BuiltBy<"GreedyPla", PlaBuilder>,            //
    BuiltBy<"OptimalPla", OptimalPlaBuilder>,    //
    BuiltBy<"Pgm", PgmBuilder>,                  //
    BuiltBy<"RadixSpline", RadixSplineBuilder>>;

uint64_t EnvironmentNumber(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct WindowSet {
  const char* name;
  Windows windows;  // ascending
};

double Normal(Random* random) {
  const double u = 1 - random->NextDouble();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * random->NextDouble());
}

// Of distributions.
void AddDrawnSets(Random* random, uint64_t n, std::vector<WindowSet>* sets) {
  const auto add = [&](const char* name, const auto& make) {
    WindowSet set{name, {}};
    for (uint64_t i = 0; i < n; ++i) set.windows.push_back(make(i));
    sets->push_back(std::move(set));
  };
  add("uniform", [&](uint64_t) { return random->Next(); });
  add("uniform, dense", [&](uint64_t) { return random->Uniform(2 * n); });
  add("lognormal", [&](uint64_t) { return static_cast<uint64_t>(std::exp(2 * Normal(random)) * 1e9); });
  Windows centers;
  for (int i = 0; i < 50; ++i) centers.push_back(random->Next());
  add("clustered", [&](uint64_t) { return centers[random->Uniform(50)] + random->Uniform(n / 20 + 1); });
  add("two far clusters",
      [&](uint64_t i) { return (i % 2 == 0 ? 0 : UINT64_MAX - 10 * n) + random->Uniform(10 * n); });
  add("few values", [&](uint64_t) { return random->Uniform(8) << 40; });
  add("runs of equal ones", [&](uint64_t) { return random->Uniform(n / 30 + 1) * 977; });
  add("runs side by side", [&](uint64_t) { return random->Uniform(n / 30 + 1); });
  add("skewed runs", [&](uint64_t) { return random->Uniform(1 + random->Uniform(1 + random->Uniform(n))); });
  uint64_t clock = 1'700'000'000'000'000;
  add("timestamps", [&](uint64_t) {
    return clock += random->OneIn(500) ? random->Uniform(60'000'000'000) : random->Uniform(2'000);
  });
  add("uuid", [&](uint64_t) { return (random->Next() & ~uint64_t{0xf000}) | 0x4000; });
  add("tenant and time",
      [&](uint64_t) { return random->Uniform(12) << 48 | (1'700'000'000'000 + random->Uniform(1 << 20)); });
  add("gaps of all sizes",
      [&](uint64_t i) { return i % 2 == 0 ? i : (uint64_t{1} << random->Uniform(64)) + random->Uniform(4); });
}

// Of rules.
void AddDrilledSets(uint64_t n, std::vector<WindowSet>* sets) {
  const auto add = [&](const char* name, const auto& make) {
    WindowSet set{name, {}};
    for (uint64_t i = 0; i < n; ++i) set.windows.push_back(make(i));
    sets->push_back(std::move(set));
  };
  add("sequential", [](uint64_t i) { return i; });
  add("sequential, sparse", [&](uint64_t i) { return 12345 + i * (UINT64_MAX / (n + 1)); });
  add("up to the greatest", [](uint64_t i) { return UINT64_MAX - i; });
  add("all equal", [](uint64_t) { return uint64_t{1} << 33; });
  add("all zero", [](uint64_t) { return uint64_t{0}; });
  add("all greatest", [](uint64_t) { return UINT64_MAX; });
  add("least and greatest", [](uint64_t i) { return i % 2 == 0 ? 0 : UINT64_MAX; });
  add("powers of two", [](uint64_t i) { return (uint64_t{1} << i % 64) + i / 64 % 3 - 1; });
  add("powers of two, once", [](uint64_t i) { return uint64_t{1} << i % 64; });
  add("steps", [](uint64_t i) { return i / 100 * 1'000'000 + i % 100; });
  add("steps that grow", [](uint64_t i) { return (i / 64) * (i / 64) * (i / 64) * 4096 + i % 64; });
  add("squares", [](uint64_t i) { return i * i; });
  add("roots", [](uint64_t i) { return static_cast<uint64_t>(std::sqrt(static_cast<double>(i)) * 1e6); });
  sets->push_back({"none", {}});
  sets->push_back({"one", {7}});
  sets->push_back({"zero", {0}});
  sets->push_back({"the greatest", {UINT64_MAX}});
  sets->push_back({"two", {5, 6}});
  sets->push_back({"the ends", {0, UINT64_MAX}});
}

std::vector<WindowSet> WindowSets(Random* random, uint64_t n) {
  std::vector<WindowSet> sets;
  AddDrawnSets(random, n, &sets);
  AddDrilledSets(n, &sets);
  for (WindowSet& set : sets) std::sort(set.windows.begin(), set.windows.end());
  return sets;
}

// Every window and its neighbours, then `drawn` windows: any, between the first and the last, near one.
Windows Probes(const Windows& windows, size_t drawn, Random* random) {
  Windows probes = {0, 1, UINT64_MAX - 1, UINT64_MAX};
  for (const uint64_t window : windows) probes.insert(probes.end(), {window - 1, window, window + 1});
  for (size_t i = 0; i < drawn; ++i) {
    if (i % 3 == 0 || windows.empty()) {
      probes.push_back(random->Next());
    } else if (i % 3 == 1) {
      const uint64_t span = windows.back() - windows.front();
      probes.push_back(windows.front() + (span == UINT64_MAX ? random->Next() : random->Uniform(span + 1)));
    } else {
      const uint64_t step = uint64_t{1} << random->Uniform(63);
      const uint64_t window = windows[random->Uniform(windows.size())];
      probes.push_back(random->OneIn(2) ? window + step : window - step);
    }
  }
  return probes;
}

struct Tally {
  uint64_t probes = 0;
  uint64_t wrong_answers = 0;
  uint64_t broken_brackets = 0;
};

template <typename Kind>
class ModelConformanceTest : public ::testing::Test {
 protected:
  ModelConformanceTest() : wanted_(EnvironmentNumber("SEERDB_MODEL_PROBES", 0)), random_(Seed()) {}

  static uint64_t Seed() {
    const uint64_t seed = EnvironmentNumber("SEERDB_SEED", SystemSeed() >> 16);
    std::printf("SEERDB_SEED=%llu\n", static_cast<unsigned long long>(seed));
    return seed;
  }
  uint64_t SetSize() const { return wanted_ == 0 ? 1500 : 20'000; }

  // Searches `windows` with a model that was built over them (`own`), or over as many others.
  template <RankModel Model>
  void Search(const Model& model, const Windows& windows, const Windows& probes, bool own) {
    const auto search = [&](uint64_t probe, bool past_equal) {
      return BracketSearch(
          model, windows.size(), probe, [&](size_t i) { return windows[i]; },
          [&](size_t) { return past_equal; });
    };
    for (const uint64_t probe : probes) {
      const auto [first, last] = std::equal_range(windows.begin(), windows.end(), probe);
      const auto lower = static_cast<size_t>(first - windows.begin());
      const auto upper = static_cast<size_t>(last - windows.begin());
      const BracketResult found = search(probe, false);
      bool right = found.rank == lower && search(probe, true).rank == upper;
      bool holds = true;
      if (!model.empty()) {
        const ApproxRange range = model.Find(probe);
        right = right && range.lo <= range.pos && range.pos <= range.hi && range.hi <= model.ranks();
        const size_t distance = range.pos > lower ? range.pos - lower : lower - range.pos;
        holds = range.lo <= lower && lower <= range.hi && distance <= model.max_error() && found.bracketed;
      }
      ++tally_.probes;
      tally_.wrong_answers += right ? 0 : 1;
      tally_.broken_brackets += own && !holds ? 1 : 0;
    }
  }
  // Ends the test's story.
  void Report(const char* what) const {
    std::printf("%s, %s: %llu probes, %llu wrong answers, %llu brackets that do not hold\n",
                Kind::KindName().c_str(), what, static_cast<unsigned long long>(tally_.probes),
                static_cast<unsigned long long>(tally_.wrong_answers),
                static_cast<unsigned long long>(tally_.broken_brackets));
  }

  const uint64_t wanted_;  // probes; 0: a few
  Random random_;
  Tally tally_;
};

struct KindNames {
  template <typename Kind>
  static std::string GetName(int) {
    return Kind::KindName();
  }
};

TYPED_TEST_SUITE(ModelConformanceTest, Kinds, KindNames);

TYPED_TEST(ModelConformanceTest, BracketsHoldAndAnswersAreRight) {
  constexpr uint32_t kEpsilons[] = {0, 1, 8, 64};
  const std::vector<WindowSet> sets = WindowSets(&this->random_, this->SetSize());
  const size_t drawn = std::max<size_t>(500, this->wanted_ / (sets.size() * std::size(kEpsilons)));
  for (const WindowSet& set : sets) {
    SCOPED_TRACE(set.name);
    const Windows probes = Probes(set.windows, drawn, &this->random_);
    for (const uint32_t epsilon : kEpsilons) {
      const auto model = TypeParam::Build(set.windows, epsilon);
      ASSERT_EQ(model.empty(), set.windows.empty());
      ASSERT_EQ(model.ranks(), set.windows.size());
      ASSERT_TRUE(model.empty() || model.IsOf(set.windows.size()));
      ASSERT_FALSE(model.IsOf(set.windows.size() + 1));
      const Tally before = this->tally_;
      this->Search(model, set.windows, probes, true);
      EXPECT_EQ(this->tally_.wrong_answers, before.wrong_answers) << "epsilon " << epsilon;
      EXPECT_EQ(this->tally_.broken_brackets, before.broken_brackets) << "epsilon " << epsilon;
    }
  }
  this->Report("over its own windows");
  EXPECT_GE(this->tally_.probes, this->wanted_);
}

// What a model says of windows that it was not built over is at most useless.
TYPED_TEST(ModelConformanceTest, AnswersAreRightWithTheModelOfOtherWindows) {
  const std::vector<WindowSet> sets = WindowSets(&this->random_, 500);
  for (const WindowSet& searched : sets) {
    const Windows probes = Probes(searched.windows, 100, &this->random_);
    for (int round = 0; round < 3; ++round) {
      const WindowSet& other = sets[this->random_.Uniform(sets.size())];
      SCOPED_TRACE(std::string(searched.name) + " by " + other.name);
      const Tally before = this->tally_;
      this->Search(TypeParam::Build(other.windows, 4), searched.windows, probes, false);
      EXPECT_EQ(this->tally_.wrong_answers, before.wrong_answers);
    }
  }
  this->Report("over others");
}

TYPED_TEST(ModelConformanceTest, TheSameWindowsGiveTheSameModel) {
  for (const WindowSet& set : WindowSets(&this->random_, 300)) {
    SCOPED_TRACE(set.name);
    if (set.windows.empty()) continue;
    const auto model = TypeParam::Build(set.windows, 3);
    const auto again = TypeParam::Build(set.windows, 3);
    EXPECT_EQ(model.max_error(), again.max_error());
    EXPECT_EQ(model.memory_bytes(), again.memory_bytes());
    for (const uint64_t probe : Probes(set.windows, 100, &this->random_)) {
      const ApproxRange one = model.Find(probe);
      const ApproxRange other = again.Find(probe);
      ASSERT_TRUE(one.pos == other.pos && one.lo == other.lo && one.hi == other.hi) << probe;
    }
  }
}

}  // namespace
}  // namespace seerdb
