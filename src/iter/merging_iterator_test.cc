#include "iter/merging_iterator.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "base/random.h"
#include "iter/concatenating_iterator.h"
#include "iter/vector_iterator.h"

namespace seerdb {
namespace {

using Entry = VectorIterator::Entry;

std::string Show(const InternalIterator& it) {
  if (!it.Valid()) return "end";
  return std::string(it.key()) + "@" + std::to_string(it.sequence()) + "=" + std::string(it.value());
}

Entry Put(const std::string& key, SequenceNumber sequence) {
  return {key, PackTrailer(sequence, ValueType::kValue), "v" + std::to_string(sequence)};
}

std::unique_ptr<InternalIterator> Merge(std::vector<std::vector<Entry>> sources) {
  std::vector<std::unique_ptr<InternalIterator>> children;
  for (auto& source : sources) children.push_back(std::make_unique<VectorIterator>(std::move(source)));
  return NewMergingIterator(std::move(children));
}

TEST(MergingIterator, EmptyAndSingleSources) {
  auto none = Merge({});
  none->SeekToFirst();
  EXPECT_FALSE(none->Valid());
  EXPECT_TRUE(none->status().ok());
  auto one = Merge({{Put("a", 1)}});
  one->SeekToLast();
  EXPECT_EQ(Show(*one), "a@1=v1");
}

TEST(MergingIterator, AnErrorOfAnyChildStopsItAndPositioningClearsIt) {
  std::vector<std::unique_ptr<InternalIterator>> children;
  children.push_back(std::make_unique<VectorIterator>(std::vector<Entry>{Put("a", 5), Put("c", 6)}));
  children.push_back(std::make_unique<VectorIterator>(std::vector<Entry>{Put("b", 1), Put("d", 2)}, 1));
  auto it = NewMergingIterator(std::move(children));
  it->SeekToFirst();
  EXPECT_EQ(Show(*it), "a@5=v5");
  it->Next();
  EXPECT_EQ(Show(*it), "b@1=v1");
  it->Next();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsCorruption());
  it->SeekToFirst();
  EXPECT_TRUE(it->Valid());
  EXPECT_TRUE(it->status().ok());
}

TEST(MergingIterator, TurningIntoAnErrorEndsIt) {
  std::vector<std::unique_ptr<InternalIterator>> children;
  children.push_back(std::make_unique<VectorIterator>(std::vector<Entry>{Put("b", 5), Put("c", 6)}));
  children.push_back(std::make_unique<VectorIterator>(std::vector<Entry>{Put("a", 1), Put("d", 2)}, 0));
  auto it = NewMergingIterator(std::move(children));
  it->Seek("b", kFirstTrailer);
  ASSERT_EQ(Show(*it), "b@5=v5");
  it->Prev();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsCorruption());
}

// Random walks over random sources against one sorted list.
TEST(MergingIterator, RandomWalksAgreeWithASortedList) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<Entry>> sources(1 + random.Uniform(6));
    std::vector<Entry> all;
    SequenceNumber sequence = 1;
    for (auto& source : sources) {
      for (uint64_t i = random.Uniform(20); i > 0; --i) {
        source.push_back(
            Put(std::string(random.Uniform(3), static_cast<char>(random.Uniform(256))), sequence++));
        all.push_back(source.back());
      }
    }
    VectorIterator expected(all);
    auto it = Merge(sources);
    for (int step = 0; step < 200; ++step) {
      const std::string key(random.Uniform(3), static_cast<char>(random.Uniform(256)));
      const uint64_t trailer = SeekTrailer(random.Uniform(sequence + 1));
      switch (random.Uniform(8)) {
        case 0:
          it->SeekToFirst();
          expected.SeekToFirst();
          break;
        case 1:
          it->SeekToLast();
          expected.SeekToLast();
          break;
        case 2:
          it->Seek(key, trailer);
          expected.Seek(key, trailer);
          break;
        case 3:
          it->SeekForPrev(key, trailer);
          expected.SeekForPrev(key, trailer);
          break;
        default:
          if (!it->Valid()) continue;
          if (random.OneIn(2)) {
            it->Next();
            expected.Next();
          } else {
            it->Prev();
            expected.Prev();
          }
      }
      ASSERT_EQ(Show(*it), Show(expected)) << "round " << round << " step " << step;
    }
  }
}

