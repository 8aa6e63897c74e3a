#include "format/batch_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "format/keyspace_prefix.h"
#include "format/keyspace_table.h"

namespace seerdb {
namespace {

class Recorder : public WriteBatch::Handler {
 public:
  void Put(uint32_t keyspace, Slice key, Slice value) override {
    Begin(keyspace);
    text_ += "put " + std::string(key) + "=" + std::string(value) + ";";
  }
  void Delete(uint32_t keyspace, Slice key) override {
    Begin(keyspace);
    text_ += "delete " + std::string(key) + ";";
  }
  void Merge(uint32_t keyspace, Slice key, Slice operand) override {
    Begin(keyspace);
    text_ += "merge " + std::string(key) + "+" + std::string(operand) + ";";
  }
  void PutWithTtl(uint32_t keyspace, Slice key, Slice value, uint64_t ttl_us) override {
    Begin(keyspace);
    text_ += "put " + std::string(key) + "=" + std::string(value) + " for " + std::to_string(ttl_us) + ";";
  }
  void DeleteRange(uint32_t keyspace, Slice begin, std::optional<Slice> end) override {
    Begin(keyspace);
    text_ += "delete " + std::string(begin) + ".." + std::string(end.value_or("the end")) + ";";
  }
  const std::string& text() const { return text_; }

