#include "memtable/memtable.h"

#include <gtest/gtest.h>

#include <atomic>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/hash.h"
#include "base/random.h"

namespace seerdb {
namespace {

Lookup Get(const MemTable& memtable, Slice key, SequenceNumber sequence) {
  Lookup lookup;
  lookup.owner = std::make_shared<int>(1);  // must not survive
  memtable.Get({key, sequence, Hash64(key)}, &lookup);
  EXPECT_EQ(lookup.owner, nullptr);
  return lookup;
}

TEST(MemTableTest, FindsTheNewestVisibleVersion) {
  MemTable memtable;
  memtable.Add(5, ValueType::kValue, "k", "five");
  memtable.Add(7, ValueType::kDeletion, "k", "");
  memtable.Add(9, ValueType::kValuePointer, "k", "pointer");
  memtable.Add(10, ValueType::kValue, "kk", "");
  const struct {
    Slice key;
    SequenceNumber sequence;
    Lookup::State state;
    SequenceNumber want_sequence;
    ValueType type;
    Slice value;
  } kCases[] = {
      {"k", 4, Lookup::State::kAbsent, 0, ValueType::kValue, ""},
      {"k", 5, Lookup::State::kFound, 5, ValueType::kValue, "five"},
      {"k", 6, Lookup::State::kFound, 5, ValueType::kValue, "five"},
      {"k", 7, Lookup::State::kDeleted, 7, ValueType::kDeletion, ""},
      {"k", 8, Lookup::State::kDeleted, 7, ValueType::kDeletion, ""},
      {"k", 9, Lookup::State::kFound, 9, ValueType::kValuePointer, "pointer"},
      {"k", kMaxSequence, Lookup::State::kFound, 9, ValueType::kValuePointer, "pointer"},
      {"kk", 10, Lookup::State::kFound, 10, ValueType::kValue, ""},
      {"kk", 9, Lookup::State::kAbsent, 0, ValueType::kValue, ""},
      {"", kMaxSequence, Lookup::State::kAbsent, 0, ValueType::kValue, ""},
      {Slice("k\0", 2), kMaxSequence, Lookup::State::kAbsent, 0, ValueType::kValue, ""},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(std::string(c.key) + " @" + std::to_string(c.sequence));
    const Lookup lookup = Get(memtable, c.key, c.sequence);
    ASSERT_EQ(lookup.state, c.state);
    if (c.state == Lookup::State::kAbsent) continue;
    EXPECT_EQ(lookup.sequence, c.want_sequence);
    EXPECT_EQ(lookup.type, c.type);
    EXPECT_EQ(lookup.value, c.value);
  }
}

TEST(MemTableTest, CountsEntries) {
  MemTable memtable;
  EXPECT_TRUE(memtable.empty());
  EXPECT_EQ(memtable.first_sequence(), 0u);
  EXPECT_EQ(memtable.last_sequence(), 0u);
  EXPECT_EQ(memtable.bytes(), 0u);
  memtable.Add(3, ValueType::kValue, "a", "1");
  memtable.Add(4, ValueType::kDeletion, "b", "");
  memtable.Add(9, ValueType::kValue, "a", "2");
  EXPECT_FALSE(memtable.empty());
  EXPECT_EQ(memtable.entries(), 3u);
  EXPECT_EQ(memtable.tombstones(), 1u);
  EXPECT_EQ(memtable.first_sequence(), 3u);
  EXPECT_EQ(memtable.last_sequence(), 9u);
}

TEST(MemTableTest, AnIndexOfTheRightSizeStaysInUse) {
  for (const uint64_t announced : {uint64_t{1000}, uint64_t{5400}, uint64_t{340'000}}) {
    MemTable memtable(nullptr, nullptr, 0, announced);
    for (SequenceNumber sequence = 1; sequence <= announced; ++sequence) {
      memtable.Add(sequence, ValueType::kValue, "key" + std::to_string(sequence), "");
    }
    EXPECT_TRUE(memtable.wants_hash()) << announced;
    for (SequenceNumber sequence = announced + 1; sequence <= 4 * announced; ++sequence) {
      memtable.Add(sequence, ValueType::kValue, "key" + std::to_string(sequence), "");
    }
    EXPECT_FALSE(memtable.wants_hash()) << announced;
    EXPECT_EQ(Get(memtable, "key1", 1).sequence, 1u);
    EXPECT_EQ(Get(memtable, "key" + std::to_string(4 * announced), kMaxSequence).sequence, 4 * announced);
  }
}

// With and without an index the answers are the same: at every sequence, for keys that are there and not,
// also when more records came than were announced.
TEST(MemTableTest, AnIndexChangesNoAnswer) {
  for (const uint64_t announced : {uint64_t{1}, uint64_t{40}, uint64_t{3000}}) {
    SCOPED_TRACE(announced);
    MemTable plain;
    MemTable indexed(nullptr, nullptr, 0, announced);
    Random random(announced);
    constexpr SequenceNumber kLast = 2000;
    const auto key_of = [](uint64_t i) { return std::string(i % 3, 'k') + "key" + std::to_string(i); };
    for (SequenceNumber sequence = 1; sequence <= kLast; ++sequence) {
      const std::string key = key_of(random.Uniform(700));
      const ValueType type = random.OneIn(4) ? ValueType::kDeletion : ValueType::kValue;
      const std::string value = type == ValueType::kValue ? std::to_string(sequence) : "";
      plain.Add(sequence, type, key, value);
      indexed.Add(sequence, type, key, value);
      for (int i = 0; i < 5; ++i) {
        const std::string asked = i == 0 ? key : key_of(random.Uniform(800));
        const SequenceNumber at = i == 0 || random.OneIn(2) ? sequence : random.Uniform(sequence + 1);
        const Lookup want = Get(plain, asked, at);
        const Lookup got = Get(indexed, asked, at);
        ASSERT_EQ(got.state, want.state) << asked << " at " << at;
        ASSERT_EQ(got.sequence, want.sequence) << asked << " at " << at;
        ASSERT_EQ(got.value, want.value) << asked << " at " << at;
      }
    }
  }
}

// A capacity of a few KiB must mean a few KiB.
TEST(MemTableTest, BytesFollowTheEntries) {
  MemTable memtable;
  uint64_t entry_bytes = 0;
  for (SequenceNumber sequence = 1; sequence <= 1000; ++sequence) {
    const std::string key = "key" + std::to_string(sequence * 7919 % 1000);
    memtable.Add(sequence, ValueType::kValue, key, std::string(100, 'v'));
    entry_bytes += key.size() + 100;
    ASSERT_GE(memtable.bytes(), entry_bytes);
    ASSERT_LE(memtable.bytes(), entry_bytes * 2 + 2048);
    ASSERT_GE(memtable.memory_bytes(), memtable.bytes());
  }
  EXPECT_LE(memtable.memory_bytes(), memtable.bytes() * 2 + 16 * 1024);
}

TEST(MemTableTest, HoldsBigEntries) {
  MemTable memtable;
  const std::string key(kMaxKeyBytes, 'k');
  const std::string value(5 * 1024 * 1024 + 1, 'v');
  memtable.Add(1, ValueType::kValue, "a", "small");
  memtable.Add(2, ValueType::kValue, key, value);
  memtable.Add(3, ValueType::kValue, key + "x", "after");
  memtable.Add(4, ValueType::kValue, "b", value);
  EXPECT_EQ(Get(memtable, "a", 9).value, "small");
  EXPECT_EQ(Get(memtable, key, 9).value, value);
  EXPECT_EQ(Get(memtable, key + "x", 9).value, "after");
  EXPECT_EQ(Get(memtable, "b", 9).value, value);
  EXPECT_GE(memtable.bytes(), 2 * value.size());
  EXPECT_LE(memtable.bytes(), 2 * value.size() + 4 * kMaxKeyBytes);
}

TEST(MemTableTest, IteratesInOrder) {
  MemTable memtable;
  memtable.Add(1, ValueType::kValue, "b", "1");
  memtable.Add(2, ValueType::kValue, "a", "2");
  memtable.Add(3, ValueType::kDeletion, "b", "");
  const auto it = memtable.NewIterator();
  std::string walk;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    walk += std::string(it->key()) + std::to_string(it->sequence()) + std::string(it->value()) + " ";
  }
  EXPECT_EQ(walk, "a22 b3 b11 ");
  EXPECT_TRUE(it->status().ok());
}

// The key that the entry with this sequence has: any thread can tell what must be found.
struct Script {
  const char* name;
  std::string (*key)(uint64_t sequence);
};

uint64_t Mix(uint64_t number) { return Random(number).Next(); }

std::string Padded(uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(12 - digits.size(), '0') + digits;
}

const Script kScripts[] = {
    {"Random", [](uint64_t s) { return Padded(Mix(s) % 1000000000); }},
    {"Ascending", [](uint64_t s) { return Padded(s); }},
    {"Descending", [](uint64_t s) { return Padded(100000000 - s); }},
    {"FewKeys", [](uint64_t s) { return "key" + Padded(Mix(s) % 50); }},
    {"HotKey", [](uint64_t s) { return s % 4 == 0 ? Padded(Mix(s) % 1000) : Padded(500); }},
    {"Streams", [](uint64_t s) { return "stream" + std::to_string(Mix(s) % 5) + Padded(s); }},
    {"ShrinkingPrefix",
     [](uint64_t s) { return std::string(60 - Mix(s) % 60, 'p') + Padded(Mix(s) % 1000); }},
};

// Of each script, with no index, one that has room, and one that turns out too small.
constexpr uint64_t kIndexed[] = {0, 8000, 2000};

class MemTableThreads : public testing::TestWithParam<int> {
 protected:
  static constexpr uint64_t kEntries = 8000;

  const Script& script() const { return kScripts[static_cast<size_t>(GetParam()) % std::size(kScripts)]; }
  uint64_t indexed() const { return kIndexed[static_cast<size_t>(GetParam()) / std::size(kScripts)]; }
  std::string KeyOf(uint64_t sequence) const { return script().key(sequence); }
  static std::string ValueOf(uint64_t sequence) { return "v" + std::to_string(sequence); }

  void Write() {
    for (uint64_t sequence = 1; sequence <= kEntries; ++sequence) {
      memtable_.Add(sequence, ValueType::kValue, KeyOf(sequence), ValueOf(sequence));
      visible_.store(sequence, std::memory_order_release);
    }
  }

  // A published entry is found, or at most a newer visible one of the same key.
  void ReadPoints(uint64_t seed) {
    Random random(seed);
    for (uint64_t visible = 0; visible < kEntries;) {
      visible = visible_.load(std::memory_order_acquire);
      if (visible == 0) continue;
      const uint64_t sequence = random.OneIn(2) ? visible : 1 + random.Uniform(visible);
      const std::string key = KeyOf(sequence);
      Lookup lookup;
      memtable_.Get({key, random.OneIn(2) ? visible : sequence, Hash64(key)}, &lookup);
      ASSERT_EQ(lookup.state, Lookup::State::kFound) << script().name << " seed " << seed;
      ASSERT_GE(lookup.sequence, sequence);
      ASSERT_LE(lookup.sequence, visible);
      ASSERT_EQ(KeyOf(lookup.sequence), key);
      ASSERT_EQ(lookup.value, ValueOf(lookup.sequence));
    }
  }

  // A whole walk is in strict order and has each published entry once.
  void ReadAll(uint64_t seed) {
    Random random(seed);
    for (uint64_t visible = 0; visible < kEntries;) {
      visible = visible_.load(std::memory_order_acquire);
      const bool forward = random.OneIn(2);
      const auto it = memtable_.NewIterator();
      std::string key;
      uint64_t trailer = 0;
      uint64_t found = 0;
      uint64_t steps = 0;
      for (forward ? it->SeekToFirst() : it->SeekToLast(); it->Valid(); forward ? it->Next() : it->Prev()) {
        if (steps++ > 0) {
          const int order = CompareInternal(key, trailer, it->key(), it->trailer());
          ASSERT_TRUE(forward ? order < 0 : order > 0) << script().name << " seed " << seed;
        }
        key = std::string(it->key());
        trailer = it->trailer();
        ASSERT_EQ(it->value(), ValueOf(it->sequence()));
        found += it->sequence() <= visible;
      }
      ASSERT_EQ(found, visible) << script().name << " seed " << seed;
    }
  }

  // Seeks end where a published entry is, and what lies between the target and there is not published.
  void ReadSeeks(uint64_t seed) {
    Random random(seed);
    const auto it = memtable_.NewIterator();
    for (uint64_t visible = 0; visible < kEntries;) {
      visible = visible_.load(std::memory_order_acquire);
      if (visible == 0) continue;
      const uint64_t sequence = 1 + random.Uniform(visible);
      const uint64_t trailer = PackTrailer(sequence, ValueType::kValue);
      const std::string key = KeyOf(sequence);
      const bool forward = random.OneIn(2);
      forward ? it->Seek(key, trailer) : it->SeekForPrev(key, trailer);
      ASSERT_TRUE(it->Valid()) << script().name << " seed " << seed;
      ASSERT_EQ(it->key(), key);
      ASSERT_EQ(it->trailer(), trailer);
      // The steps before and after a published entry lead back to it.
      forward ? it->Next() : it->Prev();
      if (!it->Valid()) continue;
      ASSERT_NE(CompareInternal(it->key(), it->trailer(), key, trailer) < 0, forward);
      do {
        forward ? it->Prev() : it->Next();
        ASSERT_TRUE(it->Valid());
      } while (it->sequence() > visible);
      ASSERT_EQ(it->key(), key);
      ASSERT_EQ(it->trailer(), trailer);
    }
  }

  MemTable memtable_{nullptr, nullptr, 0, indexed()};
  std::atomic<uint64_t> visible_{0};
};

TEST_P(MemTableThreads, ReadersSeeAllThatIsPublished) {
  std::vector<std::thread> readers;
  readers.emplace_back([this] { ReadPoints(1); });
  readers.emplace_back([this] { ReadAll(2); });
  readers.emplace_back([this] { ReadSeeks(3); });
  Write();
  for (std::thread& reader : readers) reader.join();
}

INSTANTIATE_TEST_SUITE_P(Scripts, MemTableThreads,
                         testing::Range(0, static_cast<int>(std::size(kScripts) * std::size(kIndexed))),
                         [](const auto& param_info) {
                           const auto i = static_cast<size_t>(param_info.param);
                           return kScripts[i % std::size(kScripts)].name + std::string("Indexed") +
                                  std::to_string(kIndexed[i / std::size(kScripts)]);
                         });

}  // namespace
}  // namespace seerdb
