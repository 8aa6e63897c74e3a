#include "memtable/entry_sorter.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/random.h"
#include "memtable/memtable.h"

namespace seerdb {
namespace {

using MakeKey = std::function<std::string(Random*, uint64_t)>;

std::string BigEndian(uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

std::string Digits(uint64_t value) {
  std::string digits = std::to_string(value);
  return std::string(16 - std::min<size_t>(16, digits.size()), '0') + digits;
}

// Of few bytes, among them zeros and the greatest: many are prefixes of others, or differ in zeros alone.
std::string Tangled(Random* random, uint64_t longest) {
  std::string key(random->Uniform(longest), '\0');
  for (char& byte : key) byte = "\0\0a\xff"[random->Uniform(4)];
  return key;
}

struct KeyCase {
  const char* name;
  MakeKey make;

  friend void PrintTo(const KeyCase& keys, std::ostream* out) { *out << keys.name; }
};

const KeyCase kKeys[] = {
    {"random", [](Random* random, uint64_t) { return BigEndian(random->Next()) + "tail"; }},
    {"digits", [](Random* random, uint64_t) { return Digits(random->Uniform(100'000)); }},
    {"ascending", [](Random*, uint64_t i) { return Digits(i); }},
    {"descending", [](Random*, uint64_t i) { return Digits(1'000'000 - i); }},
    {"one", [](Random*, uint64_t) { return std::string("one key"); }},
    {"few", [](Random* random, uint64_t) { return "k" + std::to_string(random->Uniform(5)); }},
    {"tangled", [](Random* random, uint64_t) { return Tangled(random, 12); }},
    {"tangled long", [](Random* random, uint64_t) { return Tangled(random, 40); }},
    {"shared far",
     [](Random* random, uint64_t) { return std::string(1000, 'p') + Digits(random->Next() % 999); }},
    {"all lengths", [](Random* random, uint64_t) { return std::string(random->Uniform(1500), 'x'); }},
    {"ladder",  // of each shared part some keys leave
     [](Random* random, uint64_t) {
       return std::string(8 * random->Uniform(200), 'l') + BigEndian(random->Next());
     }},
    {"two worlds",
     [](Random* random, uint64_t) {
       return random->OneIn(2) ? "a/long/way/" + Digits(random->Uniform(500)) : BigEndian(random->Next());
     }},
};

void ExpectSameEntry(const InternalIterator& found, const InternalIterator& want) {
  ASSERT_EQ(found.Valid(), want.Valid());
  if (!want.Valid()) return;
  ASSERT_EQ(found.key(), want.key());
  ASSERT_EQ(found.trailer(), want.trailer());
  ASSERT_EQ(found.value(), want.value());
}

class EntrySorterTest : public ::testing::TestWithParam<KeyCase> {
 protected:
  void Fill(Random* random, uint64_t entries) {
    for (uint64_t i = 0; i < entries; ++i) {
      const std::string key = GetParam().make(random, i);
      const auto type = static_cast<ValueType>(random->Uniform(4));
      const std::string value = type == ValueType::kDeletion ? "" : std::to_string(random->Uniform(1000));
      keys_.push_back(key);
      sequence_ += 1 + random->Uniform(3);
      memtable_.Add(sequence_, type, key, value);
      sorter_.Add(sequence_, type, key, value);
    }
  }

  MemTable memtable_;
  EntrySorter sorter_;
  SequenceNumber sequence_ = 0;
  std::vector<std::string> keys_;
};

TEST_P(EntrySorterTest, HasTheOrderOfAMemTable) {
  // The last of them in parts.
  for (const uint64_t entries : {1, 2, 40, 300, 5'000, 20'000, 60'000}) {
    SCOPED_TRACE(entries);
    MemTable memtable;
    EntrySorter sorter;
    Random random(entries);
    for (uint64_t i = 0; i < entries; ++i) {
      const std::string key = GetParam().make(&random, i);
      const std::string value = Digits(i) + std::string(i % 50 == 0 ? 3000 : 0, 'v');
      memtable.Add(i + 1, ValueType::kValue, key, value);
      sorter.Add(i + 1, ValueType::kValue, key, value);
    }
    EXPECT_GE(sorter.bytes(), sorter.entry_bytes());
    const auto found = sorter.NewIterator();
    const auto want = memtable.NewIterator();
    found->SeekToFirst();
    for (want->SeekToFirst(); want->Valid(); want->Next(), found->Next()) {
      ASSERT_NO_FATAL_FAILURE(ExpectSameEntry(*found, *want));
    }
    EXPECT_FALSE(found->Valid());
    EXPECT_TRUE(found->status().ok());
  }
}

TEST_P(EntrySorterTest, SeeksAsAMemTable) {
  Random random(7);
  Fill(&random, 2'000);
  const auto found = sorter_.NewIterator();
  const auto want = memtable_.NewIterator();
  found->SeekToLast();
  want->SeekToLast();
  for (; want->Valid(); want->Prev(), found->Prev()) ASSERT_NO_FATAL_FAILURE(ExpectSameEntry(*found, *want));
  EXPECT_FALSE(found->Valid());
  for (int i = 0; i < 500; ++i) {
    std::string key = keys_[random.Uniform(keys_.size())];
    if (random.OneIn(3)) key.push_back('\0');
    if (random.OneIn(3) && !key.empty()) key.pop_back();
    const uint64_t trailer = SeekTrailer(random.Uniform(sequence_ + 2));
    found->Seek(key, trailer);
    want->Seek(key, trailer);
    ASSERT_NO_FATAL_FAILURE(ExpectSameEntry(*found, *want));
    found->SeekForPrev(key, trailer);
    want->SeekForPrev(key, trailer);
    ASSERT_NO_FATAL_FAILURE(ExpectSameEntry(*found, *want));
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, EntrySorterTest, ::testing::ValuesIn(kKeys), [](const auto& keys) {
  std::string name = keys.param.name;
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
});

TEST(EntrySorter, OfNothingIsEmpty) {
  EntrySorter sorter;
  EXPECT_TRUE(sorter.empty());
  EXPECT_EQ(sorter.bytes(), 0u);
  const auto entries = sorter.NewIterator();
  for (const auto& move : std::vector<std::function<void()>>{
           [&] { entries->SeekToFirst(); }, [&] { entries->SeekToLast(); },
           [&] { entries->Seek("", kFirstTrailer); }, [&] { entries->SeekForPrev("z", kLastTrailer); }}) {
    move();
    EXPECT_FALSE(entries->Valid());
  }
}

// Records lie on both sides of what the range tombstones take from the same memory.
TEST(EntrySorter, KeepsRangeTombstonesBesideTheEntries) {
  MemTable memtable;
  EntrySorter sorter;
  EXPECT_EQ(sorter.range_tombstones(), nullptr);
  Random random(3);
  for (SequenceNumber sequence = 1; sequence < 500; ++sequence) {
    const std::string key = Digits(random.Uniform(50));
    if (random.OneIn(5)) {
      memtable.AddRange(sequence, key, key + "x");
      sorter.AddRange(sequence, key, key + "x");
    } else {
      const std::string value(random.Uniform(40), 'v');
      memtable.Add(sequence, ValueType::kValue, key, value);
      sorter.Add(sequence, ValueType::kValue, key, value);
    }
  }
  EXPECT_FALSE(sorter.empty());
  const auto found = sorter.NewIterator();
  const auto want = memtable.NewIterator();
  found->SeekToFirst();
  for (want->SeekToFirst(); want->Valid(); want->Next(), found->Next()) {
    ASSERT_NO_FATAL_FAILURE(ExpectSameEntry(*found, *want));
    EXPECT_EQ(sorter.range_tombstones()->Find(want->key(), kMaxSequence),
              memtable.range_tombstones()->Find(want->key(), kMaxSequence));
  }
  EXPECT_FALSE(found->Valid());
  EXPECT_EQ(sorter.range_tombstones()->last_sequence(), memtable.range_tombstones()->last_sequence());
}

TEST(EntrySorter, OfRangeTombstonesAloneIsNotEmpty) {
  EntrySorter sorter;
  sorter.AddRange(4, "a", "b");
  EXPECT_FALSE(sorter.empty());
  const auto entries = sorter.NewIterator();
  entries->SeekToFirst();
  EXPECT_FALSE(entries->Valid());
}

// Iterators of many entries hold few of them at a time.
TEST(EntrySorter, CountsWhatItHoldsAndWhatAnIteratorNeeds) {
  for (const uint64_t entries : {10'000, 300'000}) {
    SCOPED_TRACE(entries);
    EntrySorter sorter;
    for (SequenceNumber sequence = 1; sequence <= entries; ++sequence) {
      sorter.Add(sequence, ValueType::kValue, Digits(sequence * 7919 % 10'007), "value");
    }
    EXPECT_GE(sorter.bytes(), sorter.entry_bytes() + (entries < 20'000 ? entries * 32 : 0));
    EXPECT_LT(sorter.bytes(), sorter.entry_bytes() + (entries < 20'000 ? entries * 36 : entries * 20));
  }
}

}  // namespace
}  // namespace seerdb
