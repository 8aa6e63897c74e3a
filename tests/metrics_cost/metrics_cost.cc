// What metrics_cost_test.py counts the instructions of: one kind of operation, with metrics or without.
//
//   metrics_cost KIND on|off OPERATIONS
//
// Everything but MeasuredWork is set-up. One thread, a fixed seed: the count repeats.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace {

using seerdb::DB;
using seerdb::Options;
using seerdb::Slice;

constexpr uint64_t kStoredKeys = 20000;
constexpr size_t kValueBytes = 100;

struct Work {
  DB* db = nullptr;
  std::vector<std::string> keys;
  std::string value;
  uint64_t found = 0;
};

std::string KeyOf(uint64_t number) {
  char key[20];
  std::snprintf(key, sizeof key, "user%012llu", static_cast<unsigned long long>(number));
  return key;
}

void Gets(Work* work) {
  for (const std::string& key : work->keys) {
    const auto got = work->db->Get(key);
    if (got.ok() && got->has_value()) ++work->found;
  }
}

void Puts(Work* work) {
  for (const std::string& key : work->keys) {
    if (work->db->Put(key, work->value).ok()) ++work->found;
  }
}

void Scans(Work* work) {
  for (const std::string& key : work->keys) {
    const auto iterator = work->db->NewIterator();
    iterator->Seek(key);
    for (int i = 0; i < 10 && iterator->Valid(); ++i, iterator->Next()) ++work->found;
  }
}

void Check(const seerdb::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "metrics_cost: %s\n", status.ToString().c_str());
  std::exit(1);
}

struct Kind {
  const char* name;
  void (*run)(Work*);
  bool flushed;    // the keys are in tables, two runs of them
  uint64_t first;  // of two neighbouring numbers the even one is stored
};

constexpr Kind kKinds[] = {
    {"get", Gets, true, 0},  {"get-absent", Gets, true, 1}, {"get-from-memtable", Gets, false, 0},
    {"put", Puts, false, 1}, {"scan", Scans, true, 0},
};

}  // namespace

extern "C" [[gnu::noinline]] void MeasuredWork(void (*run)(Work*), Work* work) { run(work); }

int main(int argc, char** argv) {
  const Kind* kind = nullptr;
  for (const Kind& each : kKinds) {
    if (argc == 4 && std::strcmp(argv[1], each.name) == 0) kind = &each;
  }
  if (kind == nullptr) {
    std::fprintf(stderr, "usage: metrics_cost KIND on|off OPERATIONS; KIND is one of");
    for (const Kind& each : kKinds) std::fprintf(stderr, " %s", each.name);
    std::fprintf(stderr, "\n");
    return 2;
  }
  const seerdb::testing::TempDirectory directory;
  Options options;
  options.metrics = std::strcmp(argv[2], "on") == 0;
  options.wal_sync_policy = seerdb::SyncPolicy::kNone;
  options.background_flush = options.background_compaction = false;
  options.seed = 1;
  auto opened = DB::Open(options, directory.path());
  Check(opened.status());
  DB& db = **opened;
  Work work{&db, {}, std::string(kValueBytes, 'v')};
  for (const uint64_t part : {uint64_t{0}, uint64_t{1}}) {
    for (uint64_t i = part; i < kStoredKeys; i += 2) Check(db.Put(KeyOf(2 * i), work.value));
    if (kind->flushed) Check(db.Flush());
  }
  seerdb::Random random(7);
  for (uint64_t i = std::strtoull(argv[3], nullptr, 10); i > 0; --i) {
    work.keys.push_back(KeyOf(2 * random.Uniform(kStoredKeys) + kind->first));
  }
  kind->run(&work);  // pages are mapped, blocks checked, memory is there
  work.found = 0;
  MeasuredWork(kind->run, &work);
  std::printf("%llu\n", static_cast<unsigned long long>(work.found));
  Check(db.Close());
  return 0;
}
