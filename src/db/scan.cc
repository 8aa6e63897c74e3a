#include "seerdb/scan.h"

#include "db/db_iterator.h"
#include "seerdb/db.h"

namespace seerdb {

Scan::Scan(DB* db, ReadOptions options) : db_(db), options_(std::move(options)) {
  if (options_.keyspace == nullptr) return;
  keyspace_ = std::make_shared<const Keyspace>(*options_.keyspace);
  options_.keyspace = keyspace_.get();
}
Scan::Scan(Scan&&) noexcept = default;
Scan& Scan::operator=(Scan&&) noexcept = default;
Scan::~Scan() = default;

Scan Scan::Range(Slice start, Slice end) && {
  options_.lower_bound = std::string(start);
  options_.upper_bound = std::string(end);
  return std::move(*this);
}
Scan Scan::Prefix(Slice prefix) && {
  options_.prefix = std::string(prefix);
  return std::move(*this);
}
Scan Scan::KeysOnly() && {
  options_.keys_only = true;
  return std::move(*this);
}
Scan Scan::Reverse() && {
  reverse_ = true;
  return std::move(*this);
}
Scan Scan::Limit(uint64_t count) && {
  remaining_ = count;
  return std::move(*this);
}
Scan Scan::AsOf(const Snapshot& snapshot) && {
  options_.snapshot = &snapshot;
  return std::move(*this);
}

std::unique_ptr<Iterator> Scan::Iter() && {
  std::unique_ptr<Iterator> iterator =
      db_ != nullptr ? db_->NewIterator(options_)
                     : NewErrorIterator(Status::InvalidArgument("the keyspace handle is empty"));
  if (reverse_) {
    iterator->SeekToLast();
  } else {
    iterator->SeekToFirst();
  }
  return iterator;
}

bool Scan::Publish() {
  if (iterator_->Valid()) {
    if (remaining_ == 0) return false;
    --remaining_;
    entry_.key_ = iterator_->key();
    entry_.value_ = iterator_->value();
    return true;
  }
  entry_.key_ = {};
  entry_.value_ = {};
  entry_.status_ = iterator_->status();
  return !entry_.status_.ok();
}

bool Scan::Step() {
  if (!entry_.status_.ok()) return false;  // the error was the last item
  // What lies behind the last item that was asked for is nobody's business, be it damaged.
  if (remaining_ == 0) return false;
  if (reverse_) {
    iterator_->Prev();
  } else {
    iterator_->Next();
  }
  return Publish();
}

Scan::EntryIterator Scan::begin() {
  if (remaining_ == 0) return {};
  iterator_ = std::move(*this).Iter();
  return Publish() ? EntryIterator(this) : EntryIterator();
}

Result<std::vector<std::vector<std::pair<std::string, std::string>>>> DB::ScanPrefixes(
    const ReadOptions& options, std::span<const Slice> prefixes) {
  // One snapshot makes the views of all prefixes agree.
  Snapshot own;
  ReadOptions scan_options = options;
  if (scan_options.snapshot == nullptr || !scan_options.snapshot->valid()) {
    own = GetSnapshot();
    scan_options.snapshot = &own;
  }
  std::vector<std::vector<std::pair<std::string, std::string>>> lists;
  lists.reserve(prefixes.size());
  for (const Slice prefix : prefixes) {
    auto& list = lists.emplace_back();
    for (const ScanEntry& entry : Scan(scan_options).Prefix(prefix)) {
      if (!entry.ok()) return entry.status();
      list.emplace_back(entry.key(), entry.value());
    }
  }
  return lists;
}

}  // namespace seerdb
