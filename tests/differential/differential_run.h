// DifferentialRun: one random history of one database, compared step by step with a std::map.
//
// Stops at the first difference, which it reports with seed, operation index and the last operations.
// Thread safety: external synchronization; the database's own threads run beside it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/differential/key_source.h"
#include "tests/differential/model.h"
#include "tests/differential/option_sets.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {

// What a run went through; the test asserts on it.
struct Coverage {
  uint64_t operations = 0;
  uint64_t flushes = 0;
  uint64_t compactions = 0;  // merging ones and trivial moves
  uint64_t merges = 0;
  uint64_t bulk_loads = 0;
  uint64_t reopens = 0;
  uint64_t crash_reopens = 0;
  std::set<size_t> levels;                   // below L0, seen with tables
  uint64_t snapshots_across_compaction = 0;  // read again after one
  uint64_t memtable_hits = 0;
  uint64_t l0_hits = 0;
  uint64_t bottom_hits = 0;
};

class DifferentialRun {
 public:
  DifferentialRun(const OptionSet& set, uint64_t seed, uint64_t operations);
  ~DifferentialRun();

  // Returns false after the first difference.
  bool Run();
  const Coverage& coverage() const { return coverage_; }
  // Hash of the names and bytes of all files left; the same for the same seed where nothing is concurrent.
  uint64_t FilesDigest();

 private:
  struct HeldSnapshot {
    Snapshot snapshot;
    FrozenModel state;
    uint64_t compactions_before;
  };
  struct HeldIterator {
    std::unique_ptr<Iterator> iterator;
    FrozenModel state;
    ModelBounds bounds;
    ModelCursor cursor;
    bool keys_only;
  };
  struct HeldValue {
    PinnedValue value;
    std::string want;
  };

  // differential_run.cc: the loop, opening and closing, maintenance.
  bool Open();
  void Step();
  void Maintain(uint64_t operation);
  void Reopen();
  void CrashReopen();
  void DropHandles(bool after_close);
  void HarvestStats();
  void CheckShape();
  void CompactSome(bool all);
  void RunBackground(uint64_t tasks);
  void Note(std::string text);
  void Fail(const std::string& what);
  bool Check(const Status& status, const char* what);

  // differential_writes.cc
  void PutOne();
  void DeleteOne();
  void WriteOneBatch();
  void BulkLoadSome();
  void ProbeMemtable();
  void ProbeL0();
  void ProbeBottom();
  WriteOptions RandomWriteOptions();

  // differential_reads.cc
  void GetOne();
  void GetMany();
  void GetAtSnapshot();
  void HoldSnapshot();
  void ReleaseSnapshot();
  void CheckHeldValue();
  void ScanSome();
  void ScanSomePrefixes();
  void WalkShortIterator();
  void HoldIterator();
  void WalkHeldIterator();
  void WalkIterator(Iterator* it, ModelCursor* cursor, bool keys_only, uint64_t steps);
  bool SamePlace(const Iterator& it, const ModelCursor& cursor, bool keys_only);
  void CompareAll(const FrozenModel& state, const Snapshot* snapshot);
  bool CheckAnswer(const Result<std::optional<PinnedValue>>& got, const ModelMap& model,
                   const std::string& key);
  ModelBounds RandomBounds();
  ReadOptions RandomReadOptions();
  const HeldSnapshot* RandomSnapshot();

  const OptionSet set_;
  const uint64_t seed_;
  const uint64_t operations_;
  Random random_;
  KeySource keys_;
  Model model_;
  std::shared_ptr<MemoryFileSystem> memory_fs_;
  std::unique_ptr<TempDirectory> temp_directory_;
  std::string path_;
  Options options_;
  std::shared_ptr<Executor> executor_;
  std::unique_ptr<DB> db_;
  std::vector<HeldSnapshot> snapshots_;
  std::vector<HeldIterator> iterators_;
  std::vector<HeldValue> values_;
  bool unlogged_ = false;  // a write skipped the log since the last flush
  bool failed_ = false;
  uint64_t index_ = 0;
  std::deque<std::string> history_;
  Coverage coverage_;
};

}  // namespace seerdb::testing
