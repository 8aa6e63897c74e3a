#include <algorithm>

#include "tests/differential/differential_run.h"

namespace seerdb::testing {
namespace {

constexpr size_t kSnapshotsMax = 6;
constexpr size_t kIteratorsMax = 4;
constexpr size_t kValuesMax = 8;

}  // namespace

ReadOptions DifferentialRun::RandomReadOptions() {
  ReadOptions options;
  options.no_cache = random_.OneIn(8);
  options.verify_checksums = random_.OneIn(16);
  return options;
}

ModelBounds DifferentialRun::RandomBounds() {
  ModelBounds bounds;
  if (random_.OneIn(3)) bounds.lower = keys_.ReadKey();
  if (random_.OneIn(3)) bounds.upper = keys_.ReadKey();
  if (random_.OneIn(4)) bounds.prefix = keys_.Prefix();
  if (!bounds.upper.empty() && bounds.upper < bounds.lower) std::swap(bounds.lower, bounds.upper);
  return bounds;
}

const DifferentialRun::HeldSnapshot* DifferentialRun::RandomSnapshot() {
  return snapshots_.empty() ? nullptr : &snapshots_[random_.Uniform(snapshots_.size())];
}

bool DifferentialRun::CheckAnswer(const Result<std::optional<PinnedValue>>& got, const ModelMap& model,
                                  const std::string& key) {
  const auto want = model.find(key);
  if (!got.ok()) {
    Fail("Get " + Printable(key) + ": " + got.status().ToString());
  } else if (want == model.end()) {
    if (got->has_value())
      Fail("Get " + Printable(key) + ": found " + Printable((**got).slice()) + ", want none");
  } else if (!got->has_value()) {
    Fail("Get " + Printable(key) + ": none, want " + Printable(*want->second));
  } else if ((**got).slice() != *want->second) {
    Fail("Get " + Printable(key) + ": " + Printable((**got).slice()) + ", want " + Printable(*want->second));
  }
  return !failed_;
}

void DifferentialRun::GetOne() {
  const std::string key = keys_.ReadKey();
  Note("Get " + Printable(key));
  auto got = db_->Get(RandomReadOptions(), key);
  if (!CheckAnswer(got, model_.map(), key)) return;
  if (got->has_value() && random_.OneIn(100)) {
    if (values_.size() >= kValuesMax) values_.erase(values_.begin());
    values_.push_back({**std::move(got), *model_.map().find(key)->second});
  }
}

void DifferentialRun::CheckHeldValue() {
  for (const HeldValue& held : values_) {
    if (held.value.slice() != held.want) return Fail("a pinned value changed: want " + Printable(held.want));
  }
}

void DifferentialRun::GetMany() {
  std::vector<std::string> keys;
  for (uint64_t n = random_.Uniform(20); n > 0; --n) keys.push_back(keys_.ReadKey());
  if (keys.size() > 2 && random_.OneIn(3)) keys.push_back(keys.front());
  const std::vector<Slice> slices(keys.begin(), keys.end());
  const HeldSnapshot* held = random_.OneIn(3) ? RandomSnapshot() : nullptr;
  ReadOptions options = RandomReadOptions();
  if (held) options.snapshot = &held->snapshot;
  Note("MultiGet of " + std::to_string(keys.size()));
  const auto answers = db_->MultiGet(options, slices);
  if (answers.size() != keys.size()) return Fail("MultiGet gave another number of answers");
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!CheckAnswer(answers[i], held ? *held->state : model_.map(), keys[i])) return;
  }
}

void DifferentialRun::GetAtSnapshot() {
  const HeldSnapshot* held = RandomSnapshot();
  if (!held) return;
  ReadOptions options = RandomReadOptions();
  options.snapshot = &held->snapshot;
  const DBStats stats = db_->Stats();
  if (stats.total_compactions > held->compactions_before) ++coverage_.snapshots_across_compaction;
  for (int i = 0; i < 4; ++i) {
    const std::string key = keys_.ReadKey();
    Note("Get " + Printable(key) + " at snapshot " + std::to_string(held->snapshot.sequence_number()));
    if (!CheckAnswer(db_->Get(options, key), *held->state, key)) return;
  }
}

void DifferentialRun::HoldSnapshot() {
  if (snapshots_.size() >= kSnapshotsMax) return ReleaseSnapshot();
  snapshots_.push_back({db_->GetSnapshot(), model_.Freeze(), db_->Stats().total_compactions});
  Note("GetSnapshot " + std::to_string(snapshots_.back().snapshot.sequence_number()));
}

