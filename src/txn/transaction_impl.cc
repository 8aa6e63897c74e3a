#include "txn/transaction_impl.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "db/db_iterator.h"
#include "db/write_stamp.h"
#include "format/entry_payload.h"
#include "format/keyspace_prefix.h"
#include "txn/transaction_iterator.h"

namespace seerdb {
namespace {

// Memory is charged in such steps, so that small transactions need not.
constexpr uint64_t kChargedBytes = 16 * 1024;

}  // namespace

Transaction::~Transaction() = default;

Status TransactionEnded() {
  return Status::InvalidArgument("the transaction was committed or aborted, expected an active one")
      .WithDetail(StatusDetail::kTransactionAborted);
}

Result<std::unique_ptr<Transaction>> DB::BeginTransaction(const TransactionOptions& options) {
  if (options.write.keyspace != nullptr || options.write.ttl_us != 0) {
    return Status::InvalidArgument(
        "transaction: its write options name a keyspace or a ttl_us, expected none");
  }
  if (options.write.skip_wal && options.write.sync == WriteSync::kSync) {
    return Status::InvalidArgument("transaction: its write options have skip_wal and kSync, expected one");
  }
  auto transaction = std::make_unique<TransactionImpl>(this, transaction_host(), options);
  SEERDB_RETURN_IF_ERROR(transaction->Begin());
  return std::unique_ptr<Transaction>(std::move(transaction));
}

TransactionImpl::TransactionImpl(DB* db, TransactionHost* host, const TransactionOptions& options)
    : db_(db),
      host_(host),
      options_(options),
      transactions_(host->transactions()),
      charge_(host->transaction_account(), MemoryClass::kTransactions) {}

TransactionImpl::~TransactionImpl() {
  if (active_) End();
}

Status TransactionImpl::Begin() {
  SEERDB_RETURN_IF_ERROR(host_->BeginTransaction(&entry_));
  snapshot_ = Snapshot(transactions_->snapshots(), entry_.start);
  read_options_.snapshot = &snapshot_;
  active_ = true;
  return {};
}

void TransactionImpl::End() {
  active_ = false;
  for (TransactionIterator* const iterator : iterators_) iterator->Detach();
  iterators_.clear();
  transactions_->End(&entry_);
  snapshot_.Release();
}

Status TransactionImpl::CheckActive() const {
  if (!active_) return TransactionEnded();
  if (transactions_->closed()) return Status::Shutdown("transaction: the database is closed");
  return {};
}

Status TransactionImpl::Enter(const Keyspace* keyspace, const KeyspaceState** state) const {
  SEERDB_RETURN_IF_ERROR(CheckActive());
  if (keyspace != nullptr && !keyspace->valid()) {
    return Status::InvalidArgument("transaction: the keyspace handle is empty");
  }
  return host_->FindKeyspace(keyspace == nullptr ? nullptr : keyspace->state().get(), state);
}

Slice TransactionImpl::EngineKey(const KeyspaceState& state, Slice key) {
  engine_key_.assign(state.prefix).append(key);
  return engine_key_;
}

void TransactionImpl::Charge() {
  const uint64_t held = HeldBytes();
  if (held < charge_.bytes() + kChargedBytes) return;
  charge_.Set(held);
}

void TransactionImpl::NoteRead(KeyNode* node, Slice engine_key) {
  if (node == nullptr) {
    bool added = false;
    node = batch_.index().FindOrAdd(engine_key, &added);
    if (added) filter_.Add(FilterHash(engine_key));
  }
  if (node->checked) return;
  node->checked = true;
  ++read_keys_;
  Charge();
}

uint64_t TransactionImpl::read_count() const { return read_keys_ + read_ranges_.size(); }

Result<std::optional<PinnedValue>> TransactionImpl::ReadBase(const Keyspace* keyspace, Slice key) {
  read_options_.keyspace = keyspace;
  return db_->Get(read_options_, key);
}

Result<std::optional<PinnedValue>> TransactionImpl::DoGet(const Keyspace* keyspace, Slice key,
                                                          bool for_update) {
  const KeyspaceState* state = nullptr;
  SEERDB_RETURN_IF_ERROR(Enter(keyspace, &state));
  if (key.size() > kMaxKeyBytes) return std::optional<PinnedValue>();
  const bool track = for_update || serializable();
  if (track) SEERDB_RETURN_IF_ERROR(CheckHeld());
  check_reads_ |= for_update;
  const bool look = track || batch_.count() != 0;
  const Slice engine_key = look ? EngineKey(*state, key) : Slice();
  KeyNode* const node = look ? batch_.index().Find(engine_key) : nullptr;
  if (for_update) NoteRead(node, engine_key);
  if (batch_.count() != 0) {
    // The time matters only for what expires.
    Slice value;
    const uint64_t now_us =
        node != nullptr && node->newest != 0 ? host_->transaction_clock()->WallMicros() : 0;
    switch (batch_.Look(node, engine_key, now_us, &value)) {
      case IndexedBatch::Own::kValue:
        return std::optional<PinnedValue>(PinnedValue::Copy(value));
      case IndexedBatch::Own::kAbsent:
        return std::optional<PinnedValue>();
      case IndexedBatch::Own::kMerge:
        return MergeOver(*node, keyspace, *state, key, track);
      case IndexedBatch::Own::kNothing:
        break;
    }
  }
  if (!track) return ReadBase(keyspace, key);
  if (!for_update) NoteRead(node, engine_key);
  auto found = ReadBase(keyspace, key);
  if (SEERDB_MUTANT("negative-reads-not-tracked") && found.ok() && !found->has_value()) {
    batch_.index().Find(engine_key)->checked = false;
  }
  return found;
}

Result<std::optional<PinnedValue>> TransactionImpl::MergeOver(const KeyNode& node, const Keyspace* keyspace,
                                                              const KeyspaceState& state, Slice key,
                                                              bool track) {
  MergeChain chain;
  batch_.FillChain(node, host_->transaction_clock()->WallMicros(), &chain);
  if (!chain.ended()) {
    if (track) NoteRead(batch_.index().Find(node.key), node.key);
    SEERDB_ASSIGN_OR_RETURN(const std::optional<PinnedValue> base, ReadBase(keyspace, key));
    if (base.has_value()) chain.Add(PackTrailer(0, ValueType::kValue), base->slice());
  }
  SEERDB_ASSIGN_OR_RETURN(const std::optional<std::string> value,
                          chain.Merge(state.options.merge_operator.get(), state.merge_operator_name, key));
  if (!value.has_value()) return std::optional<PinnedValue>();
  return std::optional<PinnedValue>(PinnedValue::Copy(*value));
}

Status TransactionImpl::CheckRoom(const KeyspaceState& state, Slice key, uint64_t value_bytes,
                                  bool range) const {
  constexpr uint64_t kOverhead = 32;  // of one operation
  const uint64_t bytes =
      batch_.operations().size() + state.prefix.size() + key.size() + value_bytes + kOverhead;
  SEERDB_RETURN_IF_ERROR(host_->CheckWriteSizes({key.size(), value_bytes, bytes, batch_.count() + uint64_t{1},
                                                 batch_.ranges() + (range ? uint64_t{1} : 0)}));
  return CheckHeld(bytes);
}

Status TransactionImpl::CheckHeld(uint64_t wanted_bytes) const {
  const bool limited = options_.max_bytes != 0;
  // Without a limit of its own, its writes are checked as those of a batch are, and here what is beside them.
  const uint64_t bytes =
      limited ? std::max(wanted_bytes, HeldBytes()) : batch_.index_bytes() + read_ranges_.bytes();
  const uint64_t most = limited ? options_.max_bytes : transactions_->most_bytes();
  if (bytes <= most) return {};
  return Status::InvalidArgument("transaction: it would hold " + std::to_string(bytes) +
                                 " bytes, expected at most " + std::to_string(most))
      .WithDetail(StatusDetail::kMemoryFull);
}

Status TransactionImpl::AddWrite(const KeyspaceState& state, bool merge, Slice key, Slice value,
                                 uint64_t expires_us) {
  SEERDB_RETURN_IF_ERROR(CheckRoom(state, key, value.size()));
  Slice payload = value;
  if (expires_us != kNeverExpires) {
    payload_.clear();
    AppendPayload(&payload_, expires_us, value);
    payload = payload_;
  }
  KeyNode* node = nullptr;
  const bool added = batch_.Add(TypeFor(merge, expires_us), state.prefix, key, payload, &node);
  if (added) filter_.Add(FilterHash(node->key));
  Charge();
  return {};
}

Status TransactionImpl::DoPut(const Keyspace* keyspace, Slice key, Slice value, uint64_t ttl_us) {
  const KeyspaceState* state = nullptr;
  SEERDB_RETURN_IF_ERROR(Enter(keyspace, &state));
  uint64_t expires_us = kNeverExpires;
  if (ttl_us != 0 || state->options.default_ttl_us != 0) {
    SEERDB_RETURN_IF_ERROR(CheckTtl(ttl_us));
    expires_us = PutExpiry(ttl_us, *state, host_->transaction_clock()->WallMicros());
  }
  return AddWrite(*state, /*merge=*/false, key, value, expires_us);
}

Status TransactionImpl::DoMerge(const Keyspace* keyspace, Slice key, Slice operand) {
  const KeyspaceState* state = nullptr;
  SEERDB_RETURN_IF_ERROR(Enter(keyspace, &state));
  SEERDB_RETURN_IF_ERROR(CheckMergeable(*state));
  uint64_t expires_us = kNeverExpires;
  if (state->options.default_ttl_us != 0) {
    expires_us = MergeExpiry(0, *state, host_->transaction_clock()->WallMicros());
  }
  return AddWrite(*state, /*merge=*/true, key, operand, expires_us);
}

Status TransactionImpl::DoDelete(const Keyspace* keyspace, Slice key) {
  const KeyspaceState* state = nullptr;
  SEERDB_RETURN_IF_ERROR(Enter(keyspace, &state));
  SEERDB_RETURN_IF_ERROR(CheckRoom(*state, key, 0));
  KeyNode* node = nullptr;
  if (batch_.Add(ValueType::kDeletion, state->prefix, key, Slice(), &node)) {
    filter_.Add(FilterHash(node->key));
  }
  Charge();
  return {};
}

Status TransactionImpl::DoDeleteRange(const Keyspace* keyspace, Slice begin, std::optional<Slice> end) {
  const KeyspaceState* state = nullptr;
  SEERDB_RETURN_IF_ERROR(Enter(keyspace, &state));
  if (end.has_value() && *end < begin) {
    return Status::InvalidArgument("delete range: found an end below the begin, expected one at or above it");
  }
  Slice longer = begin;
  Slice shorter = end.value_or(Slice());
  if (longer.size() < shorter.size()) std::swap(longer, shorter);
  SEERDB_RETURN_IF_ERROR(CheckRoom(*state, longer, shorter.size(), /*range=*/true));
  if (end.has_value() && *end == begin) return {};
  if (batch_.ranges() >= kMaxRangeDeletesPerBatch) {
    return Status::InvalidArgument("transaction: found " + std::to_string(batch_.ranges()) +
                                   " range deletes, expected at most " +
                                   std::to_string(kMaxRangeDeletesPerBatch));
  }
  batch_.AddRange(state->id, state->prefix, begin, end);
  Charge();
  return {};
}

std::unique_ptr<Iterator> TransactionImpl::NewIterator(const ReadOptions& options) {
  const KeyspaceState* state = nullptr;
  Status status = Enter(options.keyspace, &state);
  if (status.ok() && options.snapshot != nullptr) {
    status = Status::InvalidArgument("transaction: an iterator's options name a snapshot, expected none");
  }
  if (!status.ok()) return NewErrorIterator(std::move(status));
  ReadOptions base = options;
  base.snapshot = &snapshot_;
  TransactionIterator::Parts parts;
  parts.transaction = this;
  parts.base = db_->NewIterator(base);
  parts.prefix = state->prefix;
  parts.SetBounds(options);
  parts.merge_operator = state->options.merge_operator;
  parts.merge_operator_name = state->merge_operator_name;
  parts.now_us = host_->transaction_clock()->WallMicros();
  parts.keys_only = options.keys_only;
  parts.track = serializable() && !SEERDB_MUTANT("read-ranges-not-tracked");
  auto iterator = std::make_unique<TransactionIterator>(std::move(parts));
  iterators_.push_back(iterator.get());
  return iterator;
}

void TransactionImpl::ForgetIterator(TransactionIterator* iterator) {
  iterators_.erase(std::find(iterators_.begin(), iterators_.end(), iterator));
}

void TransactionImpl::NoteRangeRead(Slice begin, Slice end) {
  read_ranges_.Add(begin, end);
  Charge();
}

Status TransactionImpl::SetSavepoint() {
  SEERDB_RETURN_IF_ERROR(CheckActive());
  batch_.SetSavepoint();
  return {};
}

Status TransactionImpl::RollbackToSavepoint() {
  SEERDB_RETURN_IF_ERROR(CheckActive());
  if (batch_.RollbackToSavepoint()) return {};
  return Status::InvalidArgument("rollback to savepoint: found none, expected one")
      .WithDetail(StatusDetail::kNotFound);
}

Status TransactionImpl::ReleaseSavepoint() {
  SEERDB_RETURN_IF_ERROR(CheckActive());
  if (batch_.ReleaseSavepoint()) return {};
  return Status::InvalidArgument("release savepoint: found none, expected one")
      .WithDetail(StatusDetail::kNotFound);
}

Status TransactionImpl::Commit() {
  SEERDB_RETURN_IF_ERROR(CheckActive());
  for (TransactionIterator* const iterator : iterators_) iterator->Settle();
  Status status = unobserved_;
  if (status.ok() && (batch_.count() != 0 || check_reads_)) {
    TransactionHost::Commit commit;
    commit.operations = batch_.operations();
    commit.count = batch_.count();
    commit.ranges = batch_.ranges();
    commit.only_deletes = batch_.only_deletes();
    commit.check = this;
    status = host_->CommitTransaction(options_.write, commit);
    if (!status.ok()) committed_ = 0;
  }
  End();
  return status;
}

Status TransactionImpl::Abort() {
  if (!active_) return TransactionEnded();
  End();
  return {};
}

}  // namespace seerdb
