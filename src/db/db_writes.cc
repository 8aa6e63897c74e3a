// The writing half of DbImpl: Put, Delete, Merge, Write, and what each write is checked for.
#include <algorithm>
#include <cstring>

#include "base/status_macros.h"
#include "db/db_impl.h"
#include "db/write_stamp.h"
#include "format/batch_codec.h"
#include "format/entry_payload.h"

namespace seerdb {
namespace {

// A single write of at most so many bytes is encoded on the stack.
constexpr size_t kFewBytes = 1024;

Status RefuseSizes(uint64_t key_bytes, uint64_t value_bytes, uint64_t batch_bytes) {
  if (key_bytes > kMaxKeyBytes) {
    return Status::InvalidArgument("key has " + std::to_string(key_bytes) + " bytes, expected at most " +
                                   std::to_string(kMaxKeyBytes));
  }
  if (value_bytes > kMaxValueBytes) {
    return Status::InvalidArgument("value has " + std::to_string(value_bytes) + " bytes, expected at most " +
                                   std::to_string(kMaxValueBytes));
  }
  return Status::InvalidArgument("batch has " + std::to_string(batch_bytes) + " bytes, expected at most " +
                                 std::to_string(kMaxBatchBytes));
}

inline Status CheckSizes(uint64_t key_bytes, uint64_t value_bytes, uint64_t batch_bytes) {
  if (key_bytes <= kMaxKeyBytes && value_bytes <= kMaxValueBytes && batch_bytes <= kMaxBatchBytes) [[likely]]
    return {};
  return RefuseSizes(key_bytes, value_bytes, batch_bytes);
}

Status InvertedRange() {
  return Status::InvalidArgument("delete range: found an end below the begin, expected one at or above it");
}

// True if its value goes to the value log.
bool IsLarge(const BatchOperation& operation, const KeyspaceCursor& keyspace) {
  if (keyspace.state() == nullptr) return false;
  EntryPayload payload;
  if (operation.type != ValueType::kValue && operation.type != ValueType::kExpiringValue) return false;
  return ParsePayload(operation.type, operation.value, &payload) &&
         payload.value.size() >= keyspace.state()->life->separation_bytes.load(std::memory_order_relaxed);
}

// The operations of a batch with large values in the value log.
Result<std::string> SeparateValues(Slice operations, KeyspaceTablePtr keyspaces, ValueLog::Writing* values) {
  std::string out;
  std::string payload;
  KeyspaceCursor keyspace(std::move(keyspaces));
  BatchReader reader(operations);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    keyspace.MoveTo(operation.key);
    if (!IsLarge(operation, keyspace)) {
      AppendBatchOperation(&out, operation.type, operation.key, Slice(), operation.value);
      continue;
    }
    EntryPayload parsed;
    ParsePayload(operation.type, operation.value, &parsed);
    ValuePointer pointer;
    SEERDB_RETURN_IF_ERROR(values->Add(operation.key, Slice(), parsed.value, &pointer));
    payload.clear();
    AppendPointerPayload(&payload, parsed.expires_us, pointer);
    AppendBatchOperation(&out, PointerTypeFor(parsed.expires_us), operation.key, Slice(), payload);
  }
  SEERDB_RETURN_IF_ERROR(values->Flush());
  return out;
}

bool OnlyDeletes(const WriteBatch& batch) {
  BatchReader reader(batch.rep());
  BatchOperation operation;
  while (reader.Next(&operation)) {
    if (operation.type != ValueType::kDeletion && operation.type != ValueType::kRangeDeletion) return false;
  }
  return true;
}

}  // namespace

Status DbImpl::CheckFitsMemory(uint64_t value_bytes, uint64_t batch_bytes) const {
  const auto refuse = [this](const char* what, uint64_t bytes, uint64_t most) {
    return Status::InvalidArgument(std::string(what) + " has " + std::to_string(bytes) +
                                   " bytes, expected at most " + std::to_string(most) +
                                   " with a memory budget of " + std::to_string(budget_->limit_bytes()))
        .WithDetail(StatusDetail::kMemoryFull);
  };
  if (value_bytes > memory_plan_.max_value_bytes) {
    return refuse("value", value_bytes, memory_plan_.max_value_bytes);
  }
  if (batch_bytes > memory_plan_.max_batch_bytes) {
    return refuse("batch", batch_bytes, memory_plan_.max_batch_bytes);
  }
  return {};
}