void DifferentialRun::ReleaseSnapshot() {
  if (snapshots_.empty()) return;
  HeldSnapshot& victim = snapshots_[random_.Uniform(snapshots_.size())];
  Note("release snapshot " + std::to_string(victim.snapshot.sequence_number()));
  if (random_.OneIn(2)) victim.snapshot.Release();
  std::swap(victim, snapshots_.back());
  snapshots_.pop_back();
}

void DifferentialRun::ScanSome() {
  const ModelBounds bounds = RandomBounds();
  const bool keys_only = random_.OneIn(4), reverse = random_.OneIn(2);
  const uint64_t limit = random_.OneIn(20) ? UINT64_MAX : random_.Uniform(40);
  const HeldSnapshot* held = random_.OneIn(3) ? RandomSnapshot() : nullptr;
  Note("Scan [" + Printable(bounds.lower) + ", " + Printable(bounds.upper) + ") prefix " +
       Printable(bounds.prefix) + (reverse ? " reverse" : "") + (keys_only ? " keys" : "") + " limit " +
       std::to_string(limit) + (held ? " at snapshot" : ""));
  Scan scan = db_->Scan(RandomReadOptions());
  if (!bounds.lower.empty() || !bounds.upper.empty())
    scan = std::move(scan).Range(bounds.lower, bounds.upper);
  if (!bounds.prefix.empty()) scan = std::move(scan).Prefix(bounds.prefix);
  if (keys_only) scan = std::move(scan).KeysOnly();
  if (reverse) scan = std::move(scan).Reverse();
  if (limit != UINT64_MAX) scan = std::move(scan).Limit(limit);
  if (held) scan = std::move(scan).AsOf(held->snapshot);
  ModelCursor cursor(held ? *held->state : model_.map(), bounds);
  reverse ? cursor.SeekToLast() : cursor.SeekToFirst();
  uint64_t count = 0;
  for (const ScanEntry& entry : scan) {
    if (!Check(entry.status(), "Scan")) return;
    if (++count > limit) return Fail("Scan gave more than its limit");
    if (!cursor.Valid()) return Fail("Scan gave " + Printable(entry.key()) + " after the end");
    if (entry.key() != cursor.key() || entry.value() != (keys_only ? "" : cursor.value())) {
      return Fail("Scan gave " + Printable(entry.key()) + ", want " + Printable(cursor.key()));
    }
    reverse ? cursor.Prev() : cursor.Next();
  }
  if (count < limit && cursor.Valid()) Fail("Scan ended before " + Printable(cursor.key()));
}

void DifferentialRun::ScanSomePrefixes() {
  std::vector<std::string> prefixes;
  for (uint64_t n = random_.Uniform(4); n > 0; --n) prefixes.push_back(keys_.Prefix() + keys_.Prefix());
  Note("ScanPrefixes of " + std::to_string(prefixes.size()));
  const std::vector<Slice> slices(prefixes.begin(), prefixes.end());
  const HeldSnapshot* held = random_.OneIn(3) ? RandomSnapshot() : nullptr;
  ReadOptions options = RandomReadOptions();
  if (held) options.snapshot = &held->snapshot;
  const auto lists = db_->ScanPrefixes(options, slices);
  if (!Check(lists.ok() ? Status::Ok() : lists.status(), "ScanPrefixes")) return;
  if (lists->size() != prefixes.size()) return Fail("ScanPrefixes gave another number of lists");
  for (size_t i = 0; i < prefixes.size(); ++i) {
    ModelCursor cursor(held ? *held->state : model_.map(), ModelBounds{"", "", prefixes[i]});
    cursor.SeekToFirst();
    for (const auto& [key, value] : (*lists)[i]) {
      if (!cursor.Valid() || key != cursor.key() || value != cursor.value()) {
        return Fail("ScanPrefixes " + Printable(prefixes[i]) + " gave " + Printable(key));
      }
      cursor.Next();
    }
    if (cursor.Valid())
      return Fail("ScanPrefixes " + Printable(prefixes[i]) + " lacks " + Printable(cursor.key()));
  }
}

void DifferentialRun::WalkShortIterator() {
  const ModelBounds bounds = RandomBounds();
  const HeldSnapshot* held = random_.OneIn(3) ? RandomSnapshot() : nullptr;
  ReadOptions options = RandomReadOptions();
  options.lower_bound = bounds.lower;
  options.upper_bound = bounds.upper;
  options.prefix = bounds.prefix;
  options.keys_only = random_.OneIn(4);
  if (random_.OneIn(4)) options.read_ahead_bytes = random_.Uniform(1 << 16);
  if (held) options.snapshot = &held->snapshot;
  Note("iterator [" + Printable(bounds.lower) + ", " + Printable(bounds.upper) + ") prefix " +
       Printable(bounds.prefix) + (held ? " at snapshot" : ""));
  const std::unique_ptr<Iterator> it = db_->NewIterator(options);
  ModelCursor cursor(held ? *held->state : model_.map(), bounds);
  if (it->Valid()) return Fail("a new iterator is valid before it is positioned");
  WalkIterator(it.get(), &cursor, options.keys_only, 2 + random_.Uniform(30));
}

