#include "study_engine.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "seerdb/db.h"
#include "table_memory.h"
#include "workload.h"

namespace seerdb::bench {
namespace {

struct Setting {
  const char* name;
  IndexKind kind = IndexKind::kAuto;
  bool filter = true;
};

// What is compared. The first is the library as it comes.
constexpr Setting kSettings[] = {{"default"},
                                 {"tag", IndexKind::kTag},
                                 {"pgm", IndexKind::kPgm},
                                 {"radix_spline", IndexKind::kRadixSpline},
                                 {"alex", IndexKind::kAlex},
                                 {"binary", IndexKind::kBinary},
                                 {"binary, no filter", IndexKind::kBinary, false}};

void Check(const Status& status, const char* operation) {
  if (status.ok()) return;
  std::fprintf(stderr, "study_bench: %s: %s\n", operation, status.ToString().c_str());
  std::exit(1);
}

uint32_t RankIn(Slice value) {
  uint32_t rank = 0;
  std::memcpy(&rank, value.data(), sizeof rank);
  return rank;
}

class EngineSubject final : public Subject {
 public:
  EngineSubject(const Setting& setting, const SortedKeys* keys, uint64_t value_bytes, std::string folder)
      : setting_(setting), keys_(keys), value_(value_bytes, 'v'), folder_(std::move(folder)) {}
  ~EngineSubject() override { Drop(); }

  std::string name() const override { return setting_.name; }
  void Build() override;
  uint64_t memory_bytes() const override {
    const TableMemory memory = MeasureTables(folder_);
    // An ALEX tree is in no file.
    const uint64_t tree = setting_.kind == IndexKind::kAlex ? db_->Stats().memory_table_metadata_bytes : 0;
    return memory.index_bytes + memory.filter_bytes + memory.column_bytes + tree;
  }
  bool Can(Operation) const override { return true; }
  IndexAnswer Answer(Operation operation, Slice key) override {
    return {operation == Operation::kLowerBound ? Seek(key) : Get(key), true};
  }
  uint64_t Chain(Operation operation, const Probes& probes, size_t begin, size_t end) override {
    if (operation == Operation::kLowerBound) {
      return RunChain(probes, begin, end, [&](Slice key) { return Seek(key); });
    }
    return RunChain(probes, begin, end, [&](Slice key) { return Get(key); });
  }
  nlohmann::json Facts() const override;

 private:
  uint32_t Get(Slice key) {
    const Result<std::optional<PinnedValue>> value = db_->Get(key);
    if (!value.ok()) Check(value.status(), "get");
    return value->has_value() ? RankIn((*value)->slice()) : kAbsent;
  }
  uint32_t Seek(Slice key) {
    iterator_->Seek(key);
    if (iterator_->Valid()) return RankIn(iterator_->value());
    Check(iterator_->status(), "seek");
    return static_cast<uint32_t>(keys_->size());
  }
  void Drop() {
    iterator_.reset();
    if (db_ != nullptr) Check(db_->Close(), "close");
    db_.reset();
    std::filesystem::remove_all(folder_);
  }

  const Setting setting_;
  const SortedKeys* const keys_;
  std::string value_;
  const std::string folder_;
  std::unique_ptr<DB> db_;
  std::unique_ptr<Iterator> iterator_;
};

void EngineSubject::Build() {
  constexpr uint64_t kBatch = 100;
  Drop();
  std::filesystem::create_directories(folder_);
  Options options;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.index_kind = setting_.kind;
  if (!setting_.filter) options.bloom_bits_per_key = 0;
  Result<std::unique_ptr<DB>> db = DB::Open(options, folder_);
  Check(db.status(), "open");
  db_ = *std::move(db);
  const Permutation order(keys_->size(), 1);
  WriteBatch batch;
  for (uint64_t i = 0; i < keys_->size(); ++i) {
    const auto rank = static_cast<uint32_t>(order(i));
    std::memcpy(value_.data(), &rank, sizeof rank);
    batch.Put((*keys_)[rank], value_);
    const bool half = i + 1 == keys_->size() / 2;
    if (!half && (i + 1) % kBatch != 0 && i + 1 != keys_->size()) continue;
    Check(db_->Write(batch), "write");
    batch.Clear();
    // A table alone would be moved down as it is, and not be compacted.
    if (half) Check(db_->Flush(), "flush");
  }
  Check(db_->Flush(), "flush");
  Check(db_->CompactRange(), "compact");
  Check(db_->WaitForCompaction(), "wait for compaction");
  iterator_ = db_->NewIterator();
}

nlohmann::json EngineSubject::Facts() const {
  const DBStats stats = db_->Stats();
  const TableMemory memory = MeasureTables(folder_);
  const double bits = memory.entries == 0 ? 0 : 8.0 / static_cast<double>(memory.entries);
  return {
      {"tables", stats.total_sstables},
      {"learned_tables", stats.learned_tables},
      {"unlearnable_tables", stats.unlearnable_tables},
      {"index_bits_per_key", bits * static_cast<double>(memory.index_bytes)},
      {"filter_bits_per_key", bits * static_cast<double>(memory.filter_bytes)},
      {"in_block_bits_per_key", bits * static_cast<double>(memory.column_bytes)},
  };
}

}  // namespace

std::vector<std::unique_ptr<Subject>> MakeEngineSubjects(const SortedKeys* keys, uint64_t value_bytes,
                                                         const std::string& folder) {
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const Setting& setting : kSettings) {
    subjects.push_back(std::make_unique<EngineSubject>(setting, keys, value_bytes,
                                                       folder + "/" + std::to_string(subjects.size())));
  }
  return subjects;
}

}  // namespace seerdb::bench
