#include "db/tree_view.h"

#include <algorithm>
#include <set>

#include "base/key_window.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "iter/concatenating_iterator.h"
#include "iter/merging_iterator.h"
#include "iter/range_skip_iterator.h"

namespace seerdb {
namespace {

// Stands for a table that cannot be read. It shows one entry at the place where a walk enters the table's
// range, of a sequence that no reader uses (forward) or as a deletion (backward), and turns into the error
// when the walk steps over it: a walk that never gets there is not disturbed.
class DamagedTableIterator final : public InternalIterator {
 public:
  DamagedTableIterator(const TableMeta& meta, Status damage) : meta_(meta), damage_(std::move(damage)) {}

  void SeekToFirst() override { Stand(meta_.smallest_key, kFirstTrailer); }
  void SeekToLast() override { Stand(meta_.largest_key, kLastTrailer); }
  void Seek(Slice key, uint64_t) override {
    Leave(Status());
    if (key <= Slice(meta_.largest_key)) Stand(std::max(key, Slice(meta_.smallest_key)), kFirstTrailer);
  }
  void SeekForPrev(Slice key, uint64_t) override {
    Leave(Status());
    if (key >= Slice(meta_.smallest_key)) Stand(std::min(key, Slice(meta_.largest_key)), kLastTrailer);
  }
  void Next() override { Leave(damage_); }
  void Prev() override { Leave(damage_); }
  Status status() const override { return status_; }

 private:
  void Stand(Slice key, uint64_t trailer) {
    place_.assign(key);
    own_ = {place_, trailer, {}};
    status_ = Status();
    shown_ = &own_;
  }
  void Leave(Status status) {
    status_ = std::move(status);
    shown_ = nullptr;
  }

  const TableMeta& meta_;
  const Status damage_;
  std::string place_;
  Status status_;
};

std::unique_ptr<InternalIterator> OpenWholeTable(const TableFile& file, const TableReadFlags& flags,
                                                 Slice prefix) {
  const Result<const TableReader*> reader = file.reader();
  if (!reader.ok()) return std::make_unique<DamagedTableIterator>(file.meta(), reader.status());
  if (!prefix.empty() && !(*reader)->MayHavePrefix(prefix)) {
    if (flags.statistics != nullptr) flags.statistics->Add(Counter::prefix_filter_negatives);
    return NewEmptyIterator(Status());
  }
  return (*reader)->NewIterator(flags);
}

// Without what `cover` hides in long stretches. `prefix`: of all keys that are asked for, or empty.
std::unique_ptr<InternalIterator> OpenTable(const TableFile& file, const TableReadFlags& flags,
                                            const RangeCover& cover, Slice prefix) {
  if (cover.empty()) [[likely]]
    return OpenWholeTable(file, flags, prefix);
  const TableMeta& meta = file.meta();
  RangeCover own = cover;
  // Then it is not even looked into.
  if (own.HidesAll(meta.smallest_key, meta.largest_key, meta.largest_sequence)) {
    return NewEmptyIterator(Status());
  }
  return NewRangeSkippingIterator(OpenWholeTable(file, flags, prefix), std::move(own), meta.largest_sequence);
}

// The tables [first, last) of a run, borrowed from the view.
class ViewParts final : public RunParts {
 public:
  ViewParts(const std::shared_ptr<TableFile>* first, const std::shared_ptr<TableFile>* last,
            const TableReadFlags& flags, const RangeCover& cover, Slice prefix)
      : first_(first),
        count_(static_cast<size_t>(last - first)),
        flags_(flags),
        cover_(cover),
        prefix_(prefix) {}
  size_t count() const override { return count_; }
  Slice smallest(size_t part) const override { return first_[part]->meta().smallest_key; }
  Slice largest(size_t part) const override { return first_[part]->meta().largest_key; }
  std::unique_ptr<InternalIterator> Open(size_t part) const override {
    return OpenTable(*first_[part], flags_, cover_, prefix_);
  }