void DifferentialRun::HoldIterator() {
  if (iterators_.size() >= kIteratorsMax) iterators_.erase(iterators_.begin());
  const HeldSnapshot* held = random_.OneIn(4) ? RandomSnapshot() : nullptr;
  const ModelBounds bounds = RandomBounds();
  ReadOptions options = RandomReadOptions();
  options.lower_bound = bounds.lower;
  options.upper_bound = bounds.upper;
  options.prefix = bounds.prefix;
  options.keys_only = random_.OneIn(4);
  if (held) options.snapshot = &held->snapshot;
  Note("hold an iterator");
  const FrozenModel state = held ? held->state : model_.Freeze();
  ModelCursor cursor(*state, bounds);
  iterators_.push_back({db_->NewIterator(options), state, bounds, cursor, options.keys_only});
}

void DifferentialRun::WalkHeldIterator() {
  if (iterators_.empty()) return;
  HeldIterator& held = iterators_[random_.Uniform(iterators_.size())];
  Note("walk a held iterator");
  WalkIterator(held.iterator.get(), &held.cursor, held.keys_only, 1 + random_.Uniform(10));
}

void DifferentialRun::WalkIterator(Iterator* it, ModelCursor* cursor, bool keys_only, uint64_t steps) {
  std::string note;
  for (; steps > 0 && !failed_; --steps) {
    const uint64_t choice = cursor->Valid() ? random_.Uniform(12) : random_.Uniform(4);
    if (choice == 0) {
      it->SeekToFirst();
      cursor->SeekToFirst();
      note = "SeekToFirst";
    } else if (choice == 1) {
      it->SeekToLast();
      cursor->SeekToLast();
      note = "SeekToLast";
    } else if (choice <= 3) {
      const std::string target = keys_.ReadKey();
      note = (choice == 2 ? "Seek " : "SeekForPrev ") + Printable(target);
      choice == 2 ? it->Seek(target) : it->SeekForPrev(target);
      choice == 2 ? cursor->Seek(target) : cursor->SeekForPrev(target);
    } else {
      for (uint64_t n = 1 + random_.Uniform(4); n > 0 && cursor->Valid() && !failed_; --n) {
        note = choice < 8 ? "Next" : "Prev";
        choice < 8 ? it->Next() : it->Prev();
        choice < 8 ? cursor->Next() : cursor->Prev();
        if (!SamePlace(*it, *cursor, keys_only)) Note("  " + note);
      }
    }
    if (!failed_ && !SamePlace(*it, *cursor, keys_only)) Note("  after " + note);
  }
}

bool DifferentialRun::SamePlace(const Iterator& it, const ModelCursor& cursor, bool keys_only) {
  if (it.Valid() != cursor.Valid()) {
    Note(it.Valid() ? "  iterator at " + Printable(it.key()) : "  iterator at no entry");
    Fail(cursor.Valid() ? "iterator ended before " + Printable(cursor.key()) + ": " + it.status().ToString()
                        : "iterator went past the end to " + Printable(it.key()));
  } else if (!it.Valid()) {
    Check(it.status(), "iterator");
  } else if (it.key() != cursor.key()) {
    Fail("iterator at " + Printable(it.key()) + ", want " + Printable(cursor.key()));
  } else if (it.value() != (keys_only ? "" : cursor.value())) {
    Fail("iterator at " + Printable(it.key()) + ": value " + Printable(it.value()) + ", want " +
         Printable(keys_only ? "" : cursor.value()));
  }
  return !failed_;
}

void DifferentialRun::CompareAll(const FrozenModel& state, const Snapshot* snapshot) {
  Note("compare everything");
  ReadOptions options = RandomReadOptions();
  options.snapshot = snapshot;
  const std::unique_ptr<Iterator> it = db_->NewIterator(options);
  ModelCursor cursor(*state, ModelBounds());
  it->SeekToFirst();
  for (cursor.SeekToFirst(); SamePlace(*it, cursor, false) && cursor.Valid(); cursor.Next()) it->Next();
  if (failed_) return;
  it->SeekToLast();
  for (cursor.SeekToLast(); SamePlace(*it, cursor, false) && cursor.Valid(); cursor.Prev()) it->Prev();
}

}  // namespace seerdb::testing
