#include "db/tree_view.h"

#include <algorithm>

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
    key_ = place_;
    trailer_ = trailer;
    value_ = {};
    status_ = Status();
    valid_ = true;
  }
  void Leave(Status status) {
    status_ = std::move(status);
    valid_ = false;
  }

  const TableMeta& meta_;
  const Status damage_;
  std::string place_;
  Status status_;
};

std::unique_ptr<InternalIterator> OpenWholeTable(const TableFile& file, const TableReadFlags& flags) {
  const Result<const TableReader*> reader = file.reader();
  if (!reader.ok()) return std::make_unique<DamagedTableIterator>(file.meta(), reader.status());
  return (*reader)->NewIterator(flags);
}

// Without what `cover` hides in long stretches.
std::unique_ptr<InternalIterator> OpenTable(const TableFile& file, const TableReadFlags& flags,
                                            const RangeCover& cover) {
  if (cover.empty()) [[likely]]
    return OpenWholeTable(file, flags);
  const TableMeta& meta = file.meta();
  RangeCover own = cover;
  // Then it is not even looked into.
  if (own.HidesAll(meta.smallest_key, meta.largest_key, meta.largest_sequence)) {
    return NewEmptyIterator(Status());
  }
  return NewRangeSkippingIterator(OpenWholeTable(file, flags), std::move(own), meta.largest_sequence);
}

// The tables [first, last) of a run, borrowed from the view.
class ViewParts final : public RunParts {
 public:
  ViewParts(const std::shared_ptr<TableFile>* first, const std::shared_ptr<TableFile>* last,
            const TableReadFlags& flags, const RangeCover& cover)
      : first_(first), count_(static_cast<size_t>(last - first)), flags_(flags), cover_(cover) {}
  size_t count() const override { return count_; }
  Slice smallest(size_t part) const override { return first_[part]->meta().smallest_key; }
  Slice largest(size_t part) const override { return first_[part]->meta().largest_key; }
  std::unique_ptr<InternalIterator> Open(size_t part) const override {
    return OpenTable(*first_[part], flags_, cover_);
  }

 private:
  const std::shared_ptr<TableFile>* const first_;
  const size_t count_;
  const TableReadFlags flags_;
  const RangeCover cover_;
};

}  // namespace

TreeView::TreeView(VersionPtr version, TableFiles* files, FlushedRanges ranges)
    : version_(std::move(version)), ranges_(std::move(ranges)) {
  levels_.resize(version_->num_levels());
  for (size_t i = 0; i < levels_.size(); ++i) {
    for (const Run& run : version_->level(i).runs) {
      RunView& view = levels_[i].emplace_back();
      for (const TableMetaPtr& meta : run.tables) view.push_back(files->Get(meta));
    }
  }
}

const std::shared_ptr<TableFile>* TreeView::Locate(const RunView& run, Slice key) {
  size_t low = 0;
  size_t high = run.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (Slice(run[middle]->meta().largest_key) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == run.size() || Slice(run[low]->meta().smallest_key) > key) return nullptr;
  return &run[low];
}

template <bool kBounded>
inline Status TreeView::Ask(SequenceNumber least, const TableReadFlags& flags, const LookupKey& lookup,
                            Lookup* result, const std::shared_ptr<TableFile>** file) const {
  for (const std::vector<RunView>& level : levels_) {
    for (const RunView& run : level) {
      const std::shared_ptr<TableFile>* candidate = Locate(run, lookup.key);
      if (candidate == nullptr) continue;
      if (kBounded && (*candidate)->meta().largest_sequence < least) continue;
      SEERDB_ASSIGN_OR_RETURN(const TableReader* table, (*candidate)->reader());
      SEERDB_RETURN_IF_ERROR(table->Get(flags, lookup, result));
      if (SEERDB_MUTANT("tombstone-falls-through") && result->state == Lookup::State::kDeleted) {
        result->state = Lookup::State::kAbsent;
      }
      if (result->state != Lookup::State::kAbsent) {
        *file = candidate;
        return {};
      }
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
  for (const std::vector<RunView>& level : levels_) {
    for (const RunView& run : level) {
      const auto first = std::partition_point(run.begin(), run.end(), [&](const auto& file) {
        return Slice(file->meta().largest_key) < Slice(bounds.lower);
      });
      const auto last = std::partition_point(first, run.end(), [&](const auto& file) {
        return Slice(file->meta().smallest_key) < Slice(bounds.upper);
      });
      if (first == last) continue;
      if (last - first == 1) {
        iterators->push_back(OpenTable(**first, flags, cover));
      } else {
        iterators->push_back(NewConcatenatingIterator(
            std::make_unique<ViewParts>(&*first, &*first + (last - first), flags, cover)));
      }
    }
  }
}

std::vector<std::shared_ptr<TableFile>> TreeView::AllFiles() const {
  std::vector<std::shared_ptr<TableFile>> files;
  for (const auto& level : levels_) {
    for (const RunView& run : level) files.insert(files.end(), run.begin(), run.end());
  }
  return files;
}

std::shared_ptr<TableFile> TreeView::Find(uint64_t number) const {
  for (const auto& level : levels_) {
    for (const RunView& run : level) {
      for (const auto& file : run) {
        if (file->meta().number == number) return file;
      }
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