struct KeyShape {
  const char* name;
  std::vector<std::string> beginnings;
  std::string bytes;  // what follows consists of
  uint64_t max_bytes;
};

const KeyShape kShapes[] = {
    {"few short keys", {""}, std::string("\0\xff", 2), 3},
    {"shorter than a window", {"", "a"}, std::string("\0\1ab\xff", 5), 7},
    {"prefixes of one another", {""}, std::string("\0", 1), 40},
    {"one long beginning", {"usr/share/doc/network-manager/"}, std::string("\0a\xff", 3), 12},
    {"windows that tie", {"directory/", "directory/aaaaaaaa", "directory/aaaaaaaaaaaaaaaa"}, "ab", 4},
    {"beginnings that come and go", {"", "us", "usr/bin/", "usr/share/doc/a/", "usr/share/doc/b/"}, "xyz", 3},
    {"the last bytes", {std::string(9, '\xff'), std::string(17, '\xff')}, std::string("\xff\0", 2), 9},
};

std::vector<Entry> Draw(Random* random, const KeyShape& shape, uint64_t count, SequenceNumber* sequence) {
  std::vector<Entry> entries;
  for (; count > 0; --count) {
    std::string key = shape.beginnings[random->Uniform(shape.beginnings.size())];
    for (uint64_t i = random->Uniform(shape.max_bytes + 1); i > 0; --i) {
      key.push_back(shape.bytes[random->Uniform(shape.bytes.size())]);
    }
    entries.push_back(Put(key, (*sequence)++));
  }
  return entries;
}

// Walks of keys that make windows tie and prefixes change, over up to 40 sources: long ones each way, and
// ones that turn at every step.
TEST(MergingIterator, HostileKeysInManySourcesAgreeWithASortedList) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (int round = 0; round < 210; ++round) {
    const KeyShape& shape = kShapes[static_cast<size_t>(round) % std::size(kShapes)];
    SCOPED_TRACE(shape.name);
    std::vector<std::vector<Entry>> sources(2 + random.Uniform(random.OneIn(2) ? 4 : 39));
    std::vector<Entry> all;
    SequenceNumber sequence = 1;
    for (auto& source : sources) {
      source = Draw(&random, shape, random.Uniform(60), &sequence);
      all.insert(all.end(), source.begin(), source.end());
    }
    if (all.empty()) continue;
    VectorIterator expected(all);
    auto it = Merge(sources);
    const auto compare = [&](const char* walk) { ASSERT_EQ(Show(*it), Show(expected)) << walk; };
    it->SeekToFirst();
    for (expected.SeekToFirst(); expected.Valid(); expected.Next(), it->Next()) compare("forward");
    compare("end");
    it->SeekToLast();
    for (expected.SeekToLast(); expected.Valid(); expected.Prev(), it->Prev()) compare("backward");
    compare("begin");
    // Two steps on and one back, then the same from the end.
    it->SeekToFirst();
    expected.SeekToFirst();
    for (int step = 0; expected.Valid(); ++step) {
      compare("turning");
      step % 3 == 2 ? it->Prev() : it->Next();
      step % 3 == 2 ? expected.Prev() : expected.Next();
    }
    it->SeekToLast();
    expected.SeekToLast();
    for (int step = 0; expected.Valid(); ++step) {
      compare("turning back");
      step % 3 == 2 ? it->Next() : it->Prev();
      step % 3 == 2 ? expected.Next() : expected.Prev();
    }
    for (int i = 0; i < 20; ++i) {
      const Entry target = Draw(&random, shape, 1, &sequence).front();
      const uint64_t trailer = SeekTrailer(random.Uniform(sequence));
      const bool forward = random.OneIn(2);
      forward ? it->Seek(target.key, trailer) : it->SeekForPrev(target.key, trailer);
      forward ? expected.Seek(target.key, trailer) : expected.SeekForPrev(target.key, trailer);
      for (int step = 0; step < 50 && expected.Valid(); ++step) {
        compare("from a seek");
        forward ? it->Next() : it->Prev();
        forward ? expected.Next() : expected.Prev();
      }
      compare("from a seek");
    }
  }
}

