#include "iter/range_cover.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "iter/range_skip_iterator.h"
#include "iter/vector_iterator.h"

namespace seerdb {
namespace {

constexpr uint64_t kDomain = 40;

std::string KeyOf(uint64_t i) {
  return std::string(1, static_cast<char>('a' + i / 10)) + std::to_string(i % 10);
}

struct Range {
  size_t map;
  SequenceNumber sequence;
  std::string begin;
  std::string end;
};

// Some maps with random tombstones, and a list of them.
class Maps {
 public:
  Maps(Random* random, size_t maps, uint64_t ranges) {
    for (size_t i = 0; i < maps; ++i) maps_.push_back(std::make_unique<RangeTombstoneMap>(&arena_));
    for (uint64_t i = 0; i < ranges; ++i) {
      const uint64_t begin = random->Uniform(kDomain);
      const uint64_t end = begin + 1 + random->Uniform(random->OneIn(3) ? kDomain : 4);
      Range range{random->Uniform(maps), 10 * (i + 1), KeyOf(begin), KeyOf(end)};
      maps_[range.map]->Add(range.sequence, range.begin, range.end);
      ranges_.push_back(std::move(range));
    }
  }
  RangeCover CoverAt(SequenceNumber at) const {
    RangeCover cover;
    for (const auto& map : maps_) cover.AddMap(map.get(), at);
    return cover;
  }
  SequenceNumber Find(Slice key, SequenceNumber at) const {
    SequenceNumber newest = 0;
    for (const Range& range : ranges_) {
      const bool covers = Slice(range.begin) <= key && key < Slice(range.end);
      if (covers && range.sequence <= at) newest = std::max(newest, range.sequence);
    }
    return newest;
  }

 private:
  Arena arena_;
  std::vector<std::unique_ptr<RangeTombstoneMap>> maps_;
  std::vector<Range> ranges_;
};

TEST(RangeCover, IsTheNewestOfAllMaps) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    const uint64_t ranges = random.Uniform(30);
    const Maps maps(&random, 1 + random.Uniform(3), ranges);
    const SequenceNumber at = random.Uniform(10 * ranges + 20);
    RangeCover cover = maps.CoverAt(at);
    EXPECT_EQ(cover.empty(), ranges == 0);
    for (int i = 0; i < 300; ++i) {
      const std::string key = KeyOf(random.Uniform(kDomain));
      ASSERT_EQ(cover.HiddenBelow(key), maps.Find(key, at)) << "seed " << seed << " " << key;
      const SequenceNumber earlier = random.Uniform(at + 1);
      ASSERT_EQ(cover.HiddenBelowAt(key, earlier), maps.Find(key, earlier));
    }
    for (int i = 0; i < 100; ++i) {
      const uint64_t a = random.Uniform(kDomain), b = random.Uniform(kDomain);
      const std::string smallest = KeyOf(std::min(a, b)), largest = KeyOf(std::max(a, b));
      const SequenceNumber newest = random.Uniform(10 * ranges + 1);
      bool hides = true;
      for (uint64_t k = std::min(a, b); k <= std::max(a, b); ++k) {
        hides &= maps.Find(KeyOf(k), at) > newest;
      }
      if (hides) continue;
      ASSERT_FALSE(cover.HidesAll(smallest, largest, newest)) << "seed " << seed;
    }
  }
}

TEST(RangeCover, HidesAllAcrossNeighboursAndOnlyWholeRanges) {
  Arena arena;
  RangeTombstoneMap map(&arena);
  map.Add(10, "b", "d");
  map.Add(20, "d", "f");
  RangeCover cover(&map, kMaxSequence);
  EXPECT_TRUE(cover.HidesAll("b", "ez", 9));
  EXPECT_FALSE(cover.HidesAll("b", "ez", 10)) << "an entry as new as the older tombstone";
  EXPECT_TRUE(cover.HidesAll("d", "ez", 19));
  EXPECT_FALSE(cover.HidesAll("b", "f", 9)) << "the end is not covered";
  EXPECT_FALSE(cover.HidesAll("a", "c", 9));
  EXPECT_FALSE(RangeCover(&map, 15).HidesAll("b", "ez", 9)) << "the newer tombstone is not visible";
}

// Counts what it is asked.
class CountingIterator final : public InternalIterator {
 public:
  CountingIterator(std::unique_ptr<InternalIterator> base, uint64_t* calls)
      : base_(std::move(base)), calls_(*calls) {}
  void SeekToFirst() override { base_->SeekToFirst(), Take(); }
  void SeekToLast() override { base_->SeekToLast(), Take(); }
  void Seek(Slice key, uint64_t trailer) override { base_->Seek(key, trailer), Take(); }
  void SeekForPrev(Slice key, uint64_t trailer) override { base_->SeekForPrev(key, trailer), Take(); }
  void Next() override { base_->Next(), Take(); }
  void Prev() override { base_->Prev(), Take(); }
  Status status() const override { return base_->status(); }

