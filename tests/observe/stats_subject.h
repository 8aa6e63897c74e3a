// A small database of which each number is made to change, and how.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "env/fault_file_system.h"
#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {

// Every number by the name of its field; of a latency how often it was timed.
std::map<std::string, double> Numbers(const DBStats& stats);

// A small database of one thread, whose clock stands still but for `Pass`.
class Subject {
 public:
  Subject() {
    options.file_system = faults;
    options.clock = clock;
    options.adaptive_compaction = false;
  }
  bool Open() {
    db = nullptr;
    db = OpenOrFail(options, "/db");
    return db != nullptr;
  }
  void Put(int first, int end) {
    for (int i = first; i < end; ++i) EXPECT_OK(db->Put(Key(i), std::string(50, 'v')));
  }
  void Get(int first, int end) {
    for (int i = first; i < end; ++i) EXPECT_TRUE(db->Get(Key(i)).ok());
  }
  void Flush() { EXPECT_OK(db->Flush()); }
  // Entries [first, end) in tables.
  void Store(int first, int end) {
    Put(first, end);
    Flush();
  }
  void Walk(const ReadOptions& read = {}) {
    const auto it = db->NewIterator(read);
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
    }
  }
  static std::string Key(int i) {
    char key[16];
    std::snprintf(key, sizeof key, "key%06d", i);
    return key;
  }

  std::shared_ptr<MemoryFileSystem> memory = std::make_shared<MemoryFileSystem>();
  std::shared_ptr<FaultFileSystem> faults = std::make_shared<FaultFileSystem>(memory);
  std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
  Options options = TinyOptions();
  std::unique_ptr<DB> db;
  std::unique_ptr<Iterator> iterator;
  std::vector<std::unique_ptr<Iterator>> pins;
  std::vector<Snapshot> snapshots;
  std::optional<DBStats> seen;  // what counts as the second reading, if it is set while something runs
};

struct FieldCase {
  std::set<std::string> fields;
  std::function<void(Subject*)> prepare;  // before the first reading; the database is not open yet
  std::function<void(Subject*)> act;
};

inline void JustOpen(Subject* s) { ASSERT_TRUE(s->Open()); }
inline void OpenWithTable(Subject* s) {
  ASSERT_TRUE(s->Open());
  s->Store(0, 100);
}
inline void OpenForReadCalls(Subject* s) {
  s->options.table_access = TableAccess::kPread;
  OpenWithTable(s);
}

// The fields of memory, descriptors and free space.
std::vector<FieldCase> LimitCases();

}  // namespace seerdb::testing