 private:
  const std::shared_ptr<TableFile>* const first_;
  const size_t count_;
  const TableReadFlags flags_;
  const RangeCover cover_;
  const Slice prefix_;  // borrowed from the bounds
};

}  // namespace

TreeView::TreeView(VersionPtr version, TableFiles* files, FlushedRanges ranges, ValueFileSet values)
    : version_(std::move(version)), ranges_(std::move(ranges)), values_(std::move(values)) {
  for (uint32_t level = 0; level < version_->num_levels(); ++level) {
    for (const Run& run : version_->level(level).runs) {
      std::vector<std::shared_ptr<TableFile>> tables;
      tables.reserve(run.tables.size());
      for (const TableMetaPtr& meta : run.tables) tables.push_back(files->Get(meta));
      runs_.emplace_back(std::move(tables));
    }
    if (level == 0) l0_runs_ = runs_.size();
  }
}

Status NoSuchSegment(const ValuePointer& pointer) {
  return Status::Corruption("read value: an entry points into segment " + std::to_string(pointer.segment) +
                                ", expected one of those that its table or memtable names",
                            StatusDetail::kValueCorruption);
}

TableValues::TableValues(const TreeView& tree, const std::vector<std::shared_ptr<TableFile>>& tables) {
  std::set<uint64_t> segments;
  for (const std::shared_ptr<TableFile>& table : tables) {
    for (const ValueBytes& values : table->meta().values) segments.insert(values.segment);
  }
  std::vector<ValueFilePtr> files;
  for (const ValueFilePtr& file : tree.values().files()) {
    if (segments.contains(file->segment())) files.push_back(file);
  }
  files_ = ValueFileSet(std::move(files));
}

Status TableValues::Fetch(const ValuePointer& pointer, FetchedValue* value) const {
  const ValueFile* const file = files_.Find(pointer.segment);
  return file != nullptr ? file->Fetch(pointer, value) : NoSuchSegment(pointer);
}

Status TreeView::Fetch(const ValuePointer& pointer, FetchedValue* value) const {
  const ValueFile* const file = values_.Find(pointer.segment);
  return file != nullptr ? file->Fetch(pointer, value) : NoSuchSegment(pointer);
}

RunView::RunView(std::vector<std::shared_ptr<TableFile>> files) : files_(std::move(files)) {
  const Slice smallest = files_.front()->meta().smallest_key;
  prefix_ = smallest.substr(0, CommonPrefixBytes(smallest, files_.back()->meta().largest_key));
  for (const auto& file : files_) {
    smallest_.push_back(LoadWindow(file->meta().smallest_key, prefix_.size()));
    largest_.push_back(LoadWindow(file->meta().largest_key, prefix_.size()));
  }
  one_table_ = files_.size() == 1;
  least_ = smallest_.front();
  greatest_ = largest_.back();
}

const std::shared_ptr<TableFile>* RunView::LocateAmong(Slice key, uint64_t window) const {
  const size_t count = files_.size();
  auto i = static_cast<size_t>(std::lower_bound(largest_.begin(), largest_.end(), window) - largest_.begin());
  if (i < count && largest_[i] == window) {
    const auto first = files_.begin() + static_cast<std::ptrdiff_t>(i);
    const auto found = std::partition_point(
        first, files_.end(), [&](const auto& file) { return Slice(file->meta().largest_key) < key; });
    i = static_cast<size_t>(found - files_.begin());
  }
  if (i == count || smallest_[i] > window) return nullptr;
  if (smallest_[i] == window && Slice(files_[i]->meta().smallest_key) > key) return nullptr;
  return &files_[i];
}

// Counts how many tables turned a lookup away, when it ends.
class TurnedAway {
 public:
  explicit TurnedAway(CounterShard* shard) : shard_(shard) {}
  ~TurnedAway() {
    if (shard_ != nullptr) shard_->Add(Counter::filter_negatives, tables_);
  }
  TurnedAway(const TurnedAway&) = delete;
  TurnedAway& operator=(const TurnedAway&) = delete;
  void Note() { ++tables_; }

