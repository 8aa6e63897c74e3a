#include "memtable/window_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/simd.h"
#include "base/vector_state_test_util.h"

namespace seerdb {
namespace {

using Kind = WindowSearch::Kind;

struct alignas(64) Column {
  uint64_t windows[kNodeSlots];
};

// Numbers close to one another and to both ends, so that equal ones and wrapping distances are common.
uint64_t RandomWindow(Random* random) {
  switch (random->Uniform(6)) {
    case 0:
      return random->Uniform(4);
    case 1:
      return UINT64_MAX - random->Uniform(4);
    case 2:
      return (uint64_t{1} << 63) + random->Uniform(4) - 2;
    case 3:
      return random->Uniform(kNodeSlots);
    default:
      return random->Next();
  }
}

class WindowSearchTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    search_ = GetWindowSearch(GetParam());
    if (search_ == nullptr) GTEST_SKIP() << "this processor lacks the instructions";
  }
  const WindowSearch* search_ = nullptr;
};

TEST_P(WindowSearchTest, AgreesWithTheDefinition) {
  const uint64_t seed = 3;
  SCOPED_TRACE("seed " + std::to_string(seed));
  ASSERT_EQ(search_->kind, GetParam());
  Random random(seed);
  for (int round = 0; round < 5000; ++round) {
    Column column;
    for (uint64_t& window : column.windows) window = RandomWindow(&random);
    const uint32_t count = 1 + static_cast<uint32_t>(random.Uniform(kNodeSlots));
    uint64_t wanted = random.OneIn(2) ? RandomWindow(&random) : column.windows[random.Uniform(kNodeSlots)];

    uint64_t equal = 0;
    uint64_t least = UINT64_MAX;
    uint64_t floor = 0;
    for (uint32_t i = 0; i < count; ++i) {
      equal |= uint64_t{column.windows[i] == wanted} << i;
      least = std::min(least, column.windows[i]);
      if (column.windows[i] <= wanted) floor = std::max(floor, column.windows[i]);
    }
    ASSERT_EQ(search_->equal(column.windows, count, wanted), equal) << count;
    if (least <= wanted) {
      uint64_t want = 0;
      for (uint32_t i = 0; i < count; ++i) want |= uint64_t{column.windows[i] == floor} << i;
      ASSERT_EQ(search_->floor(column.windows, count, wanted), want) << count;
    }

    std::vector<uint32_t> order(count);
    for (uint32_t i = 0; i < count; ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return column.windows[a] < column.windows[b]; });
    bool ties = false;
    for (uint32_t i = 1; i < count; ++i) ties |= column.windows[order[i]] == column.windows[order[i - 1]];
    uint8_t ranks[kNodeSlots];
    ASSERT_EQ(search_->rank(column.windows, count, ranks), ties);
    for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(ranks[order[i]], i) << count;
  }
}

TEST_P(WindowSearchTest, LeavesVectorRegistersAsSseWantsThem) {
  Column column;
  for (uint32_t i = 0; i < kNodeSlots; ++i) column.windows[i] = i;
  uint8_t ranks[kNodeSlots];
  ExpectUpperHalvesClearAfter([&] { (void)search_->equal(column.windows, kNodeSlots, 7); });
  ExpectUpperHalvesClearAfter([&] { (void)search_->floor(column.windows, kNodeSlots, 7); });
  ExpectUpperHalvesClearAfter([&] { (void)search_->rank(column.windows, kNodeSlots, ranks); });
  column.windows[1] = column.windows[0];  // ties are ranked by other code
  ExpectUpperHalvesClearAfter([&] { (void)search_->rank(column.windows, kNodeSlots, ranks); });
}

TEST_P(WindowSearchTest, EmptyColumn) {
  Column column = {};
  uint8_t ranks[kNodeSlots];
  EXPECT_EQ(search_->equal(column.windows, 0, 0), 0u);
  EXPECT_FALSE(search_->rank(column.windows, 0, ranks));
}

INSTANTIATE_TEST_SUITE_P(AllKernels, WindowSearchTest,
                         testing::Values(Kind::kScalar, Kind::kAvx2, Kind::kAvx512),
                         [](const auto& param_info) {
                           switch (param_info.param) {
                             case Kind::kScalar:
                               return "Scalar";
                             case Kind::kAvx2:
                               return "Avx2";
                             default:
                               return "Avx512";
                           }
                         });

TEST(WindowSearchChoiceTest, TheBestIsAvailable) {
  const WindowSearch& best = BestWindowSearch();
  EXPECT_EQ(&best, GetWindowSearch(best.kind));
}

// Whoever runs a suite over every kind relies on it.
TEST(WindowSearchLimitTest, NoKindAboveTheLimitIsChosen) {
  for (const auto& [limit, kind] :
       {std::pair{SimdLevel::kScalar, Kind::kScalar}, {SimdLevel::kAvx2, Kind::kAvx2}}) {
    LimitSimd(limit);
    EXPECT_EQ(GetWindowSearch(Kind::kAvx512), nullptr);
    EXPECT_LE(BestWindowSearch().kind, kind);
  }
  LimitSimd(SimdLevel::kAvx512);
}

}  // namespace
}  // namespace seerdb
