#include "learned/index_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "learned/bracket_search.h"

namespace seerdb {
namespace {

using Windows = std::vector<uint64_t>;

Windows DrawWindows(Random& random, size_t count) {
  Windows windows(count);
  for (uint64_t& window : windows) window = random.OneIn(3) ? random.Next() : random.Uniform(count * 2);
  std::sort(windows.begin(), windows.end());
  return windows;
}

size_t Rank(const IndexModel& model, const Windows& windows, uint64_t probe) {
  return BracketSearch(
             model, windows.size(), probe, [&](size_t i) { return windows[i]; }, [](size_t) { return false; })
      .rank;
}

TEST(IndexModelTest, EveryKindIsTheSameAfterItWasStored) {
  Random random(7);
  for (const ModelKind kind : kAllModelKinds) {
    SCOPED_TRACE(ModelKindName(kind));
    for (const size_t count : {1, 2, 100, 5'000}) {
      const Windows windows = DrawWindows(random, count);
      const IndexModel model = IndexModel::Fit(kind, 8, windows);
      EXPECT_EQ(model.kind(), kind);
      EXPECT_EQ(model.empty(), kind == ModelKind::kNone);
      std::string bytes;
      model.AppendTo(&bytes);
      EXPECT_EQ(bytes.empty(), kind == ModelKind::kNone);
      if (kind == ModelKind::kNone) continue;
      EXPECT_TRUE(model.IsOf(count));
      EXPECT_FALSE(model.IsOf(count + 1));
      EXPECT_GT(model.memory_bytes(), 0u);
      EXPECT_EQ(model.pieces() == 0, kind == ModelKind::kAlex);
      const Result<IndexModel> decoded = IndexModel::Decode(kind, bytes, windows);
      ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
      EXPECT_EQ(decoded->kind(), kind);
      EXPECT_EQ(decoded->ranks(), count);
      EXPECT_EQ(decoded->max_error(), model.max_error());
      EXPECT_EQ(decoded->pieces(), model.pieces());
      EXPECT_EQ(decoded->memory_bytes(), model.memory_bytes());
      for (int i = 0; i < 300; ++i) {
        const uint64_t probe = random.OneIn(2) ? windows[random.Uniform(count)] : random.Next();
        const ApproxRange one = model.Find(probe);
        const ApproxRange other = decoded->Find(probe);
        ASSERT_TRUE(one.pos == other.pos && one.lo == other.lo && one.hi == other.hi) << probe;
        const auto lower = std::lower_bound(windows.begin(), windows.end(), probe) - windows.begin();
        ASSERT_EQ(Rank(*decoded, windows, probe), static_cast<size_t>(lower)) << probe;
      }
    }
  }
}

TEST(IndexModelTest, BytesOfNoModelAreCorruption) {
  Random random(8);
  const Windows windows = DrawWindows(random, 50);
  for (const ModelKind kind : kAllModelKinds) {
    if (kind == ModelKind::kNone) continue;
    SCOPED_TRACE(ModelKindName(kind));
    std::string bytes;
    IndexModel::Fit(kind, 8, windows).AppendTo(&bytes);
    for (size_t n = 0; n < bytes.size(); ++n) {
      EXPECT_TRUE(IndexModel::Decode(kind, Slice(bytes).substr(0, n), windows).status().IsCorruption()) << n;
    }
    EXPECT_TRUE(IndexModel::Decode(kind, bytes + "x", windows).status().IsCorruption());
  }
}

// A tree of other windows than the index has would be asked about ranks that are not there.
TEST(IndexModelTest, AlexOfAnotherNumberOfWindowsIsCorruption) {
  Random random(9);
  const Windows windows = DrawWindows(random, 50);
  std::string bytes;
  IndexModel::Fit(ModelKind::kAlex, 0, windows).AppendTo(&bytes);
  const std::span<const uint64_t> fewer(windows.data(), windows.size() - 1);
  EXPECT_TRUE(IndexModel::Decode(ModelKind::kAlex, bytes, fewer).status().IsCorruption());
  EXPECT_TRUE(IndexModel::Decode(ModelKind::kAlex, bytes, {}).status().IsCorruption());
}

}  // namespace
}  // namespace seerdb