// They are held until tables are written anew, which a snapshot may keep from helping: better that they are
// refused than that they take the memory of all other writes.
Status DbImpl::AdmitRanges() {
  if (budget_ == nullptr) return {};
  const uint64_t most = 2 * policy_.max_range_tombstones();
  const ReadViewHolder::Pin view(views_.get());
  const RangeListPtr& ranges = view->tree()->version()->ranges();
  if (ranges == nullptr || ranges->size() <= most) return {};
  return Status::Busy("delete range: found " + std::to_string(ranges->size()) +
                          " range deletes that are not finished, expected at most " + std::to_string(most) +
                          " with a memory budget of " + std::to_string(budget_->limit_bytes()) +
                          "; a snapshot may keep what they cover",
                      StatusDetail::kMemoryFull);
}

Status DbImpl::SubmitWrite(const WriteOptions& options, Slice operations, WriteCounts counts,
                           ValueLog::Writing* values) {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  WriteRequest request;
  request.operations = operations;
  request.count = counts.operations;
  request.ranges = counts.ranges;
  request.logical_bytes = counts.logical_bytes;
  request.values = values;
  request.check = counts.check;
  request.skip_wal = options.skip_wal || options_.skip_wal;
  const bool by_policy = options_.wal_sync_policy >= SyncPolicy::kSyncData;
  request.sync = options.sync == WriteSync::kSync || (options.sync == WriteSync::kByPolicy && by_policy);
  if (request.skip_wal) {
    if (options.sync == WriteSync::kSync) {
      return Status::InvalidArgument("a write with skip_wal cannot be synced");
    }
    request.sync = false;
  }
  if (Status status = queue_->Submit(&request); !status.ok()) {
    if (values != nullptr && request.logged) values->KeepUntilReopen();
    return status;
  }
  if (barrier_ != nullptr && !request.sync) barrier_->NoteWrite(executor_.get());
  return {};
}

Status DbImpl::WriteOne(const WriteOptions& options, const OneWrite& write) {
  const BatchOperationParts operation{write.type, write.prefix, write.key, write.value};
  const uint64_t max_bytes = operation.max_head_bytes() + write.value.size();
  char few[kFewBytes];
  std::unique_ptr<char[]> many;
  if (max_bytes > sizeof few) many = std::make_unique_for_overwrite<char[]>(max_bytes);
  char* const begin = many == nullptr ? few : many.get();
  char* end = EncodeBatchHead(operation, begin);
  if (operation.has_value() && !write.value.empty()) {
    std::memcpy(end, write.value.data(), write.value.size());
    end += write.value.size();
  }
  return SubmitWrite(options, Slice(begin, static_cast<size_t>(end - begin)), {1, 0, write.logical_bytes},
                     write.values);
}

Status DbImpl::PutApart(const WriteOptions& options, Slice prefix, Slice key, Slice value,
                        uint64_t expires_us) {
  const OpenCall call(&calls_);
  SEERDB_RETURN_IF_ERROR(MayAppendValues());
  ValueLog::Writing values(value_log_.get());
  ValuePointer pointer;
  Status status = values.Add(prefix, key, value, &pointer);
  if (status.ok()) status = values.Flush();
  if (!status.ok()) return NoteValueError(std::move(status));
  std::string payload;
  AppendPointerPayload(&payload, expires_us, pointer);
  return WriteOne(options,
                  {PointerTypeFor(expires_us), prefix, key, payload, key.size() + value.size(), &values});
}

Status DbImpl::Put(const WriteOptions& options, Slice key, Slice value) {
  SEERDB_RETURN_IF_ERROR(CheckSizes(key.size(), value.size(), 0));
  Slice prefix;
  SEERDB_RETURN_IF_ERROR(PrefixFor(options, &prefix));
  const bool apart = value.size() >= LifeOf(options).separation_bytes.load(std::memory_order_relaxed);
  if (!apart) [[likely]]
    SEERDB_RETURN_IF_ERROR(CheckFitsMemory(value.size(), 0));
  const uint64_t bytes = key.size() + value.size();
  if (Status status = AdmitToDisk(bytes); !status.ok()) [[unlikely]] {
    return CountRefusal(std::move(status));
  }
  const SampledTimer timer(statistics_.get(), Latency::put_latency);
  if (LivesForEver(options)) [[likely]] {
    if (apart) return PutApart(options, prefix, key, value, kNeverExpires);
    return WriteOne(options, {ValueType::kValue, prefix, key, value, bytes});
  }
  SEERDB_RETURN_IF_ERROR(CheckTtl(options.ttl_us));
  const uint64_t expires_us = PutExpiry(options.ttl_us, StateOf(options), clock_->WallMicros());
  if (apart) return PutApart(options, prefix, key, value, expires_us);
  std::string payload;
  AppendPayload(&payload, expires_us, value);
  return WriteOne(options, {TypeFor(/*merge=*/false, expires_us), prefix, key, payload, bytes});
}

