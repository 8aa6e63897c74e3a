#include "db/write_stamp.h"

#include <algorithm>

#include "base/status_macros.h"
#include "format/batch_codec.h"
#include "format/entry_payload.h"

namespace seerdb {

Status CheckTtl(uint64_t ttl_us) {
  if (ttl_us <= kMaxTtlUs || ttl_us == kNoTtl) return {};
  return Status::InvalidArgument("ttl_us is " + std::to_string(ttl_us) + ", expected at most " +
                                 std::to_string(kMaxTtlUs) + ", or kNoTtl");
}

namespace {

constexpr uint64_t kStepsOfATtl = 64;

// 0: for ever.
uint64_t TtlOf(uint64_t ttl_us, const KeyspaceState& keyspace) {
  if (ttl_us == 0) ttl_us = keyspace.options.default_ttl_us;
  return ttl_us == kNoTtl ? 0 : ttl_us;
}

}  // namespace

uint64_t PutExpiry(uint64_t ttl_us, const KeyspaceState& keyspace, uint64_t now_us) {
  const uint64_t ttl = TtlOf(ttl_us, keyspace);
  return ttl == 0 ? kNeverExpires : std::min(now_us, kMaxTimeUs - kMaxTtlUs) + ttl;
}

uint64_t MergeExpiry(uint64_t ttl_us, const KeyspaceState& keyspace, uint64_t now_us) {
  const uint64_t expires_us = PutExpiry(ttl_us, keyspace, now_us);
  if (expires_us == kNeverExpires) return kNeverExpires;
  const uint64_t step_us = std::max<uint64_t>(1, TtlOf(ttl_us, keyspace) / kStepsOfATtl);
  return expires_us - expires_us % step_us;
}

Status CheckMergeable(const KeyspaceState& keyspace) {
  if (keyspace.options.merge_operator != nullptr) return {};
  const std::string& name = keyspace.merge_operator_name;
  return Status::InvalidArgument(name.empty() ? "merge: the keyspace has no merge operator"
                                              : "merge: the merge operator " + name +
                                                    " was not given when the database was opened")
      .WithDetail(StatusDetail::kMergeFailed);
}

namespace {

// Appends one operation.
Status Stamp(const BatchOperation& operation, uint64_t ttl_us, uint64_t now_us, const KeyspaceState& keyspace,
             std::string* payload, std::string* out) {
  const Slice user_key = operation.key.substr(keyspace.prefix.size());
  const Slice prefix = keyspace.prefix;
  if (operation.type == ValueType::kDeletion) {
    AppendBatchOperation(out, ValueType::kDeletion, prefix, user_key, Slice());
    return {};
  }
  if (operation.type == ValueType::kRangeDeletion) {
    AppendBatchOperation(out, ValueType::kRangeDeletion, prefix, user_key, operation.value);
    return {};
  }
  const bool merge = operation.type == ValueType::kMerge;
  if (merge) SEERDB_RETURN_IF_ERROR(CheckMergeable(keyspace));
  EntryPayload given;
  if (!ParsePayload(operation.type, operation.value, &given)) {
    return Status::InvalidArgument("write: a put with a time to live is malformed");
  }
  if (operation.type == ValueType::kExpiringValue) ttl_us = given.expires_us;
  SEERDB_RETURN_IF_ERROR(CheckTtl(ttl_us));
  const uint64_t expires_us =
      merge ? MergeExpiry(ttl_us, keyspace, now_us) : PutExpiry(ttl_us, keyspace, now_us);
  payload->clear();
  AppendPayload(payload, expires_us, given.value);
  AppendBatchOperation(out, TypeFor(merge, expires_us), prefix, user_key, *payload);
  return {};
}

}  // namespace

Result<std::string> StampBatch(Slice operations, uint64_t ttl_us, uint64_t now_us,
                               KeyspaceTablePtr keyspaces) {
  std::string out;
  out.reserve(operations.size() + operations.size() / 4);
  std::string payload;
  KeyspaceCursor keyspace(std::move(keyspaces));
  BatchReader reader(operations);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    keyspace.MoveTo(operation.key);
    if (keyspace.state() == nullptr) {
      return Status::InvalidArgument("write: a keyspace was dropped").WithDetail(StatusDetail::kNotFound);
    }
    SEERDB_RETURN_IF_ERROR(Stamp(operation, ttl_us, now_us, *keyspace.state(), &payload, &out));
  }
  if (!reader.ok()) return Status::InvalidArgument("write: the batch is malformed");
  return out;
}

}  // namespace seerdb
