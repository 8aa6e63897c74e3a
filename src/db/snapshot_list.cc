#include "db/snapshot_list.h"

#include <algorithm>

#include "seerdb/snapshot.h"

namespace seerdb {

SequenceNumber SnapshotList::Take() {
  MutexLock lock(&mu_);
  const SequenceNumber sequence = visible();
  sequences_.insert(sequence);
  return sequence;
}

void SnapshotList::Release(SequenceNumber sequence) {
  MutexLock lock(&mu_);
  const auto it = sequences_.find(sequence);
  if (it != sequences_.end()) sequences_.erase(it);
}

std::vector<SequenceNumber> SnapshotList::List() const {
  MutexLock lock(&mu_);
  std::vector<SequenceNumber> list(sequences_.begin(), sequences_.end());
  list.push_back(visible());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

SequenceNumber SnapshotList::newest() const {
  MutexLock lock(&mu_);
  return sequences_.empty() ? 0 : *sequences_.rbegin();
}

uint64_t SnapshotList::count() const {
  MutexLock lock(&mu_);
  return sequences_.size();
}

Snapshot::Snapshot(std::shared_ptr<SnapshotList> list, SequenceNumber sequence)
    : list_(std::move(list)), sequence_(sequence) {}

Snapshot& Snapshot::operator=(Snapshot&& other) noexcept {
  if (this == &other) return *this;
  Release();
  list_ = std::move(other.list_);
  sequence_ = other.sequence_;
  return *this;
}

void Snapshot::Release() {
  if (list_ == nullptr) return;
  list_->Release(sequence_);
  list_.reset();
}

}  // namespace seerdb
