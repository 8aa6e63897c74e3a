#include "db/write_stamp.h"

#include <gtest/gtest.h>

#include <set>

#include "format/batch_codec.h"
#include "format/entry_payload.h"
#include "seerdb/merge_operator.h"
#include "seerdb/write_batch.h"

namespace seerdb {
namespace {

constexpr uint64_t kNow = 1'700'000'000'000'000;
constexpr uint64_t kDay = uint64_t{24} * 3600 * 1'000'000;

KeyspaceStatePtr State(uint32_t id, uint64_t default_ttl_us,
                       std::shared_ptr<const MergeOperator> merge_operator = nullptr,
                       const std::string& merge_operator_name = "") {
  KeyspaceOptions options;
  options.default_ttl_us = default_ttl_us;
  options.merge_operator = std::move(merge_operator);
  return std::make_shared<const KeyspaceState>(0, id, "name", options, merge_operator_name);
}

// 0 merges and has no default time to live, 1 merges and has one of a day, 2 neither; 3 was dropped.
KeyspaceTablePtr Table() {
  return std::make_shared<const KeyspaceTable>(
      std::vector<KeyspaceStatePtr>{State(0, 0, StringAppend()), State(1, kDay, StringAppend()), State(2, 0)},
      4);
}

// One operation a word: "put 0/k=v", "put 0/k=v +100" if it expires 100 after kNow, "merge ...", "delete
// 0/k".
std::string Show(Slice operations) {
  std::string out;
  BatchReader reader(operations);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    EXPECT_LT(static_cast<uint8_t>(operation.key[0]), 3);
    const std::string key =
        std::to_string(static_cast<int>(operation.key[0])) + "/" + std::string(operation.key.substr(1));
    if (!out.empty()) out += "; ";
    if (operation.type == ValueType::kDeletion) {
      out += "delete " + key;
      continue;
    }
    EntryPayload payload;
    EXPECT_TRUE(ParsePayload(operation.type, operation.value, &payload));
    out += (IsMerge(operation.type) ? "merge " : "put ") + key + "=" + std::string(payload.value);
    if (Expires(operation.type)) out += " +" + std::to_string(payload.expires_us - kNow);
  }
  EXPECT_TRUE(reader.ok());
  return out;
}

std::string Stamped(const std::string& operations, uint64_t ttl_us) {
  const Result<std::string> stamped = StampBatch(operations, ttl_us, kNow, Table());
  return stamped.ok() ? Show(*stamped) : "refused: " + stamped.status().ToString();
}

TEST(WriteStamp, TimesToLiveHaveARange) {
  for (const uint64_t ttl_us : {uint64_t{0}, uint64_t{1}, kMaxTtlUs, kNoTtl}) {
    EXPECT_TRUE(CheckTtl(ttl_us).ok()) << ttl_us;
  }
  for (const uint64_t ttl_us : {kMaxTtlUs + 1, kNoTtl - 1}) {
    const Status refused = CheckTtl(ttl_us);
    EXPECT_TRUE(refused.IsInvalidArgument()) << ttl_us;
    EXPECT_NE(refused.message().find(std::to_string(ttl_us)), Slice::npos) << refused.ToString();
  }
}

TEST(WriteStamp, APutExpiresAfterItsTimeElseAfterThatOfItsKeyspace) {
  const KeyspaceStatePtr forever = State(0, 0);
  const KeyspaceStatePtr a_day = State(1, kDay);
  EXPECT_EQ(PutExpiry(0, *forever, kNow), kNeverExpires);
  EXPECT_EQ(PutExpiry(7, *forever, kNow), kNow + 7);
  EXPECT_EQ(PutExpiry(0, *a_day, kNow), kNow + kDay);
  EXPECT_EQ(PutExpiry(7, *a_day, kNow), kNow + 7);
  EXPECT_EQ(PutExpiry(kNoTtl, *a_day, kNow), kNeverExpires);
  EXPECT_EQ(PutExpiry(kMaxTtlUs, *forever, kNow), kNow + kMaxTtlUs);
}

TEST(WriteStamp, NoClockMakesATimeThatCannotBeWritten) {
  const KeyspaceStatePtr a_day = State(1, kDay);
  EXPECT_EQ(PutExpiry(0, *a_day, 0), kDay);
  for (const uint64_t now_us : {kMaxTimeUs - 1, kMaxTimeUs, UINT64_MAX}) {
    EXPECT_LE(PutExpiry(kMaxTtlUs, *a_day, now_us), kMaxTimeUs);
    EXPECT_LE(MergeExpiry(kMaxTtlUs, *a_day, now_us), kMaxTimeUs);
  }
}

// The whole of a time to live that passes while keys are merged into makes 64 or 65 different times.
TEST(WriteStamp, MergesExpireInStepsOfA64th) {
  const KeyspaceStatePtr keyspace = State(1, 0);
  for (const uint64_t ttl_us : {uint64_t{64}, uint64_t{6400}, uint64_t{64'000'000}, kDay}) {
    SCOPED_TRACE(ttl_us);
    const uint64_t step_us = ttl_us / 64;
    std::set<uint64_t> times;
    for (int i = 0; i < 6400; ++i) {
      const uint64_t now_us = kNow + ttl_us * static_cast<uint64_t>(i) / 6400;
      const uint64_t expires_us = MergeExpiry(ttl_us, *keyspace, now_us);
      ASSERT_LE(expires_us, now_us + ttl_us);
      ASSERT_GT(expires_us + step_us, now_us + ttl_us);
      ASSERT_GT(expires_us, now_us);
      ASSERT_EQ(expires_us % step_us, 0u);
      times.insert(expires_us);
    }
    EXPECT_TRUE(times.size() == 64 || times.size() == 65) << times.size();
  }
}

TEST(WriteStamp, MergesOfLessThan64MicrosecondsExpireOnTheMicrosecond) {
  const KeyspaceStatePtr keyspace = State(1, 0);
  for (const uint64_t ttl_us : {1u, 2u, 63u}) {
    EXPECT_EQ(MergeExpiry(ttl_us, *keyspace, kNow), kNow + ttl_us);
  }
}

TEST(WriteStamp, AMergeFollowsTheTimeOfItsKeyspaceToo) {
  const uint64_t step_us = kDay / 64;
  EXPECT_EQ(MergeExpiry(0, *State(0, 0), kNow), kNeverExpires);
  EXPECT_EQ(MergeExpiry(0, *State(1, kDay), kNow), (kNow + kDay) / step_us * step_us);
  EXPECT_EQ(MergeExpiry(kNoTtl, *State(1, kDay), kNow), kNeverExpires);
}

TEST(WriteStamp, MergesNeedAnOperator) {
  EXPECT_TRUE(CheckMergeable(*State(1, 0, StringAppend())).ok());
  const Status none = CheckMergeable(*State(1, 0));
  EXPECT_TRUE(none.IsInvalidArgument() && none.detail() == StatusDetail::kMergeFailed) << none.ToString();
  const Status missing = CheckMergeable(*State(1, 0, nullptr, "the missing one"));
  EXPECT_TRUE(missing.IsInvalidArgument() && missing.detail() == StatusDetail::kMergeFailed);
  EXPECT_NE(missing.message().find("the missing one"), Slice::npos) << missing.ToString();
}

TEST(WriteStamp, ABatchOfAllKindsGetsItsTimes) {
  std::string operations;
  const auto put_with_ttl = [&](uint32_t keyspace, Slice key, uint64_t ttl_us) {
    std::string payload;
    AppendPayload(&payload, ttl_us, "v");
    AppendBatchOperation(&operations, ValueType::kExpiringValue, keyspace, key, payload);
  };
  AppendBatchOperation(&operations, ValueType::kValue, 0, "a", "v");
  AppendBatchOperation(&operations, ValueType::kValue, 1, "b", "v");
  AppendBatchOperation(&operations, ValueType::kDeletion, 1, "c", "");
  AppendBatchOperation(&operations, ValueType::kMerge, 0, "d", "o");
  AppendBatchOperation(&operations, ValueType::kMerge, 1, "e", "o");
  put_with_ttl(0, "f", 50);
  put_with_ttl(1, "g", 50);
  put_with_ttl(1, "h", 0);
  put_with_ttl(2, "", 50);
  const std::string day = std::to_string(kDay);
  const std::string day_of_merge = std::to_string((kNow + kDay) / (kDay / 64) * (kDay / 64) - kNow);
  EXPECT_EQ(Stamped(operations, 0),
            "put 0/a=v; put 1/b=v +" + day + "; delete 1/c; merge 0/d=o; merge 1/e=o +" + day_of_merge +
                "; put 0/f=v +50; put 1/g=v +50; put 1/h=v +" + day + "; put 2/=v +50");
  EXPECT_EQ(Stamped(operations, 20),
            "put 0/a=v +20; put 1/b=v +20; delete 1/c; merge 0/d=o +20; merge 1/e=o +20; put 0/f=v +50; "
            "put 1/g=v +50; put 1/h=v +" +
                day + "; put 2/=v +50")
      << "of the write, where the operation names none";
}

TEST(WriteStamp, KNoTtlOfAWriteOrAnOperationIsForEver) {
  WriteBatch batch;
  batch.PutWithTtl("a", "v", kNoTtl);
  batch.Put("b", "v");
  batch.Merge("c", "o");
  EXPECT_EQ(Stamped(std::string(batch.rep()), 20), "put 0/a=v; put 0/b=v +20; merge 0/c=o +20");
  std::string operations;
  AppendBatchOperation(&operations, ValueType::kValue, 1, "b", "v");
  AppendBatchOperation(&operations, ValueType::kMerge, 1, "c", "o");
  EXPECT_EQ(Stamped(operations, kNoTtl), "put 1/b=v; merge 1/c=o");
}

TEST(WriteStamp, ABatchThatCannotBeIsRefused) {
  const auto refused = [](ValueType type, uint32_t keyspace, Slice value) {
    std::string operations;
    AppendBatchOperation(&operations, ValueType::kValue, 0, "good", "v");
    AppendBatchOperation(&operations, type, keyspace, "k", value);
    const Status status = StampBatch(operations, 0, kNow, Table()).status();
    EXPECT_TRUE(status.IsInvalidArgument()) << status.ToString();
    return status.detail();
  };
  EXPECT_EQ(refused(ValueType::kMerge, 2, "o"), StatusDetail::kMergeFailed);
  EXPECT_EQ(refused(ValueType::kValue, 3, "v"), StatusDetail::kNotFound);
  EXPECT_EQ(refused(ValueType::kExpiringValue, 0, "short"), StatusDetail::kNone) << "no whole time";
  std::string too_long;
  AppendPayload(&too_long, kMaxTtlUs + 1, "v");
  EXPECT_EQ(refused(ValueType::kExpiringValue, 0, too_long), StatusDetail::kNone);
  WriteBatch batch;
  batch.Put("k", "v");
  EXPECT_TRUE(StampBatch(batch.rep(), kMaxTtlUs + 1, kNow, Table()).status().IsInvalidArgument());
}

}  // namespace
}  // namespace seerdb
