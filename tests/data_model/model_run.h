// ModelRun: one random history of a database with every feature of the data model, compared step by step with
// a VersionModel.
//
// Stops at the first difference, which it reports with seed, operation and the last operations.
// Thread safety: external synchronization.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "tests/data_model/feature_table.h"
#include "tests/data_model/version_model.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {

class ModelRun {
 public:
  ModelRun(const std::string& name, const Options& options, uint64_t seed, uint64_t operations);
  // False after the first difference.
  bool Run();
  const FeatureTable& features() const { return features_; }
  uint64_t crashes() const { return crashes_; }

 private:
  // A keyspace of the run: what merges do in it.
  struct Space {
    std::string name;
    KeyspaceOptions options;
    ModelMerge merge;
    ModelFilter filter;  // null: none
    Keyspace handle;
  };
  struct HeldSnapshot {
    Snapshot snapshot;
    VersionModel model;
    std::vector<std::string> names;  // of keyspaces that were there
  };

  void Step();
  void Maintain();
  bool Open();
  void Reopen(bool crash);
  void DropAndMakeAgain();

  void PutOne();
  void MergeOne();
  void DeleteOne();
  void DeleteRangeOne();
  // Two keys in order; an empty end: none.
  void AnyRange(std::string* begin, std::string* end);
  // Of every key that may be in the range.
  void MetInRange(Feature feature, const Space& space, const std::string& begin, const std::string& end);
  void WriteBatchOfSome();
  void CommitTransactionOfSome();
  void BulkLoadSome();
  void GetSome();
  void ScanOne();
  void ScanWithSkipLimit();
  void HoldSnapshot();
  void CompareAll(const VersionModel& model, const Snapshot* snapshot);

  Space& AnySpace() { return spaces_[random_.Uniform(spaces_.size())]; }
  static constexpr uint64_t kKeys = 24;
  static std::string KeyOf(uint64_t number) { return "key " + std::to_string(number); }
  std::string AnyKey() { return KeyOf(random_.Uniform(kKeys)); }
  std::string ValueFor(const Space& space);
  std::string OperandFor(const Space& space);
  // 0, or a time to live; of a put in the model it is `*expires_us` then.
  uint64_t AnyTtl(const Space& space, bool merge, uint64_t* expires_us);
  uint64_t Now() { return clock_->WallMicros(); }
  const HeldSnapshot* AnySnapshot(const Space& space);
  bool SameScan(const Space& space, const VersionModel& model, const Snapshot* snapshot, bool reverse,
                const std::string& lower, const std::string& upper);
  // Takes over what a filter may have done, as far as it explains what was found.
  std::optional<std::string> Want(const Space& space, const VersionModel& model, const std::string& key,
                                  const std::optional<std::string>& got);
  // Of all keys, before something is compared that may not change any more.
  void TakeAllFiltered();
  void Met(Feature feature, const Space& space, const std::string& key);
  // The same of what comes with a put of this value.
  void MetValue(const Space& space, const std::string& key, const std::string& value);
  void Note(std::string text);
  bool Check(const Status& status, const std::string& what);
  void Fail(const std::string& what);

  const std::string name_;
  Options options_;
  const uint64_t seed_;
  const uint64_t operations_;
  Random random_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<MemoryFileSystem> fs_ = std::make_shared<MemoryFileSystem>();
  std::unique_ptr<DB> db_;
  std::vector<Space> spaces_;
  VersionModel model_;
  std::vector<HeldSnapshot> snapshots_;
  FeatureTable features_;
  std::deque<std::string> history_;
  uint64_t index_ = 0;
  uint64_t crashes_ = 0;
  bool failed_ = false;
};

}  // namespace seerdb::testing
