// Each field of DBStats is changed by something that is done: no number is decoration.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/observe/stats_subject.h"

namespace seerdb::testing {

std::map<std::string, double> Numbers(const DBStats& stats) {
  std::map<std::string, double> numbers;
#define SEERDB_TAKE(name, help) numbers[#name] = static_cast<double>(stats.name);
  SEERDB_COUNTER_LIST(SEERDB_TAKE)
#undef SEERDB_TAKE
#define SEERDB_TAKE(type, name, help) numbers[#name] = static_cast<double>(stats.name);
  SEERDB_GAUGE_LIST(SEERDB_TAKE)
#undef SEERDB_TAKE
#define SEERDB_TAKE(name, help) numbers[#name] = static_cast<double>(stats.name.count);
  SEERDB_LATENCY_LIST(SEERDB_TAKE)
#undef SEERDB_TAKE
  return numbers;
}

namespace {

std::vector<FieldCase> WriteCases() {
  return {
      {{"total_puts", "logical_bytes_written", "physical_bytes_written", "wal_bytes_written", "write_groups",
        "write_amplification", "memtable_size_bytes", "memtable_entries", "memtable_utilization_pct",
        "wal_size_bytes", "last_sequence"},
       JustOpen,
       [](Subject* s) { s->Put(0, 1); }},
      {{"total_deletes"}, JustOpen, [](Subject* s) { EXPECT_OK(s->db->Delete("key")); }},
      {{"writes_per_sec", "deletes_per_sec", "reads_per_sec", "uptime_us"},
       [](Subject* s) {
         JustOpen(s);
         s->Put(0, 5);
         s->Get(0, 5);
         EXPECT_OK(s->db->Delete("key"));
       },
       [](Subject* s) { s->clock->Advance(1'000'000); }},
      {{"wal_syncs", "wal_sync_latency"},
       JustOpen,
       [](Subject* s) { EXPECT_OK(s->db->Put(WriteOptions::Sync(), "k", "v")); }},
      {{"wal_bytes_prepared"},
       [](Subject* s) {
         s->options.log_mode = LogMode::kDirect;
         JustOpen(s);
       },
       [](Subject* s) { s->Put(0, 400); }},
      {{"put_latency"}, JustOpen, [](Subject* s) { s->Put(0, 500); }},
      {{"delete_latency"},
       JustOpen,
       [](Subject* s) {
         for (int i = 0; i < 500; ++i) EXPECT_OK(s->db->Delete(Subject::Key(i)));
       }},
      {{"write_latency"},
       JustOpen,
       [](Subject* s) {
         WriteBatch batch;
         batch.Put("a", "b");
         for (int i = 0; i < 500; ++i) EXPECT_OK(s->db->Write(batch));
       }},
      {{"write_stalls", "write_stall_us", "write_stall_latency"},
       [](Subject* s) {
         s->options.memtable_capacity = 64 << 10;
         s->options.max_immutable_memtables = 1;
         s->options.background_flush = true;
         s->options.executor = NewCooperativeExecutor();
         s->options.clock = SystemClock();
         JustOpen(s);
       },
       [](Subject* s) { s->Put(0, 5000); }},
      {{"immutable_memtables", "memory_immutable_memtable_bytes"},
       [](Subject* s) {
         s->options.background_flush = true;
         s->options.executor = NewCooperativeExecutor();
         JustOpen(s);
       },
       [](Subject* s) {
         for (int i = 0; s->db->Stats().immutable_memtables == 0 && i < 1000; ++i) s->Put(i, i + 1);
       }},
  };
}

std::vector<FieldCase> TreeCases() {
  return {
      {{"total_flushes", "flush_bytes_written", "manifest_bytes_written", "flush_latency", "total_disk_bytes",
        "directory_bytes", "total_sstables", "manifest_size_bytes", "live_bytes_estimate",
        "space_amplification"},
       [](Subject* s) {
         JustOpen(s);
         s->Put(0, 20);
       },
       [](Subject* s) { s->Flush(); }},
      {{"total_compactions", "compaction_bytes_read", "compaction_bytes_written", "compaction_latency"},
       [](Subject* s) {
         OpenWithTable(s);
         s->Store(0, 100);
       },
       [](Subject* s) { EXPECT_OK(s->db->CompactRange()); }},
      {{"total_trivial_moves"},
       [](Subject* s) {
         s->options.l0_compaction_trigger = 2;
         JustOpen(s);
         s->Store(0, 10);
       },
       [](Subject* s) { s->Store(10, 20); }},
      {{"total_dropped_tables"},
       JustOpen,
       [](Subject* s) {
         EXPECT_OK(s->db->Delete("nothing"));
         s->Flush();
       }},
      {{"total_shape_changes"},
       [](Subject* s) {
         s->options.adaptive_compaction = true;
         s->options.compaction_policy = CompactionPolicy::kTiered;
         JustOpen(s);
         s->Put(0, 3000);
       },
       [](Subject* s) {
         const uint64_t before = s->db->Stats().total_shape_changes;
         for (int round = 0; round < 30 && s->db->Stats().total_shape_changes == before; ++round) {
           for (int i = 0; i < 10; ++i) s->Get(0, 6000);
           s->Store(0, 100);
         }
       }},
      {{"obsolete_table_bytes"},
       [](Subject* s) {
         OpenWithTable(s);
         s->Store(0, 100);
         s->iterator = s->db->NewIterator();
       },
       [](Subject* s) { EXPECT_OK(s->db->CompactRange()); }},
      {{"wal_disk_bytes"},
       [](Subject* s) {
         s->options.memtable_capacity = 64 << 10;
         JustOpen(s);
       },
       [](Subject* s) { s->Put(0, 200); }},
      {{"live_snapshots"}, JustOpen, [](Subject* s) { s->snapshots.push_back(s->db->GetSnapshot()); }},
      {{"memtable_capacity_bytes", "block_cache_capacity"},
       JustOpen,
       [](Subject* s) {
         s->options.memtable_capacity *= 2;
         s->options.block_cache_capacity *= 2;
         ASSERT_TRUE(s->Open());
       }},
  };
}

std::vector<FieldCase> ReadCases() {
  return {
      {{"total_gets", "total_gets_found"},
       [](Subject* s) {
         JustOpen(s);
         s->Put(0, 1);
       },
       [](Subject* s) { s->Get(0, 1); }},
      {{"get_latency"}, JustOpen, [](Subject* s) { s->Get(0, 500); }},
      {{"blocks_read", "read_amplification", "index_model_hits"},
       OpenWithTable,
       [](Subject* s) { s->Get(5, 6); }},
      {{"total_iterators", "total_seeks", "total_scan_entries", "iterator_blocks_read"},
       OpenWithTable,
       [](Subject* s) { s->Walk(); }},
      {{"scan_entries_skipped"},
       OpenWithTable,
       [](Subject* s) {
         EXPECT_OK(s->db->Delete(Subject::Key(2)));
         s->Walk();
       }},
      {{"total_merges"},
       [](Subject* s) {
         s->options.merge_operator = U64Add();
         return OpenWithTable(s);
       },
       [](Subject* s) { EXPECT_OK(s->db->Merge("counter", U64Operand(1))); }},
      {{"total_range_deletes"},
       OpenWithTable,
       [](Subject* s) { EXPECT_OK(s->db->DeleteRange(Subject::Key(1), Subject::Key(2))); }},
      {{"value_bytes_written", "value_segments", "value_disk_bytes", "value_live_bytes"},
       OpenWithTable,
       [](Subject* s) {
         EXPECT_OK(s->db->Put("large", std::string(10'000, 'v')));
         EXPECT_OK(s->db->Flush());
       }},
      {{"value_gc_bytes_written"},
       OpenWithTable,
       [](Subject* s) {
         const std::vector<std::pair<std::string, std::string>> large{{"large", std::string(10'000, 'v')}};
         EXPECT_OK(s->db->BulkLoad({}, large).status());
       }},
      {{"transaction_commits"},
       OpenWithTable,
       [](Subject* s) {
         const auto transaction = *s->db->BeginTransaction();
         EXPECT_OK(transaction->Put(Subject::Key(1), "1"));
         EXPECT_OK(transaction->Commit());
       }},
      {{"transaction_conflicts"},
       OpenWithTable,
       [](Subject* s) {
         const auto transaction = *s->db->BeginTransaction();
         EXPECT_OK(transaction->Put(Subject::Key(1), "1"));
         EXPECT_OK(s->db->Put(Subject::Key(1), "2"));
         EXPECT_TRUE(transaction->Commit().IsConflict());
       }},
      {{"learned_tables", "table_index_bytes"},
       [](Subject* s) {
         s->options.memtable_capacity = s->options.target_file_size = 1 << 20;
         OpenWithTable(s);
       },
       [](Subject* s) { s->Store(1000, 2000); }},  // behind all that the tables have
      {{"unlearnable_tables", "table_filter_bytes"},
       [](Subject* s) {
         s->options.memtable_capacity = s->options.target_file_size = 1 << 20;
         OpenWithTable(s);
       },
       [](Subject* s) {  // keys of one window, more of them than a search looks at
         for (int i = 0; i < 4000; ++i)
           EXPECT_OK(s->db->Put(Subject::Key(i / 40) + "eightbyt" + std::to_string(i * 7919 % 10007), "v"));
         EXPECT_OK(s->db->CompactRange());
       }},
      {{"range_tombstones"},
       OpenWithTable,
       [](Subject* s) {
         EXPECT_OK(s->db->DeleteRange(Subject::Key(1), Subject::Key(2)));
         EXPECT_OK(s->db->Flush());
       }},
      {{"seek_latency"},
       OpenWithTable,
       [](Subject* s) {
         const auto it = s->db->NewIterator();
         for (int i = 0; i < 500; ++i) it->Seek(Subject::Key(i));
       }},
      {{"prefix_filter_negatives"},
       [](Subject* s) {
         s->options.prefix_filter_bytes = 10;
         OpenWithTable(s);
       },
       [](Subject* s) {
         for (int i = 0; i < 100; ++i) {
           ReadOptions options;
           options.prefix = "key000050x" + std::to_string(i);
           s->db->NewIterator(options)->SeekToFirst();
         }
       }},
      {{"filter_negatives"}, OpenWithTable, [](Subject* s) { EXPECT_TRUE(s->db->Get("key000050x").ok()); }},
      {{"filter_false_positives"},
       [](Subject* s) {
         s->options.bloom_bits_per_key = 1;
         OpenWithTable(s);
       },
       [](Subject* s) {
         for (const char* end : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
           for (int i = 0; i < 99; ++i) EXPECT_TRUE(s->db->Get(Subject::Key(i) + end).ok());
         }
       }},
      {{"cache_misses", "table_bytes_read", "block_cache_size", "block_cache_entries"},
       OpenForReadCalls,
       [](Subject* s) { s->Get(5, 6); }},
      {{"cache_hits", "cache_hit_rate"},
       [](Subject* s) {
         OpenForReadCalls(s);
         s->Get(5, 6);
       },
       [](Subject* s) { s->Get(5, 6); }},
      {{"unobserved_iterator_errors"},
       OpenForReadCalls,
       [](Subject* s) {
         FaultRule rule;
         rule.op = FileOp::kRead;
         rule.repeat = true;
         rule.error = Status::IoError("found an error");
         s->faults->AddRule(rule);
         s->Walk();
         s->faults->ClearRules();
       }},
  };
}

TEST(Stats, EachFieldIsChangedByWhatItIsAbout) {
  // A fallback needs a model that is wrong about a key, which no table that was written whole has.
  std::set<std::string> changed = {"index_fallbacks"};
  for (const auto& cases : {WriteCases(), TreeCases(), ReadCases(), LimitCases()}) {
    for (const FieldCase& c : cases) {
      Subject subject;
      c.prepare(&subject);
      ASSERT_TRUE(subject.db) << *c.fields.begin();
      const auto before = Numbers(subject.db->Stats());
      c.act(&subject);
      const auto after = Numbers(subject.seen.has_value() ? *subject.seen : subject.db->Stats());
      for (const std::string& field : c.fields) {
        ASSERT_TRUE(before.contains(field)) << field;
        EXPECT_NE(before.at(field), after.at(field)) << field;
        changed.insert(field);
      }
    }
  }
  for (const auto& [field, value] : Numbers(DBStats()))
    EXPECT_TRUE(changed.contains(field)) << field << ": no case";
}

TEST(Stats, LevelsAndTheirSumsAgree) {
  Subject s;
  ASSERT_TRUE(s.Open());
  s.Put(0, 1000);
  EXPECT_OK(s.db->Delete(Subject::Key(1)));
  s.Flush();
  const DBStats stats = s.db->Stats();
  uint64_t files = 0, bytes = 0;
  for (const uint64_t n : stats.sstables_per_level()) files += n;
  for (const uint64_t n : stats.level_sizes_bytes()) bytes += n;
  EXPECT_EQ(files, stats.total_sstables);
  EXPECT_EQ(bytes, stats.total_disk_bytes);
  EXPECT_EQ(stats.levels.size(), s.options.num_levels);
  EXPECT_EQ(stats.directory_bytes, stats.total_disk_bytes + stats.obsolete_table_bytes +
                                       stats.wal_disk_bytes + stats.manifest_size_bytes);
}

TEST(Stats, NamesOfTheRustCrateGiveTheSameNumbers) {
  DBStats stats;
  stats.put_latency = {1, 2, 3, 4, 5, 6, 7};
  stats.get_latency = {1, 12, 13, 14, 15, 16, 17};
  stats.delete_latency = {1, 22, 23, 24, 25, 26, 27};
  stats.uptime_us = 7'999'999;
  EXPECT_EQ(stats.put_latency_p50_us(), 3);
  EXPECT_EQ(stats.put_latency_p95_us(), 4);
  EXPECT_EQ(stats.put_latency_p99_us(), 5);
  EXPECT_EQ(stats.put_latency_p999_us(), 6);
  EXPECT_EQ(stats.get_latency_p50_us(), 13);
  EXPECT_EQ(stats.get_latency_p95_us(), 14);
  EXPECT_EQ(stats.get_latency_p99_us(), 15);
  EXPECT_EQ(stats.get_latency_p999_us(), 16);
  EXPECT_EQ(stats.delete_latency_p50_us(), 23);
  EXPECT_EQ(stats.delete_latency_p95_us(), 24);
  EXPECT_EQ(stats.delete_latency_p99_us(), 25);
  EXPECT_EQ(stats.uptime_seconds(), 7u);
}

TEST(Stats, EveryFieldIsInTheText) {
  DBStats stats;
#define SEERDB_TIMED(name, help) stats.name.count = 1;
  SEERDB_LATENCY_LIST(SEERDB_TIMED)
#undef SEERDB_TIMED
  const std::string text = "\n" + stats.ToString();
  for (const auto& [field, value] : Numbers(stats))
    EXPECT_NE(text.find("\n" + field + " "), std::string::npos) << field;
}

// docs/observing.md has each name with the words of the header.
TEST(Stats, EveryFieldIsExplained) {
  std::ifstream file(std::string(SEERDB_SOURCE_DIR) + "/docs/observing.md");
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto expect = [&](const std::string& name, const std::string& help) {
    EXPECT_NE(page.find("| `" + name + "` | " + help + " |\n"), std::string::npos) << name << ": " << help;
  };
#define SEERDB_EXPLAINED(name, help) expect(#name, help);
  SEERDB_COUNTER_LIST(SEERDB_EXPLAINED)
  SEERDB_LATENCY_LIST(SEERDB_EXPLAINED)
#undef SEERDB_EXPLAINED
#define SEERDB_EXPLAINED(type, name, help) expect(#name, help);
  SEERDB_GAUGE_LIST(SEERDB_EXPLAINED)
#undef SEERDB_EXPLAINED
}

TEST(Stats, WithoutMetricsTheShapeIsStillThere) {
  Subject s;
  s.options.metrics = false;
  ASSERT_TRUE(s.Open());
  s.Store(0, 1000);
  s.Get(0, 1000);
  const DBStats stats = s.db->Stats();
#define SEERDB_ZERO(name, help) EXPECT_EQ(stats.name, 0u) << #name;
  SEERDB_COUNTER_LIST(SEERDB_ZERO)
#undef SEERDB_ZERO
#define SEERDB_ZERO(name, help) EXPECT_EQ(stats.name.count, 0u) << #name;
  SEERDB_LATENCY_LIST(SEERDB_ZERO)
#undef SEERDB_ZERO
  EXPECT_GT(stats.total_sstables, 0u);
  EXPECT_GT(stats.live_bytes_estimate, 0u);
  EXPECT_TRUE(s.db->Health().Find("put_latency_p99")->status == CheckStatus::kHealthy);
}

}  // namespace
}  // namespace seerdb::testing