Status DbImpl::Delete(const WriteOptions& options, Slice key) {
  SEERDB_RETURN_IF_ERROR(CheckSizes(key.size(), 0, 0));
  Slice prefix;
  SEERDB_RETURN_IF_ERROR(PrefixFor(options, &prefix));
  const SampledTimer timer(statistics_.get(), Latency::delete_latency);
  return WriteOne(options, {ValueType::kDeletion, prefix, key, Slice(), key.size()});
}

Status DbImpl::DeleteRange(const WriteOptions& options, Slice begin, std::optional<Slice> end) {
  SEERDB_RETURN_IF_ERROR(CheckSizes(std::max(begin.size(), end.value_or(Slice()).size()), 0, 0));
  Slice prefix;
  SEERDB_RETURN_IF_ERROR(PrefixFor(options, &prefix));
  if (end.has_value() && *end < begin) return InvertedRange();
  if (end.has_value() && *end == begin) return CheckOpen();
  SEERDB_RETURN_IF_ERROR(AdmitRanges());
  const SampledTimer timer(statistics_.get(), Latency::delete_latency);
  std::string operations;
  AppendRangeDeletion(&operations, StateOf(options).id, begin, end);
  return SubmitWrite(options, operations, {1, 1, operations.size()});
}

Status DbImpl::Merge(const WriteOptions& options, Slice key, Slice operand) {
  SEERDB_RETURN_IF_ERROR(CheckSizes(key.size(), operand.size(), 0));
  SEERDB_RETURN_IF_ERROR(CheckFitsMemory(operand.size(), 0));
  SEERDB_RETURN_IF_ERROR(CheckTtl(options.ttl_us));
  Slice prefix;
  SEERDB_RETURN_IF_ERROR(PrefixFor(options, &prefix));
  const KeyspaceState& keyspace = StateOf(options);
  SEERDB_RETURN_IF_ERROR(CheckMergeable(keyspace));
  const uint64_t bytes = key.size() + operand.size();
  if (Status status = AdmitToDisk(bytes); !status.ok()) [[unlikely]] {
    return CountRefusal(std::move(status));
  }
  const SampledTimer timer(statistics_.get(), Latency::put_latency);
  if (LivesForEver(options)) [[likely]] {
    return WriteOne(options, {ValueType::kMerge, prefix, key, operand, bytes});
  }
  const uint64_t expires_us = MergeExpiry(options.ttl_us, keyspace, clock_->WallMicros());
  std::string payload;
  AppendPayload(&payload, expires_us, operand);
  return WriteOne(options, {TypeFor(/*merge=*/true, expires_us), prefix, key, payload, bytes});
}

bool DbImpl::NeedsStamps(const WriteOptions& options, const WriteBatch& batch) const {
  if (WriteBatchAccess::Unfinished(batch) || options.ttl_us != 0) return true;
  if (keyspaces_.default_life().default_ttl_us.load(std::memory_order_relaxed) != 0) return true;
  const auto& named = WriteBatchAccess::Keyspaces(batch);
  return std::any_of(named.begin(), named.end(), [](const KeyspaceStatePtr& keyspace) {
    return keyspace->life->default_ttl_us.load(std::memory_order_relaxed) != 0;
  });
}

Status DbImpl::CheckKeyspaces(const WriteBatch& batch) const {
  for (const KeyspaceStatePtr& keyspace : WriteBatchAccess::Keyspaces(batch)) {
    SEERDB_RETURN_IF_ERROR(keyspaces_.Check(keyspace.get()));
  }
  return {};
}

DbImpl::LargeValues DbImpl::LargeValuesOf(Slice operations, uint64_t largest_bytes) const {
  LargeValues large;
  large.largest_other_bytes = largest_bytes;
  if (largest_bytes < keyspaces_.least_separation_bytes()) [[likely]]
    return large;
  large.largest_other_bytes = 0;
  KeyspaceCursor keyspace(keyspaces_.table());
  BatchReader reader(operations);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    if (operation.type == ValueType::kDeletion || operation.type == ValueType::kRangeDeletion) continue;
    keyspace.MoveTo(operation.key);
    if (IsLarge(operation, keyspace)) {
      large.bytes += operation.value.size();
    } else {
      large.largest_other_bytes = std::max<uint64_t>(large.largest_other_bytes, operation.value.size());
    }
  }
  return large;
}

