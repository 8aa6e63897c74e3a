#include "txn/indexed_batch.h"

#include <gtest/gtest.h>

#include <string>

#include "format/batch_codec.h"
#include "format/entry_payload.h"
#include "format/keyspace_prefix.h"
#include "seerdb/merge_operator.h"

namespace seerdb {
namespace {

class IndexedBatchTest : public ::testing::Test {
 protected:
  void Add(ValueType type, Slice key, Slice payload = {}) {
    KeyNode* node = nullptr;
    batch_.Add(type, kDefaultKeyspacePrefix, key, payload, &node);
  }
  // What the writes make of `key` over nothing: "=value", "absent", "nothing" or "+" and what is merged.
  std::string Look(const std::string& key) {
    const std::string engine_key = std::string(kDefaultKeyspacePrefix) + key;
    const KeyNode* const node = batch_.index().Find(engine_key);
    Slice value;
    switch (batch_.Look(node, engine_key, now_us_, &value)) {
      case IndexedBatch::Own::kNothing:
        return "nothing";
      case IndexedBatch::Own::kValue:
        return "=" + std::string(value);
      case IndexedBatch::Own::kAbsent:
        return "absent";
      case IndexedBatch::Own::kMerge:
        break;
    }
    MergeChain chain;
    batch_.FillChain(*node, now_us_, &chain);
    return (chain.ended() ? "+" : "base+") + **chain.Merge(StringAppend(",").get(), "", key);
  }
  uint32_t Encoded() const {
    uint32_t count = 0;
    EXPECT_TRUE(CheckBatchOperations(batch_.operations(), &count).ok());
    return count;
  }