// Fails at each entry of each of three sources, walking either way: what comes before the failure is right,
// and then there is the error, and no further entry.
TEST(MergingIterator, AnErrorAtAnyEntryIsNeverTheEndOfASource) {
  const std::vector<std::vector<Entry>> sources = {{Put("a", 9), Put("dd", 8), Put("ddd", 7)},
                                                   {Put("aa", 6), Put("d", 5), Put("dddddddddd", 4)},
                                                   {Put("b", 3), Put("c", 2), Put("ddddddddde", 1)}};
  for (size_t failing = 0; failing < sources.size(); ++failing) {
    for (size_t at = 0; at < sources[failing].size(); ++at) {
      for (const bool forward : {true, false}) {
        std::vector<std::unique_ptr<InternalIterator>> children;
        std::vector<Entry> all;
        for (size_t i = 0; i < sources.size(); ++i) {
          children.push_back(
              std::make_unique<VectorIterator>(sources[i], i == failing ? at : VectorIterator::kNever));
          all.insert(all.end(), sources[i].begin(), sources[i].end());
        }
        auto it = NewMergingIterator(std::move(children));
        VectorIterator expected(all);
        forward ? it->SeekToFirst() : it->SeekToLast();
        forward ? expected.SeekToFirst() : expected.SeekToLast();
        while (it->Valid()) {
          ASSERT_EQ(Show(*it), Show(expected));
          ASSERT_NE(it->sequence(), TrailerSequence(sources[failing][at].trailer));
          forward ? it->Next() : it->Prev();
          forward ? expected.Next() : expected.Prev();
        }
        EXPECT_TRUE(it->status().IsCorruption()) << failing << " " << at;
      }
    }
  }
}

class VectorParts final : public RunParts {
 public:
  VectorParts(std::vector<std::vector<Entry>> parts, size_t failing = SIZE_MAX)
      : parts_(std::move(parts)), failing_(failing) {}
  size_t count() const override { return parts_.size(); }
  Slice smallest(size_t part) const override { return parts_[part].front().key; }
  Slice largest(size_t part) const override { return parts_[part].back().key; }
  std::unique_ptr<InternalIterator> Open(size_t part) const override {
    if (part == failing_) return NewEmptyIterator(Status::Corruption("part is damaged"));
    return std::make_unique<VectorIterator>(parts_[part]);
  }

 private:
  const std::vector<std::vector<Entry>> parts_;
  const size_t failing_;
};

TEST(ConcatenatingIterator, WalksAcrossPartsLikeOneList) {
  const std::vector<std::vector<Entry>> parts = {
      {Put("a", 3), Put("b", 1)}, {Put("d", 9), Put("d", 4)}, {Put("f", 2)}};
  std::vector<Entry> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  VectorIterator expected(all);
  auto it = NewConcatenatingIterator(std::make_unique<VectorParts>(parts));
  for (const std::string key : {"", "a", "aa", "b", "c", "d", "e", "f", "g"}) {
    for (const uint64_t trailer : {kFirstTrailer, SeekTrailer(5), kLastTrailer}) {
      it->Seek(key, trailer);
      expected.Seek(key, trailer);
      EXPECT_EQ(Show(*it), Show(expected)) << key;
      it->SeekForPrev(key, trailer);
      expected.SeekForPrev(key, trailer);
      EXPECT_EQ(Show(*it), Show(expected)) << key;
    }
  }
  std::string walk;
  for (it->SeekToFirst(); it->Valid(); it->Next()) walk += Show(*it) + " ";
  EXPECT_EQ(walk, "a@3=v3 b@1=v1 d@9=v9 d@4=v4 f@2=v2 ");
  walk.clear();
  for (it->SeekToLast(); it->Valid(); it->Prev()) walk += Show(*it) + " ";
  EXPECT_EQ(walk, "f@2=v2 d@4=v4 d@9=v9 b@1=v1 a@3=v3 ");
}

TEST(ConcatenatingIterator, APartThatCannotBeOpenedIsAnErrorNotAGap) {
  auto it = NewConcatenatingIterator(std::make_unique<VectorParts>(
      std::vector<std::vector<Entry>>{{Put("a", 1)}, {Put("b", 2)}, {Put("c", 3)}}, 1));
  it->SeekToFirst();
  ASSERT_TRUE(it->Valid());
  it->Next();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsCorruption());
  it->Seek("c", kFirstTrailer);
  EXPECT_EQ(Show(*it), "c@3=v3");
  EXPECT_TRUE(it->status().ok());
}

}  // namespace
}  // namespace seerdb
