#include "compaction/bulk_load_job.h"

#include <gtest/gtest.h>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/types.h"
#include "sstable/table_reader.h"

namespace seerdb {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

// Hands out `batch` entries at a time, in buffers that are overwritten with the next call.
class Batches final : public BulkLoadSource {
 public:
  Batches(Entries entries, size_t batch) : entries_(std::move(entries)), batch_(batch) {}
  Status Next(std::vector<BulkLoadEntry>* out) override {
    for (auto& [key, value] : kept_) {
      std::fill(key.begin(), key.end(), '?');
      std::fill(value.begin(), value.end(), '?');
    }
    kept_.clear();
    for (; kept_.size() < batch_ && at_ < entries_.size(); ++at_) kept_.push_back(entries_[at_]);
    for (const auto& [key, value] : kept_) out->push_back({key, value});
    return at_ >= fail_at_ ? Status::Busy("the source fails") : Status();
  }
  void FailAt(size_t entry) { fail_at_ = entry; }

 private:
  const Entries entries_;
  const size_t batch_;
  size_t at_ = 0;
  size_t fail_at_ = SIZE_MAX;
  Entries kept_;
};

class BulkLoadJobTest : public testing::Test {
 protected:
  BulkLoadJobTest() {
    EXPECT_TRUE(fs_->CreateDirectory("/db").ok());
    context_.output.directory = "/db";
    context_.output.target_file_size = 1 << 20;
    context_.output.new_file_number = [this]() -> Result<uint64_t> { return ++number_; };
    context_.key_prefix = "P";
    context_.may_write = [this](uint64_t) { return may_write_; };
    context_.sort_memory_bytes = uint64_t{1} << 20;
  }
  size_t Files() { return fs_->ListDirectory("/db")->size(); }

  // Loads with `sequence`, and reads back what the tables hold.
  Status Load(const BulkLoadOptions& options, BulkLoadSource& source, Entries* found, BulkLoadStats* stats) {
    BulkLoadJob job(*fs_, options, context_);
    if (Status status = job.Run(source); !status.ok()) return status;
    if (Status status = job.tables().AddEnds(77); !status.ok()) return status;
    *stats = job.stats();
    for (const TableMeta& table : job.tables().tables()) {
      EXPECT_EQ(table.smallest_sequence, 77u);
      EXPECT_EQ(table.largest_sequence, 77u);
      TableOpenOptions open;
      open.table_number = table.number;
      open.expected_bytes = table.bytes;
      char path[64];
      std::snprintf(path, sizeof path, "/db/%06d.sst", static_cast<int>(table.number));
      const auto reader = TableReader::Open(*fs_, path, open);
      if (!reader.ok()) return reader.status();
      VerifyResult verified;
      if (Status status = (*reader)->Verify(&verified); !status.ok()) return status;
      const auto it = (*reader)->NewIterator({});
      uint64_t entries = 0;
      for (it->SeekToFirst(); it->Valid(); it->Next(), ++entries) {
        EXPECT_EQ(it->sequence(), 77u);
        found->emplace_back(it->key(), it->value());
      }
      EXPECT_EQ(entries, table.entries);
    }
    return {};
  }