  IndexedBatch batch_;
  uint64_t now_us_ = 1000;
};

TEST_F(IndexedBatchTest, TheNewestWriteOfAKeyCounts) {
  EXPECT_EQ(Look("a"), "nothing");
  Add(ValueType::kValue, "a", "1");
  EXPECT_EQ(Look("a"), "=1");
  Add(ValueType::kValue, "a", "");
  EXPECT_EQ(Look("a"), "=");
  Add(ValueType::kDeletion, "a");
  EXPECT_EQ(Look("a"), "absent");
  Add(ValueType::kMerge, "a", "2");
  EXPECT_EQ(Look("a"), "+2") << "it rests on the deletion";
  Add(ValueType::kMerge, "b", "1");
  Add(ValueType::kMerge, "b", "2");
  EXPECT_EQ(Look("b"), "base+1,2");
  std::string payload;
  AppendPayload(&payload, 1001, "short");
  Add(ValueType::kExpiringValue, "c", payload);
  EXPECT_EQ(Look("c"), "=short");
  now_us_ = 1001;
  EXPECT_EQ(Look("c"), "absent");
  EXPECT_EQ(batch_.count(), 7u);
  EXPECT_EQ(Encoded(), 7u);
}

TEST_F(IndexedBatchTest, ARangeDeleteCountsForKeysWrittenBeforeAndForOthers) {
  Add(ValueType::kValue, "b", "1");
  Add(ValueType::kValue, "d", "1");
  batch_.AddRange(kDefaultKeyspace, kDefaultKeyspacePrefix, "b", "d");
  EXPECT_EQ(Look("a"), "nothing");
  EXPECT_EQ(Look("b"), "absent");
  EXPECT_EQ(Look("c"), "absent");
  EXPECT_EQ(Look("d"), "=1");
  Add(ValueType::kMerge, "b", "2");
  Add(ValueType::kMerge, "c", "2");
  EXPECT_EQ(Look("b"), "+2");
  EXPECT_EQ(Look("c"), "+2");
  EXPECT_EQ(batch_.count(), 5u);
  EXPECT_EQ(batch_.ranges(), 1u);
  EXPECT_EQ(Encoded(), 5u) << "what only the index needs was encoded";
}

TEST_F(IndexedBatchTest, SavepointsNest) {
  EXPECT_FALSE(batch_.RollbackToSavepoint());
  EXPECT_FALSE(batch_.ReleaseSavepoint());
  Add(ValueType::kValue, "a", "1");
  batch_.SetSavepoint();
  Add(ValueType::kValue, "a", "2");
  Add(ValueType::kMerge, "b", "2");
  batch_.SetSavepoint();
  batch_.AddRange(kDefaultKeyspace, kDefaultKeyspacePrefix, "a", std::nullopt);
  Add(ValueType::kMerge, "c", "3");
  EXPECT_EQ(Look("a"), "absent");
  EXPECT_EQ(Look("c"), "+3");
  ASSERT_TRUE(batch_.RollbackToSavepoint());
  EXPECT_EQ(Look("a"), "=2");
  EXPECT_EQ(Look("b"), "base+2");
  EXPECT_EQ(Look("c"), "nothing");
  EXPECT_EQ(batch_.ranges(), 0u);
  batch_.SetSavepoint();
  Add(ValueType::kValue, "c", "4");
  ASSERT_TRUE(batch_.ReleaseSavepoint());
  EXPECT_EQ(Look("c"), "=4");
  ASSERT_TRUE(batch_.RollbackToSavepoint()) << "to the first one";
  EXPECT_EQ(Look("a"), "=1");
  EXPECT_EQ(Look("b"), "nothing");
  EXPECT_EQ(Look("c"), "nothing");
  EXPECT_FALSE(batch_.RollbackToSavepoint());
  EXPECT_EQ(batch_.count(), 1u);
  EXPECT_EQ(Encoded(), 1u);
}

TEST_F(IndexedBatchTest, WrittenKeysAreFoundInOrder) {
  bool added = false;
  batch_.index().FindOrAdd(std::string(kDefaultKeyspacePrefix) + "b", &added);  // only read
  Add(ValueType::kValue, "a", "1");
  Add(ValueType::kDeletion, "c");
  const std::string lower(kDefaultKeyspacePrefix);
  const std::string upper = BehindPrefix(lower);
  EXPECT_EQ(batch_.FirstWritten(lower, upper)->key, lower + "a");
  EXPECT_EQ(batch_.FirstWritten(lower + "b", upper)->key, lower + "c");
  EXPECT_EQ(batch_.FirstWritten(lower + "b", lower + "c"), nullptr);
  EXPECT_EQ(batch_.LastWritten(lower, upper)->key, lower + "c");
  EXPECT_EQ(batch_.LastWritten(lower, lower + "c")->key, lower + "a");
  EXPECT_EQ(batch_.LastWritten(lower + "b", lower + "c"), nullptr);
}

// A deletion that hides another one adds nothing.
TEST_F(IndexedBatchTest, KeysUnderManyRangeDeletesTakeNoMoreMemory) {
  for (int i = 0; i < 200; ++i) Add(ValueType::kValue, "k" + std::to_string(i), "1");
  batch_.SetSavepoint();
  const auto delete_all = [&] { batch_.AddRange(0, kDefaultKeyspacePrefix, "k", Slice("l")); };
  delete_all();
  const uint64_t bytes = batch_.bytes();
  for (int i = 0; i < 500; ++i) delete_all();
  EXPECT_LT(batch_.bytes(), bytes + 200'000) << "of 500 range deletes, not of 100,000 deletions";
  EXPECT_EQ(Look("k7"), "absent");
  batch_.SetSavepoint();
  Add(ValueType::kValue, "k7", "2");
  delete_all();
  EXPECT_EQ(Look("k7"), "absent");
  ASSERT_TRUE(batch_.RollbackToSavepoint());
  EXPECT_EQ(Look("k7"), "absent");
  ASSERT_TRUE(batch_.RollbackToSavepoint());
  EXPECT_EQ(Look("k7"), "=1");
  EXPECT_EQ(Encoded(), batch_.count());
}

}  // namespace
}  // namespace seerdb