 private:
  void Begin(uint32_t keyspace) {
    if (keyspace != kDefaultKeyspace) text_ += std::to_string(keyspace) + ":";
  }
  std::string text_;
};

TEST(BatchCodec, ReadsWhatWasAppended) {
  std::string out;
  AppendBatchOperation(&out, ValueType::kValue, 0, "key", "value");
  AppendBatchOperation(&out, ValueType::kDeletion, 300, "gone", "ignored");
  AppendBatchOperation(&out, ValueType::kMerge, 0, "", "");
  AppendRangeDeletion(&out, 100'000, "a", "z");
  AppendRangeDeletion(&out, 0, "", std::nullopt);
  std::string far_end;
  AppendKeyspacePrefix(&far_end, 100'000);
  far_end += "z";
  BatchReader reader(out);
  BatchOperation operation;
  struct Want {
    ValueType type;
    uint32_t keyspace;
    std::string key;
    std::string value;
  };
  for (const Want& want : std::vector<Want>{{ValueType::kValue, 0, "key", "value"},
                                            {ValueType::kDeletion, 300, "gone", ""},
                                            {ValueType::kMerge, 0, "", ""},
                                            {ValueType::kRangeDeletion, 100'000, "a", far_end},
                                            {ValueType::kRangeDeletion, 0, "", "\x01"}}) {
    ASSERT_TRUE(reader.Next(&operation));
    EXPECT_EQ(operation.type, want.type);
    uint32_t keyspace = 0;
    Slice key;
    ASSERT_TRUE(ParseEngineKey(operation.key, &keyspace, &key));
    EXPECT_EQ(keyspace, want.keyspace);
    EXPECT_EQ(key, want.key);
    EXPECT_EQ(operation.value, want.value);
  }
  EXPECT_FALSE(reader.Next(&operation));
  EXPECT_TRUE(reader.ok());
  uint32_t count = 0;
  EXPECT_TRUE(CheckBatchOperations(out, &count).ok());
  EXPECT_EQ(count, 5u);
}

TEST(BatchCodec, EmptyBatch) {
  uint32_t count = 9;
  EXPECT_TRUE(CheckBatchOperations("", &count).ok());
  EXPECT_EQ(count, 0u);
}

TEST(BatchCodec, MalformedBytesAreRefused) {
  const std::string cases[] = {
      std::string("\x05\x02\0k", 4),                                    // unknown kind
      "\xff",                                                           // unknown kind, cut off
      std::string("\x00", 1),                                           // no key
      std::string("\x00\x03\0k", 4),                                    // key cut off
      std::string("\x01\x02\0k", 4),                                    // no value
      std::string("\x01\x02\0k\x05v", 6),                               // value cut off
      std::string("\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11),  // length of 2^64 - 1
      std::string("\x00\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 12),
      std::string("\x00\x00", 2),      // a key without a keyspace
      std::string("\x00\x01\x80", 3),  // half a keyspace
      std::string("\x00\x01\xc1", 3),  // no such keyspace prefix
      std::string("\x04\x02\x00"
                  "b\x02\x00"
                  "b",
                  7),  // an empty range
      std::string("\x04\x02\x00"
                  "b\x02\x00"
                  "a",
                  7),  // an inverted one
      std::string("\x04\x02\x00"
                  "b\x02\x01"
                  "a",
                  7),  // one that leaves its keyspace
  };
  for (const std::string& bytes : cases) {
    uint32_t count = 0;
    EXPECT_TRUE(CheckBatchOperations(bytes, &count).IsCorruption()) << ::testing::PrintToString(bytes);
  }
}

TEST(BatchCodec, CutsAndDamageAreSafe) {
  std::string good;
  for (int i = 0; i < 5; ++i) {
    AppendBatchOperation(&good, i % 2 == 0 ? ValueType::kValue : ValueType::kDeletion, 0,
                         "key" + std::to_string(i), std::string(i * 40, 'v'));
  }
  uint32_t count = 0;
  for (size_t n = 0; n < good.size(); ++n) {
    if (CheckBatchOperations(Slice(good).substr(0, n), &count).ok()) {
      EXPECT_LT(count, 5u);
    }
  }
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int round = 0; round < 20'000; ++round) {
    // Of its own size, so that a sanitizer sees a read beyond it.
    const std::string bytes = [&] {
      std::string damaged = good.substr(0, 1 + random.Uniform(good.size()));
      damaged[random.Uniform(damaged.size())] = static_cast<char>(random.Next());
      damaged.shrink_to_fit();
      return damaged;
    }();
    BatchReader reader(bytes);
    BatchOperation operation;
    size_t used = 0;
    while (reader.Next(&operation)) used += operation.key.size() + operation.value.size();
    EXPECT_LE(used, bytes.size());
    EXPECT_FALSE(reader.Next(&operation)) << "an ended reader stays ended";
  }
}

TEST(MayBeOperations, NeverSaysNoToThoseThatAreWellFormed) {
  Random random(17);
  for (int round = 0; round < 200; ++round) {
    std::string all;
    for (uint64_t n = 1 + random.Uniform(24); n > 0; --n) {
      const std::string key(random.Uniform(random.OneIn(8) ? 40000 : 20), static_cast<char>(random.Next()));
      const std::string value(random.Uniform(random.OneIn(8) ? 3000 : 200), 'v');
      const auto type = static_cast<ValueType>(random.Uniform(kMaxValueType + 1));
      AppendBatchOperation(&all, type, static_cast<uint32_t>(random.Uniform(300)), key, value);
    }
    for (size_t seen = 0; seen <= all.size(); seen += seen < 300 ? 1 : 1 + random.Uniform(1000)) {
      const std::string first = all.substr(0, seen);  // of its own size: a read beyond it is seen
      EXPECT_TRUE(MayBeOperations(first, all.size())) << seen << " of " << all.size();
    }
  }
}

TEST(MayBeOperations, SaysNoToMostOtherBytes) {
  EXPECT_FALSE(MayBeOperations(std::string(8, '\0'), 8)) << "a key without the prefix of a keyspace";
  EXPECT_FALSE(MayBeOperations("text", 4)) << "no kind of operation";
  EXPECT_TRUE(MayBeOperations("\xf", 4)) << "one of a later version";
  EXPECT_FALSE(MayBeOperations(std::string("\0\x05\0", 3), 6)) << "a key that ends behind the operations";
  EXPECT_FALSE(MayBeOperations(std::string("\1\1\0\3v", 5), 6)) << "a value that ends behind them";
  EXPECT_FALSE(MayBeOperations(std::string("\0\x80\x80", 3), 3)) << "half a length";
  EXPECT_FALSE(MayBeOperations("\1" + std::string(11, '\xff'), 100)) << "no length of 64 bits";
  std::string batch;
  AppendBatchOperation(&batch, ValueType::kValue, 0, "key", std::string(200, 'v'));
  EXPECT_FALSE(MayBeOperations(batch + std::string(40, '\0'), batch.size() + 40));
  for (size_t early = 1; early <= 3; ++early) {
    const std::string shifted = std::string(early, '\0') + batch;
    EXPECT_FALSE(MayBeOperations(shifted, shifted.size() * 256)) << early;
  }
}

TEST(WriteBatch, CountsMeasuresAndIterates) {
  WriteBatch batch;
  EXPECT_EQ(batch.size(), 0u);
  batch.Put("a", "1");
  batch.Delete("bcd");
  batch.Put("", std::string(50, 'v'));
  EXPECT_EQ(batch.size(), 3u);
  EXPECT_EQ(WriteBatchAccess::LargestKeyBytes(batch), 3u);
  EXPECT_EQ(WriteBatchAccess::LargestValueBytes(batch), 50u);
  Recorder recorder;
  batch.Iterate(&recorder);
  EXPECT_EQ(recorder.text(), "put a=1;delete bcd;put =" + std::string(50, 'v') + ";");
  const Keyspace users(nullptr, std::make_shared<const KeyspaceState>(0, 300, "users", KeyspaceOptions()));
  batch.Clear();
  batch.Put(users, "a", "1");
  batch.Delete(users, "b");
  batch.Merge(users, "c", "3");
  batch.Merge("d", "");
  batch.PutWithTtl("e", "5", 60);
  batch.PutWithTtl(users, "", "6", kNoTtl);
  Recorder elsewhere;
  batch.Iterate(&elsewhere);
  EXPECT_EQ(
      elsewhere.text(),
      "300:put a=1;300:delete b;300:merge c+3;merge d+;put e=5 for 60;300:put =6 for 18446744073709551615;");
  EXPECT_EQ(WriteBatchAccess::Keyspaces(batch).size(), 1u);
  uint32_t count = 0;
  batch.Clear();
  EXPECT_EQ(batch.size(), 0u);
  EXPECT_EQ(WriteBatchAccess::LargestValueBytes(batch), 0u);
  Recorder empty;
  batch.Iterate(&empty);
  EXPECT_EQ(empty.text(), "");
  EXPECT_TRUE(CheckBatchOperations("", &count).ok());
}

}  // namespace
}  // namespace seerdb
