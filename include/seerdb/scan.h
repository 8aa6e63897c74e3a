// Scan: a forward or backward walk as a range, in which an error is an item and cannot be taken for the end.
//
//   for (const ScanEntry& entry : db->Scan().Prefix("user/").Limit(10)) {
//     if (!entry.ok()) return entry.status();
//     use(entry.key(), entry.value());
//   }
//
// With ReadOptions::max_skipped a scan may end in kSkipLimit, and cannot go on: Iter() can.
// The view is fixed when begin() is called. A Scan is walked once. It refers to the DB
// until begin(), and must not outlive it before; from then on it holds the view.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <string>

#include "seerdb/export.h"
#include "seerdb/iterator.h"
#include "seerdb/options.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

class DB;
class Keyspace;

// One item: a key and value, or the error that ends the scan (always the last item).
class SEERDB_EXPORT ScanEntry {
 public:
  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  // Valid until the scan moves on. Empty for an error.
  Slice key() const { return key_; }
  // Empty for a keys-only scan.
  Slice value() const { return value_; }

 private:
  friend class Scan;
  Slice key_;
  Slice value_;
  Status status_;
};

class SEERDB_EXPORT Scan {
 public:
  // Copies what options.keyspace points to. A null `db` gives an error.
  explicit Scan(DB* db, ReadOptions options = {});
  Scan(Scan&&) noexcept;
  Scan& operator=(Scan&&) noexcept;
  ~Scan();

  // Narrow the scan; each consumes the object it is called on and returns the narrowed one. [start, end); an
  // empty end means none.
  Scan Range(Slice start, Slice end) &&;
  Scan Prefix(Slice prefix) &&;
  Scan KeysOnly() &&;
  Scan Reverse() &&;
  // At most `count` entries.
  Scan Limit(uint64_t count) &&;
  Scan AsOf(const Snapshot& snapshot) &&;

  // The same settings as an Iterator, positioned at the first entry (the last when reversed; step with
  // Prev() then). Limit does not apply.
  std::unique_ptr<Iterator> Iter() &&;

  class SEERDB_EXPORT EntryIterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = ScanEntry;
    using difference_type = std::ptrdiff_t;
    using pointer = const ScanEntry*;
    using reference = const ScanEntry&;
    EntryIterator() = default;
    explicit EntryIterator(Scan* scan) : scan_(scan) {}
    reference operator*() const { return scan_->entry_; }
    pointer operator->() const { return &scan_->entry_; }
    EntryIterator& operator++() {
      if (!scan_->Step()) scan_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const EntryIterator& a, const EntryIterator& b) { return a.scan_ == b.scan_; }

   private:
    Scan* scan_ = nullptr;
  };
  // Opens the view and moves to the first entry.
  EntryIterator begin();
  EntryIterator end() { return {}; }

 private:
  bool Step();     // moves on; false at the end
  bool Publish();  // fills entry_ from the iterator; false at the end

  DB* db_;
  std::shared_ptr<const Keyspace> keyspace_;  // that options_ points to; null: the default one
  ReadOptions options_;
  bool reverse_ = false;
  uint64_t remaining_ = UINT64_MAX;
  std::unique_ptr<Iterator> iterator_;
  ScanEntry entry_;
};

}  // namespace seerdb
