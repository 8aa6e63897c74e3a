// The calls of a Keyspace: those of its DB, with the keyspace named.
#include "seerdb/keyspace.h"

#include <utility>

#include "db/db_iterator.h"
#include "seerdb/db.h"

namespace seerdb {
namespace {

Status Invalid() { return Status::InvalidArgument("the keyspace handle is empty"); }

template <typename OptionsType>
OptionsType In(const Keyspace* keyspace, OptionsType options) {
  options.keyspace = keyspace;
  return options;
}

}  // namespace

Status Keyspace::Put(const WriteOptions& options, Slice key, Slice value) const {
  return valid() ? db_->Put(In(this, options), key, value) : Invalid();
}

Status Keyspace::Delete(const WriteOptions& options, Slice key) const {
  return valid() ? db_->Delete(In(this, options), key) : Invalid();
}

Status Keyspace::DeleteRange(const WriteOptions& options, Slice begin, std::optional<Slice> end) const {
  return valid() ? db_->DeleteRange(In(this, options), begin, end) : Invalid();
}

Status Keyspace::Merge(const WriteOptions& options, Slice key, Slice operand) const {
  return valid() ? db_->Merge(In(this, options), key, operand) : Invalid();
}

Result<std::optional<PinnedValue>> Keyspace::Get(const ReadOptions& options, Slice key) const {
  if (!valid()) return Invalid();
  return db_->Get(In(this, options), key);
}

Result<std::optional<PinnedValue>> Keyspace::GetRange(const ReadOptions& options, Slice key, uint64_t offset,
                                                      uint64_t bytes) const {
  if (!valid()) return Invalid();
  return db_->GetRange(In(this, options), key, offset, bytes);
}

Result<std::optional<uint64_t>> Keyspace::GetSize(const ReadOptions& options, Slice key) const {
  if (!valid()) return Invalid();
  return db_->GetSize(In(this, options), key);
}

std::vector<Result<std::optional<PinnedValue>>> Keyspace::MultiGet(const ReadOptions& options,
                                                                   std::span<const Slice> keys) const {
  if (valid()) return db_->MultiGet(In(this, options), keys);
  std::vector<Result<std::optional<PinnedValue>>> results;
  for (size_t i = 0; i < keys.size(); ++i) results.emplace_back(Invalid());
  return results;
}

std::unique_ptr<Iterator> Keyspace::NewIterator(const ReadOptions& options) const {
  if (valid()) return db_->NewIterator(In(this, options));
  return NewErrorIterator(Invalid());
}

seerdb::Scan Keyspace::Scan(ReadOptions options) const {
  return seerdb::Scan(db_, In(this, std::move(options)));
}

}  // namespace seerdb
