// TreeView: a Version with its tables open, as reads use it. Immutable, shared by read views.
//
// Thread safety: immutable.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/key_window.h"
#include "compaction/flushed_ranges.h"
#include "db/table_file.h"
#include "db/value_file.h"
#include "format/lookup.h"
#include "iter/internal_iterator.h"
#include "iter/range_cover.h"
#include "iter/value_source.h"
#include "manifest/version.h"
#include "sstable/table_reader.h"

namespace seerdb {

// Engine keys that an iterator is confined to: lower <= key < upper.
struct KeyBounds {
  std::string lower;
  std::string upper;
  std::string prefix = {};  // that all keys within have, for filters; empty: nobody knows one
};

// Of a pointer into a segment that nobody knows.
Status NoSuchSegment(const ValuePointer& pointer);

// The tables of a sorted run, and windows of their keys behind what all of them begin with: most of a search
// compares numbers. Immutable once all are added.
class RunView {
 public:
  explicit RunView(std::vector<std::shared_ptr<TableFile>> files);

  const std::vector<std::shared_ptr<TableFile>>& files() const { return files_; }
  // The one table whose range holds `key`, or null.
  const std::shared_ptr<TableFile>* Locate(Slice key) const {
    if (!BeginsWith(key, prefix_)) return nullptr;
    const uint64_t window = LoadWindow(key, prefix_.size());
    if (one_table_ && least_ < window && window < greatest_) [[likely]]
      return files_.data();
    return LocateAmong(key, window);
  }

 private:
  const std::shared_ptr<TableFile>* LocateAmong(Slice key, uint64_t window) const;

  std::vector<std::shared_ptr<TableFile>> files_;
  Slice prefix_;  // of every key between the smallest and the largest one
  bool one_table_ = false;
  uint64_t least_ = 0;     // smallest_.front(), at hand
  uint64_t greatest_ = 0;  // largest_.back()
  std::vector<uint64_t> smallest_;
  std::vector<uint64_t> largest_;
};

class TreeView final : public ValueSource {
 public:
  // Opens what is not open yet.
  TreeView(VersionPtr version, TableFiles* files, FlushedRanges ranges = {}, ValueFileSet values = {});

  const VersionPtr& version() const { return version_; }
  // The range tombstones of the version.
  const FlushedRanges& ranges() const { return ranges_; }
  // The segments that its tables point into.
  const ValueFileSet& values() const { return values_; }
  // Of an entry of its tables.
  Status Fetch(const ValuePointer& pointer, FetchedValue* value) const override;
  size_t l0_runs() const { return l0_runs_; }

  // Asks run after run, newest first, until one knows. `file` gets the table that answered (borrowed from
  // this view). A damaged table on the way that may hold the key is an error.
  Status Get(const TableReadFlags& flags, const LookupKey& lookup, Lookup* result,
             const std::shared_ptr<TableFile>** file) const;

  // The same, of versions with a sequence of at least `least`: tables without any are not asked.
  Status GetFrom(SequenceNumber least, const TableReadFlags& flags, const LookupKey& lookup, Lookup* result,
                 const std::shared_ptr<TableFile>** file) const;

  // A lookup among several; the fields are as the arguments and the result of Get.
  struct GroupLookup {
    LookupKey lookup;
    Lookup* result = nullptr;
    const std::shared_ptr<TableFile>** file = nullptr;
    Status* status = nullptr;  // OK before
  };
  // Get for each of them, whose waits for memory overlap.
  void GetGroup(const TableReadFlags& flags, std::span<GroupLookup> group) const;

  // Adds one iterator for each run that meets the bounds, newest first. They borrow this view and the bounds,
  // and leave out long stretches that `cover` hides, and tables that have no key with the bounds' prefix.
  void AddIterators(const TableReadFlags& flags, const KeyBounds& bounds, const RangeCover& cover,
                    std::vector<std::unique_ptr<InternalIterator>>* iterators) const;

  // The open file of a table of this version; null if it is not part of it.
  std::shared_ptr<TableFile> Find(uint64_t number) const;
  std::vector<std::shared_ptr<TableFile>> AllFiles() const;
  // Numbers of tables that could not be opened.
  std::vector<uint64_t> DamagedTables() const;

 private:
  template <bool kBounded>
  Status Ask(SequenceNumber least, const TableReadFlags& flags, const LookupKey& lookup, Lookup* result,
             const std::shared_ptr<TableFile>** file) const;

  class ProbeGroup;

  const VersionPtr version_;
  const FlushedRanges ranges_;
  const ValueFileSet values_;
  std::vector<RunView> runs_;  // newest first
  size_t l0_runs_ = 0;
};

// What some tables of a TreeView point to. Holds their value segments and nothing else of the view, whose
// other tables may be replaced and removed meanwhile. Immutable.
class TableValues final : public ValueSource {
 public:
  // Requires: `tables` are of `tree`.
  TableValues(const TreeView& tree, const std::vector<std::shared_ptr<TableFile>>& tables);
  // Of an entry of these tables.
  Status Fetch(const ValuePointer& pointer, FetchedValue* value) const override;

 private:
  ValueFileSet files_;
};

}  // namespace seerdb
