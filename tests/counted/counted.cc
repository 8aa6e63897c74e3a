// What counted_test.py counts: one kind of operation, of which it prints how many there were and how often
// they took memory; or a fixed load, of which it prints the bytes written.
//
//   counted KIND | counted bytes
//
// Everything but MeasuredWork is set-up. One thread, a fixed seed, a clock that stands: the counts repeat.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/random.h"
#include "env/manual_clock.h"
#include "memtable/window_search.h"
#include "seerdb/db.h"
#include "tests/counted/allocation_count.h"
#include "tests/counted/load_bytes.h"
#include "tests/support/test_support.h"

namespace {

using seerdb::DB;
using seerdb::Options;
using seerdb::Slice;

constexpr uint64_t kStoredKeys = 20000;
constexpr uint64_t kOperations = 10000;
constexpr uint64_t kOverlappingRuns = 5;
constexpr size_t kValueBytes = 100;
constexpr size_t kGroupKeys = 64;

struct Work {
  DB* db = nullptr;
  std::span<const std::string> keys;
  std::string value;
  std::vector<Slice> group;
  std::unique_ptr<seerdb::Iterator> iterator;
  uint64_t operations = 0;
  uint64_t found = 0;  // or done
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
  work->operations = work->keys.size();
}

void MultiGets(Work* work) {
  work->group.resize(kGroupKeys);
  const size_t groups = work->keys.size() / kGroupKeys;
  for (size_t i = 0; i < groups; ++i) {
    const auto keys = work->keys.subspan(i * kGroupKeys, kGroupKeys);
    for (size_t k = 0; k < kGroupKeys; ++k) work->group[k] = keys[k];
    for (const auto& got : work->db->MultiGet(seerdb::ReadOptions(), work->group)) {
      if (got.ok() && got->has_value()) ++work->found;
    }
  }
  work->operations = groups * kGroupKeys;
}

void Seeks(Work* work) {
  for (const std::string& key : work->keys) {
    const auto iterator = work->db->NewIterator();
    iterator->Seek(key);
    for (int i = 0; i < 10 && iterator->Valid(); ++i) iterator->Next();
    if (iterator->status().ok()) ++work->found;
  }
  work->operations = work->keys.size();
}

template <bool kBack>
void Step(seerdb::Iterator* iterator) {
  if (kBack) {
    iterator->Prev();
  } else {
    iterator->Next();
  }
}

// The first step takes the buffer of the others.
template <bool kBack>
void FirstStep(Work* work) {
  work->iterator = work->db->NewIterator();
  if (kBack) {
    work->iterator->SeekToLast();
  } else {
    work->iterator->SeekToFirst();
  }
  Step<kBack>(work->iterator.get());
}

template <bool kBack>
void Steps(Work* work) {
  for (; work->iterator->Valid(); Step<kBack>(work->iterator.get())) {
    if (work->iterator->value().size() == kValueBytes) ++work->found;
  }
  work->operations = kStoredKeys - 1;
}

void Puts(Work* work) {
  for (const std::string& key : work->keys) {
    if (work->db->Put(key, work->value).ok()) ++work->found;
  }
  work->operations = work->keys.size();
}

void PutsAndFlush(Work* work) {
  Puts(work);
  if (!work->db->Flush().ok()) work->found = 0;
}

void Compact(Work* work) {
  if (work->db->CompactRange().ok()) work->found = kStoredKeys;
  work->operations = kStoredKeys;
}

void Check(const seerdb::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "counted: %s\n", status.ToString().c_str());
  std::exit(1);
}

enum class Tree { kMemtable, kCompacted, kRuns };

struct Kind {
  const char* name;
  Tree tree;
  uint64_t first;  // of two neighbouring numbers the even one is stored
  void (*run)(Work*);
  void (*prepare)(Work*) = nullptr;
  bool once = false;  // what is done cannot be done again, to warm up
};

constexpr Kind kKinds[] = {
    {"get-table", Tree::kCompacted, 0, Gets},
    {"get-memtable", Tree::kMemtable, 0, Gets},
    {"get-5-runs", Tree::kRuns, 0, Gets},
    {"get-absent", Tree::kCompacted, 1, Gets},
    {"multiget-key", Tree::kCompacted, 0, MultiGets},
    {"seek-10", Tree::kCompacted, 0, Seeks},
    {"scan-step", Tree::kCompacted, 0, Steps<false>, FirstStep<false>},
    {"scan-step-5-runs", Tree::kRuns, 0, Steps<false>, FirstStep<false>},
    {"step-back", Tree::kCompacted, 0, Steps<true>, FirstStep<true>},
    {"step-back-5-runs", Tree::kRuns, 0, Steps<true>, FirstStep<true>},
    {"put", Tree::kCompacted, 1, Puts},
    {"put-flushed", Tree::kCompacted, 1, PutsAndFlush},
    {"compacted-entry", Tree::kRuns, 0, Compact, nullptr, true},
};

