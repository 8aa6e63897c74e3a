// TreeView: a Version with its tables open, as reads use it. Immutable, shared by read views.
//
// Thread safety: immutable.
#pragma once

#include <memory>
#include <vector>

#include "compaction/flushed_ranges.h"
#include "db/table_file.h"
#include "format/lookup.h"
#include "iter/internal_iterator.h"
#include "iter/range_cover.h"
#include "manifest/version.h"
#include "sstable/table_reader.h"

namespace seerdb {

// Engine keys that an iterator is confined to: lower <= key < upper.
struct KeyBounds {
  std::string lower;
  std::string upper;
};

class TreeView {
 public:
  // Opens what is not open yet.
  TreeView(VersionPtr version, TableFiles* files, FlushedRanges ranges = {});

  const VersionPtr& version() const { return version_; }
  // The range tombstones of the version.
  const FlushedRanges& ranges() const { return ranges_; }
  size_t l0_runs() const { return levels_.empty() ? 0 : levels_[0].size(); }

  // Asks run after run, newest first, until one knows. `file` gets the table that answered (borrowed from
  // this view). A damaged table on the way that may hold the key is an error.
  Status Get(const TableReadFlags& flags, const LookupKey& lookup, Lookup* result,
             const std::shared_ptr<TableFile>** file) const;

  // The same, of versions with a sequence of at least `least`: tables without any are not asked.
  Status GetFrom(SequenceNumber least, const TableReadFlags& flags, const LookupKey& lookup, Lookup* result,
                 const std::shared_ptr<TableFile>** file) const;

  // Adds one iterator for each run that meets the bounds, newest first. They borrow this view, and leave out
  // long stretches that `cover` hides.
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

  using RunView = std::vector<std::shared_ptr<TableFile>>;
  // The one table of the run whose range holds `key`, or null.
  static const std::shared_ptr<TableFile>* Locate(const RunView& run, Slice key);

  const VersionPtr version_;
  const FlushedRanges ranges_;
  std::vector<std::vector<RunView>> levels_;
};

}  // namespace seerdb