 private:
  CounterShard* const shard_;
  uint64_t tables_ = 0;
};

template <bool kBounded>
inline Status TreeView::Ask(SequenceNumber least, const TableReadFlags& flags, const LookupKey& lookup,
                            Lookup* result, const std::shared_ptr<TableFile>** file) const {
  TurnedAway turned_away(flags.shard);
  result->state = Lookup::State::kAbsent;
  for (const RunView& run : runs_) {
    const std::shared_ptr<TableFile>* candidate = run.Locate(lookup.key);
    if (candidate == nullptr) continue;
    if (kBounded && (*candidate)->meta().largest_sequence < least) continue;
    const TableReader* table = (*candidate)->reader_if_open();
    if (table == nullptr) [[unlikely]] {
      SEERDB_ASSIGN_OR_RETURN(table, (*candidate)->reader());
    }
    if (table->TurnsAway(lookup)) {
      turned_away.Note();
      continue;
    }
    SEERDB_RETURN_IF_ERROR(table->GetPassed(flags, lookup, result));
    if (SEERDB_MUTANT("tombstone-falls-through") && result->state == Lookup::State::kDeleted) {
      result->state = Lookup::State::kAbsent;
    }
    if (result->state != Lookup::State::kAbsent) {
      *file = candidate;
      return {};
    }
  }
  return {};
}

Status TreeView::Get(const TableReadFlags& flags, const LookupKey& lookup, Lookup* result,
                     const std::shared_ptr<TableFile>** file) const {
  return Ask<false>(0, flags, lookup, result, file);
}

Status TreeView::GetFrom(SequenceNumber least, const TableReadFlags& flags, const LookupKey& lookup,
                         Lookup* result, const std::shared_ptr<TableFile>** file) const {
  return Ask<true>(least, flags, lookup, result, file);
}

void TreeView::AddIterators(const TableReadFlags& flags, const KeyBounds& bounds, const RangeCover& cover,
                            std::vector<std::unique_ptr<InternalIterator>>* iterators) const {
  for (const RunView& run : runs_) {
    auto first = run.files().begin();
    auto last = run.files().end();
    // Bounds are mostly those of the keyspace, and no table lies outside.
    if (Slice((*first)->meta().smallest_key) < Slice(bounds.lower)) {
      first = std::partition_point(first, last, [&](const auto& file) {
        return Slice(file->meta().largest_key) < Slice(bounds.lower);
      });
    }
    if (Slice(last[-1]->meta().largest_key) >= Slice(bounds.upper)) {
      last = std::partition_point(first, last, [&](const auto& file) {
        return Slice(file->meta().smallest_key) < Slice(bounds.upper);
      });
    }
    if (first == last) continue;
    if (last - first == 1) {
      iterators->push_back(OpenTable(**first, flags, cover, bounds.prefix));
    } else {
      iterators->push_back(NewConcatenatingIterator(
          std::make_unique<ViewParts>(&*first, &*first + (last - first), flags, cover, bounds.prefix)));
    }
  }
}

std::vector<std::shared_ptr<TableFile>> TreeView::AllFiles() const {
  std::vector<std::shared_ptr<TableFile>> files;
  for (const RunView& run : runs_) files.insert(files.end(), run.files().begin(), run.files().end());
  return files;
}

std::shared_ptr<TableFile> TreeView::Find(uint64_t number) const {
  for (const RunView& run : runs_) {
    for (const auto& file : run.files()) {
      if (file->meta().number == number) return file;
    }
  }
  return nullptr;
}

std::vector<uint64_t> TreeView::DamagedTables() const {
  std::vector<uint64_t> numbers;
  for (const auto& file : AllFiles()) {
    if (file->damaged()) numbers.push_back(file->meta().number);
  }
  return numbers;
}

}  // namespace seerdb