  std::shared_ptr<MemoryFileSystem> fs_ = std::make_shared<MemoryFileSystem>();
  BulkLoadContext context_;
  uint64_t number_ = 0;
  Status may_write_;
};

// Equal keys inside a batch, across batches, at both ends, all of them; the last one stays.
TEST_F(BulkLoadJobTest, LastDuplicateWins) {
  const Entries inputs[] = {
      {},
      {{"", "1"}},
      {{"a", "1"}, {"a", "2"}},
      {{"a", "1"}, {"b", "2"}, {"b", "3"}, {"b", "4"}, {"c", "5"}, {"c", "6"}},
      {{"", "1"}, {"", "2"}, {std::string(1, '\0'), "3"}, {"a", ""}, {"a", "4"}, {"aa", "5"}},
  };
  for (const Entries& input : inputs) {
    for (const size_t batch : {1, 2, 3, 100}) {
      for (const bool sorted : {true, false}) {
        Entries want;
        for (const auto& [key, value] : input) {
          if (!want.empty() && want.back().first == "P" + key) want.pop_back();
          want.emplace_back("P" + key, value);
        }
        Entries given = input;
        if (!sorted)
          std::stable_sort(given.begin(), given.end(),
                           [](const auto& a, const auto& b) { return a.first > b.first; });
        Batches source(given, batch);
        Entries found;
        BulkLoadStats stats;
        ASSERT_TRUE(Load(BulkLoadOptions().AlreadySorted(sorted), source, &found, &stats).ok());
        EXPECT_EQ(found, want);
        EXPECT_EQ(stats.entries_loaded, want.size());
        EXPECT_EQ(stats.duplicates_dropped, input.size() - want.size());
        EXPECT_EQ(Files(), 0u) << "tables that nobody kept are removed";
      }
    }
  }
}

TEST_F(BulkLoadJobTest, TablesEndAtEntriesAndAtBytes) {
  Entries input;
  for (int i = 0; i < 1000; ++i) input.emplace_back("key" + std::to_string(1000 + i), std::string(1000, 'v'));
  struct Case {
    uint64_t max_entries;
    uint64_t target_bytes;
    uint64_t want;
  };
  for (const Case& c : {Case{1, 1 << 20, 1000}, Case{300, 1 << 20, 4}, Case{1000, 1 << 20, 1},
                        Case{1'000'000, 100'000, 10}}) {
    context_.output.target_file_size = c.target_bytes;
    BulkLoadRange source(input.begin(), input.end());
    Entries found;
    BulkLoadStats stats;
    ASSERT_TRUE(
        Load(BulkLoadOptions().AlreadySorted().WithMaxEntries(c.max_entries), source, &found, &stats).ok());
    EXPECT_EQ(stats.sstables_created, c.want);
    EXPECT_EQ(found.size(), input.size());
  }
}

TEST_F(BulkLoadJobTest, WhatCannotBeLoadedIsNamed) {
  struct Case {
    const char* name;
    Entries input;
    bool sorted;
    const char* want;
  };
  const Case cases[] = {
      {"out of order",
       {{"a", ""}, {"c", ""}, {"b\n", ""}},
       true,
       "bulk load entry 3: found key 'b\\x0a' behind key 'c', expected ascending keys with already_sorted"},
      {"out of order behind a duplicate", {{"b", ""}, {"b", ""}, {"a", ""}}, true, "bulk load entry 3: "},
      {"long key",
       {{"a", ""}, {std::string(kMaxKeyBytes + 1, 'k'), ""}},
       false,
       "bulk load entry 2: found a key of 65537 bytes, expected at most 65536"},
  };
  for (const Case& c : cases) {
    for (const size_t batch : {1, 2, 3}) {
      SCOPED_TRACE(c.name);
      Batches source(c.input, batch);
      Entries found;
      BulkLoadStats stats;
      const Status status = Load(BulkLoadOptions().AlreadySorted(c.sorted), source, &found, &stats);
      EXPECT_TRUE(status.IsInvalidArgument()) << status.ToString();
      EXPECT_NE(status.message().find(c.want), std::string::npos) << status.ToString();
      EXPECT_EQ(Files(), 0u);
    }
  }
}

TEST_F(BulkLoadJobTest, TheSourceOrTheDatabaseMayEndIt) {
  Entries input;
  for (int i = 0; i < 3000; ++i) input.emplace_back("key" + std::to_string(10000 + i), std::string(900, 'v'));
  for (const bool sorted : {true, false}) {
    Batches source(input, 100);
    source.FailAt(2500);
    Entries found;
    BulkLoadStats stats;
    BulkLoadOptions options = BulkLoadOptions().AlreadySorted(sorted).WithMaxEntries(500);
    context_.sort_memory_bytes = 1 << 20;
    EXPECT_TRUE(Load(options, source, &found, &stats).IsBusy());
    EXPECT_EQ(Files(), 0u);
    may_write_ = Status::Shutdown("closing");
    Batches another(input, 100);
    EXPECT_TRUE(Load(options, another, &found, &stats).IsShutdown());
    may_write_ = {};
  }
}

TEST_F(BulkLoadJobTest, ReportsProgress) {
  Entries input;
  for (int i = 0; i < 300; ++i)
    input.emplace_back("key" + std::to_string(1000 + i), std::string(100'000, 'v'));
  for (const bool sorted : {true, false}) {
    std::vector<BulkLoadProgress> seen;
    BulkLoadOptions options = BulkLoadOptions().AlreadySorted(sorted);
    context_.sort_memory_bytes = 4 << 20;
    options.progress = [&](const BulkLoadProgress& progress) { seen.push_back(progress); };
    Batches source(input, 10);
    Entries found;
    BulkLoadStats stats;
    ASSERT_TRUE(Load(options, source, &found, &stats).ok());
    ASSERT_GT(seen.size(), 3u);
    for (size_t i = 1; i < seen.size(); ++i) {
      EXPECT_GE(seen[i].entries_read, seen[i - 1].entries_read);
      EXPECT_GE(seen[i].bytes_written, seen[i - 1].bytes_written);
    }
    EXPECT_EQ(seen.back().entries_read, 300u);
    EXPECT_EQ(seen.back().entries_written, 300u);
    EXPECT_EQ(seen.back().bytes_read, 300u * 100'007);
    EXPECT_EQ(seen.back().bytes_written, stats.payload_bytes);
  }
}

// Whatever file call fails, in either part, the error comes out and no file is left.
TEST_F(BulkLoadJobTest, FailuresLeaveNothing) {
  Entries input;
  for (int i = 0; i < 60; ++i) {
    input.emplace_back("key" + std::to_string(10000 + i * 7919 % 60), std::string(9'000, 'v'));
  }
  for (const bool sorted : {true, false}) {
    if (sorted) std::sort(input.begin(), input.end());
    uint64_t failed = 0;
    for (uint64_t call = 1;; ++call) {
      const auto faults = std::make_shared<FaultFileSystem>(fs_);
      FaultRule rule = FaultRule::Fail(FileOp::kAny, "/db", FaultRule::NoSpaceError(), call);
      bool of_delete = false;
      rule.callback = [&](FileOp op, const std::string&) { of_delete = op == FileOp::kDelete; };
      faults->AddRule(rule);
      Status status;
      {
        BulkLoadOptions options = BulkLoadOptions().AlreadySorted(sorted).WithMaxEntries(25);
        context_.sort_memory_bytes = 256 << 10;
        BulkLoadJob job(*faults, options, context_);
        Batches source(input, 10);
        status = job.Run(source);
        if (status.ok()) status = job.tables().AddEnds(77);
      }
      EXPECT_EQ(Files(), of_delete ? 1u : 0u) << "call " << call;
      if (of_delete)
        fs_->DeleteFile("/db/" + fs_->ListDirectory("/db")->front()).IgnoreError("checked above");
      if (faults->faults_fired() == 0) break;
      EXPECT_EQ(status.ok(), of_delete) << "call " << call << ": " << status.ToString();
      failed += !status.ok();
    }
    EXPECT_GT(failed, 20u);
  }
}

}  // namespace
}  // namespace seerdb