Status DbImpl::WriteApart(const WriteOptions& options, Slice operations, const WriteCounts& counts) {
  const OpenCall call(&calls_);
  SEERDB_RETURN_IF_ERROR(MayAppendValues());
  ValueLog::Writing values(value_log_.get());
  Result<std::string> separated = SeparateValues(operations, keyspaces_.table(), &values);
  if (!separated.ok()) return NoteValueError(separated.status());
  return SubmitWrite(options, *separated, counts, &values);
}

Status DbImpl::NoteValueError(Status status) {
  if (status.IsIoError()) error_->Set("value log write", status);
  return status;
}

// What is refused later would have taken space all the same.
Status DbImpl::MayAppendValues() {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  if (!error_->is_set()) [[likely]]
    return {};
  return queue_->RunExclusive(
      [this] { return error_->is_set() ? ResumeWrites(ResumeMode::kIfDue) : Status(); });
}

Status DbImpl::Write(const WriteOptions& options, const WriteBatch& batch) {
  SEERDB_RETURN_IF_ERROR(CheckSizes(WriteBatchAccess::LargestKeyBytes(batch),
                                    WriteBatchAccess::LargestValueBytes(batch), batch.bytes()));
  const WriteCounts counts{batch.size(), WriteBatchAccess::RangeCount(batch), batch.bytes()};
  const uint64_t entries = counts.operations + uint64_t{counts.ranges} * MemoryGate::kEntriesPerRange;
  const LargeValues large = LargeValuesOf(batch.rep(), WriteBatchAccess::LargestValueBytes(batch));
  SEERDB_RETURN_IF_ERROR(CheckFitsMemory(
      large.largest_other_bytes, batch.rep().size() - large.bytes + entries * MemoryGate::kEntryBytes));
  if (WriteBatchAccess::HasInvertedRange(batch)) return InvertedRange();
  if (WriteBatchAccess::RangeCount(batch) > kMaxRangeDeletesPerBatch) {
    return Status::InvalidArgument("write: found " + std::to_string(WriteBatchAccess::RangeCount(batch)) +
                                   " range deletes in a batch, expected at most " +
                                   std::to_string(kMaxRangeDeletesPerBatch));
  }
  if (options.keyspace != nullptr) {
    return Status::InvalidArgument(
        "write: a batch names the keyspace of each operation; the options name one");
  }
  SEERDB_RETURN_IF_ERROR(CheckKeyspaces(batch));
  if (batch.empty()) return CheckOpen();
  // Deletions are what makes room.
  if (Status status = AdmitToDisk(batch.bytes()); !status.ok() && !OnlyDeletes(batch)) {
    return CountRefusal(std::move(status));
  }
  if (counts.ranges > 0) SEERDB_RETURN_IF_ERROR(AdmitRanges());
  const SampledTimer timer(statistics_.get(), Latency::write_latency);
  if (!NeedsStamps(options, batch)) [[likely]] {
    return large.bytes == 0 ? SubmitWrite(options, batch.rep(), counts)
                            : WriteApart(options, batch.rep(), counts);
  }
  SEERDB_RETURN_IF_ERROR(CheckTtl(options.ttl_us));
  SEERDB_ASSIGN_OR_RETURN(const std::string stamped,
                          StampBatch(batch.rep(), options.ttl_us, clock_->WallMicros(), keyspaces_.table()));
  SEERDB_RETURN_IF_ERROR(CheckSizes(0, 0, stamped.size()));
  return large.bytes == 0 ? SubmitWrite(options, stamped, counts) : WriteApart(options, stamped, counts);
}

Status DbImpl::CheckWriteSizes(const WriteSizes& sizes) {
  SEERDB_RETURN_IF_ERROR(CheckSizes(sizes.key_bytes, sizes.value_bytes, sizes.batch_bytes));
  if (budget_ == nullptr) [[likely]]
    return {};
  const uint64_t entries = sizes.operations + sizes.ranges * MemoryGate::kEntriesPerRange;
  return CheckFitsMemory(sizes.value_bytes, sizes.batch_bytes + entries * MemoryGate::kEntryBytes);
}

}  // namespace seerdb