 private:
  void Take() {
    ++calls_;
    shown_ = base_->entry();
  }
  const std::unique_ptr<InternalIterator> base_;
  uint64_t& calls_;
};

// Positions of what is left, by the rule: an entry goes if a tombstone hides all that the source may have
// there.
TEST(RangeSkippingIterator, LeavesOutWhatIsHiddenAndNothingElse) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    const uint64_t ranges = random.Uniform(12);
    const Maps maps(&random, 1 + random.Uniform(2), ranges);
    const SequenceNumber newest = random.Uniform(10 * ranges + 20);
    const SequenceNumber at = newest + random.Uniform(60);
    std::vector<VectorIterator::Entry> entries, want;
    for (uint64_t i = 0; i < kDomain; ++i) {
      for (uint64_t versions = random.Uniform(3); versions > 0; --versions) {
        const SequenceNumber sequence = 1 + newest * (versions - 1) / 3;
        entries.push_back({KeyOf(i), PackTrailer(sequence, ValueType::kValue), "v"});
        if (maps.Find(KeyOf(i), at) <= newest) want.push_back(entries.back());
      }
    }
    const auto skipping =
        NewRangeSkippingIterator(std::make_unique<VectorIterator>(entries), maps.CoverAt(at), newest);
    VectorIterator plain(want);
    const auto same = [&](const char* after) {
      ASSERT_EQ(skipping->Valid(), plain.Valid()) << after << " seed " << seed;
      if (!plain.Valid()) return;
      ASSERT_EQ(skipping->key(), plain.key()) << after << " seed " << seed;
      ASSERT_EQ(skipping->trailer(), plain.trailer()) << after;
    };
    skipping->SeekToFirst();
    plain.SeekToFirst();
    for (int i = 0; i < 200; ++i) {
      const std::string key = KeyOf(random.Uniform(kDomain));
      const uint64_t trailer = random.OneIn(2) ? kFirstTrailer : SeekTrailer(random.Uniform(newest + 1));
      switch (random.Uniform(5)) {
        case 0:
          skipping->Seek(key, trailer);
          plain.Seek(key, trailer);
          same("Seek");
          break;
        case 1:
          skipping->SeekForPrev(key, trailer);
          plain.SeekForPrev(key, trailer);
          same("SeekForPrev");
          break;
        case 2:
          skipping->SeekToLast();
          plain.SeekToLast();
          same("SeekToLast");
          break;
        case 3:
          if (!plain.Valid()) continue;
          skipping->Next();
          plain.Next();
          same("Next");
          break;
        default:
          if (!plain.Valid()) continue;
          skipping->Prev();
          plain.Prev();
          same("Prev");
      }
      if (HasFatalFailure()) return;
    }
  }
}

TEST(RangeSkippingIterator, StepsOverALongStretchAtOnce) {
  std::vector<VectorIterator::Entry> entries;
  for (int i = 10'000; i < 20'000; ++i) {
    entries.push_back({"k" + std::to_string(i), PackTrailer(5, ValueType::kValue), "v"});
  }
  Arena arena;
  RangeTombstoneMap map(&arena);
  map.Add(9, "k10001", "k19999");
  for (const bool forward : {true, false}) {
    uint64_t calls = 0;
    const auto it = NewRangeSkippingIterator(
        std::make_unique<CountingIterator>(std::make_unique<VectorIterator>(entries), &calls),
        RangeCover(&map, kMaxSequence), 5);
    forward ? it->SeekToFirst() : it->SeekToLast();
    EXPECT_EQ(it->key(), forward ? "k10000" : "k19999");
    forward ? it->Next() : it->Prev();
    EXPECT_EQ(it->key(), forward ? "k19999" : "k10000");
    forward ? it->Next() : it->Prev();
    EXPECT_FALSE(it->Valid());
    EXPECT_LE(calls, 10u);
  }
}

TEST(RangeSkippingIterator, AnErrorOfTheSourceShows) {
  std::vector<VectorIterator::Entry> entries;
  for (const char* key : {"a", "b", "c"}) entries.push_back({key, PackTrailer(1, ValueType::kValue), "v"});
  Arena arena;
  RangeTombstoneMap map(&arena);
  map.Add(9, "a", "b");
  const auto it = NewRangeSkippingIterator(std::make_unique<VectorIterator>(entries, 1),
                                           RangeCover(&map, kMaxSequence), 1);
  it->SeekToFirst();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsCorruption());
}

}  // namespace
}  // namespace seerdb
