// What changes the numbers of memory, descriptors and free space.
#include "base/units.h"
#include "tests/observe/stats_subject.h"

namespace seerdb::testing {
namespace {

void OpenWithGuard(Subject* s) {
  s->options.min_disk_space_bytes = 100 * kMiB;
  s->options.l0_compaction_trigger = 2;
  s->memory->SetSpaceInfo({1000 * kMiB, 2000 * kMiB});
  JustOpen(s);
  s->Put(0, 10);
}

void OpenWithBudget(Subject* s) {
  s->options.memtable_capacity = 64 * kMiB;
  s->options.wal_segment_bytes = 64 * kMiB;
  s->options.max_memory_bytes = 8 * kMiB;
  s->options.wal_sync_policy = SyncPolicy::kNone;
  JustOpen(s);
}

// Until a write has waited: readers keep the memtables.
void WriteUntilItWaits(Subject* s) {
  for (int i = 0; i < 20'000 && s->db->Stats().memory_stalls == 0; ++i) {
    s->db->Put(Subject::Key(i), std::string(1000, 'v')).IgnoreError("there may be no memory left");
    if (i % 200 == 0) s->pins.push_back(s->db->NewIterator());
  }
}

void LoadOne(Subject* s, const BulkLoadOptions& load) {
  const std::vector<std::pair<std::string, std::string>> entries = {{"key", "value"}};
  EXPECT_OK(s->db->BulkLoad(load, entries).status());
}

// A reading is taken when a table is being written.
void LookDuringJobs(Subject* s) {
  s->faults->SetHook([s](FileOp, const std::string& path, uint64_t) {
    if (!s->seen.has_value() && path.ends_with(".sst.tmp")) s->seen = s->db->Stats();
  });
}

std::vector<FieldCase> MemoryCases() {
  return {
      {{"memory_active_memtable_bytes", "memory_total_bytes"},
       JustOpen,
       [](Subject* s) { s->db->Put("key", std::string(2'000, 'v')).IgnoreError("seen by the numbers"); }},
      {{"memory_pinned_memtable_bytes"},
       [](Subject* s) {
         JustOpen(s);
         s->Put(0, 20);
         s->iterator = s->db->NewIterator();
       },
       [](Subject* s) { s->Flush(); }},
      {{"memory_block_cache_bytes", "cache_inserts"}, OpenForReadCalls, [](Subject* s) { s->Get(5, 6); }},
      {{"cache_evictions"},
       [](Subject* s) {
         s->options.block_cache_capacity = 32 << 10;
         s->options.table_access = TableAccess::kPread;
         JustOpen(s);
         s->Store(0, 3'000);
       },
       [](Subject* s) { s->Get(0, 3'000); }},
      {{"memory_pinned_block_bytes"},
       [](Subject* s) {
         s->options.block_cache_capacity = 0;
         OpenForReadCalls(s);
       },
       [](Subject* s) {
         s->iterator = s->db->NewIterator();
         s->iterator->SeekToFirst();
       }},
      {{"memory_table_metadata_bytes"},
       [](Subject* s) {
         s->options.table_access = TableAccess::kPread;
         JustOpen(s);
       },
       [](Subject* s) { s->Store(0, 100); }},
      {{"memory_job_bytes"},
       [](Subject* s) {
         JustOpen(s);
         s->Put(0, 20);
         LookDuringJobs(s);
       },
       [](Subject* s) { s->Flush(); }},
      {{"memory_bulk_load_bytes"},
       JustOpen,
       [](Subject* s) {
         BulkLoadOptions load;
         load.progress = [s](const BulkLoadProgress&) { s->seen = s->db->Stats(); };
         LoadOne(s, load);
       }},
      {{"memory_transaction_bytes"},
       JustOpen,
       [](Subject* s) {
         const auto transaction = *s->db->BeginTransaction();
         EXPECT_OK(transaction->Put("key", std::string(50'000, 'v')));
         s->seen = s->db->Stats();
       }},
      {{"total_bulk_loads", "bulk_load_bytes_written"}, JustOpen, [](Subject* s) { LoadOne(s, {}); }},
      {{"memory_limit_bytes", "memory_log_bytes"},
       JustOpen,
       [](Subject* s) {
         s->options.max_memory_bytes = 8 * kMiB;
         s->options.log_mode = LogMode::kMapped;
         JustOpen(s);
       }},
      {{"memory_flushes", "memory_stalls"}, OpenWithBudget, WriteUntilItWaits},
  };
}

std::vector<FieldCase> FileCases() {
  return {
      {{"mapped_bytes"}, JustOpen, [](Subject* s) { s->Store(0, 100); }},
      {{"mapped_obsolete_bytes"},
       [](Subject* s) {
         OpenWithTable(s);
         s->Store(0, 100);
         s->iterator = s->db->NewIterator();
       },
       [](Subject* s) { EXPECT_OK(s->db->CompactRange()); }},
      {{"table_files_opened", "table_files_evicted"},
       [](Subject* s) {
         s->options.max_open_files = 16;
         s->options.table_access = TableAccess::kPread;
         JustOpen(s);
       },
       [](Subject* s) {
         s->Store(0, 3'000);
         EXPECT_OK(s->db->CompactRange());
         s->Get(0, 3'000);
       }},
      {{"disk_available_bytes", "disk_guard_refusals"},
       OpenWithGuard,
       [](Subject* s) {
         s->memory->SetSpaceInfo({50 * kMiB, 2000 * kMiB});
         s->clock->Advance(11'000'000);
         EXPECT_FALSE(s->db->Put("key", "v").ok());
       }},
      {{"disk_guard_delays"},
       OpenWithGuard,
       [](Subject* s) {
         s->memory->SetSpaceInfo({100 * kMiB + 2'000, 2000 * kMiB});
         s->clock->Advance(11'000'000);
         for (int i = 0; i < 4; ++i) {
           EXPECT_OK(s->db->Delete(Subject::Key(i)));
           s->Flush();
         }
       }},
  };
}

}  // namespace

std::vector<FieldCase> LimitCases() {
  std::vector<FieldCase> cases = MemoryCases();
  for (FieldCase& c : FileCases()) cases.push_back(std::move(c));
  return cases;
}

}  // namespace seerdb::testing