Options CountedOptions() {
  Options options;
  options.wal_sync_policy = seerdb::SyncPolicy::kNone;
  options.log_mode = seerdb::LogMode::kMapped;
  options.background_flush = options.background_compaction = false;
  options.l0_compaction_trigger = 1000;  // a flush is a flush and no more
  options.l0_slowdown_writes_trigger = options.l0_stop_writes_trigger = 10000;
  options.clock = std::make_shared<seerdb::ManualClock>();
  options.seed = 1;
  return options;
}

void Fill(DB* db, Tree tree, const std::string& value) {
  const uint64_t runs = tree == Tree::kRuns ? kOverlappingRuns : 1;
  for (uint64_t run = 0; run < runs; ++run) {
    for (uint64_t i = run; i < kStoredKeys; i += runs) Check(db->Put(KeyOf(2 * i), value));
    if (tree != Tree::kMemtable) Check(db->Flush());
  }
  if (tree == Tree::kCompacted) Check(db->CompactRange());
}

}  // namespace

extern "C" [[gnu::noinline]] void MeasuredWork(void (*run)(Work*), Work* work) { run(work); }

namespace {

void Measure(const Kind& kind) {
  const seerdb::testing::TempDirectory directory;
  auto opened = DB::Open(CountedOptions(), directory.path());
  Check(opened.status());
  Work work;
  work.db = opened->get();
  work.value.assign(kValueBytes, 'v');
  Fill(work.db, kind.tree, work.value);
  seerdb::Random random(7);
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < 2 * kOperations; ++i) {
    keys.push_back(KeyOf(2 * random.Uniform(kStoredKeys) + kind.first));
  }
  if (!kind.once) {  // pages are mapped, blocks checked, memory is there
    work.keys = std::span(keys).first(kOperations);
    if (kind.prepare != nullptr) kind.prepare(&work);
    kind.run(&work);
  }
  work.keys = std::span(keys).last(kOperations);
  if (kind.prepare != nullptr) kind.prepare(&work);
  work.found = 0;
  const uint64_t allocations = seerdb::testing::AllocationCount();
  MeasuredWork(kind.run, &work);
  std::printf("allocations %llu\n",
              static_cast<unsigned long long>(seerdb::testing::AllocationCount() - allocations));
  std::printf("operations %llu\n", static_cast<unsigned long long>(work.operations));
  if (work.found != (kind.run == Gets && kind.first == 1 ? 0 : work.operations)) {
    std::fprintf(stderr, "counted: %s: %llu of %llu operations found what they should\n", kind.name,
                 static_cast<unsigned long long>(work.found),
                 static_cast<unsigned long long>(work.operations));
    std::exit(1);
  }
  work.iterator.reset();
  Check(work.db->Close());
}

const char* WindowSearchName() {
  switch (seerdb::BestWindowSearch().kind) {
    case seerdb::WindowSearch::Kind::kScalar:
      return "scalar";
    case seerdb::WindowSearch::Kind::kAvx2:
      return "avx2";
    case seerdb::WindowSearch::Kind::kAvx512:
      return "avx512";
  }
  return "unknown";
}

}  // namespace

int main(int argc, char** argv) {
  const char* const name = argc == 2 ? argv[1] : "";
  if (std::strcmp(name, "bytes") == 0) {
    Check(seerdb::testing::PrintLoadBytes());
    return 0;
  }
  for (const Kind& kind : kKinds) {
    if (std::strcmp(name, kind.name) != 0) continue;
#if defined(__clang__)
    std::printf("compiler clang++ %d\n", __clang_major__);
#else
    std::printf("compiler g++ %d\n", __GNUC__);
#endif
    std::printf("path %s %s\n", WindowSearchName(), seerdb::crc32c::Forms().front().name);
    Measure(kind);
    return 0;
  }
  std::fprintf(stderr, "usage: counted KIND; KIND is bytes or one of");
  for (const Kind& kind : kKinds) std::fprintf(stderr, " %s", kind.name);
  std::fprintf(stderr, "\n");
  return 2;
}
