#include "base/assert.h"
#include "base/hash.h"
#include "env/memory_file_system.h"
#include "fuzz/targets.h"
#include "sstable/table_reader.h"

namespace seerdb::fuzz {
namespace {

constexpr uint64_t kStepsMax = 2000;  // a damaged table may hold any number of entries

void Walk(const TableReader& table, const TableReadFlags& flags, bool forward) {
  const auto it = table.NewIterator(flags);
  forward ? it->SeekToFirst() : it->SeekToLast();
  [[maybe_unused]] volatile char touched = 0;  // every byte that is handed out must be readable
  for (uint64_t steps = 0; it->Valid() && steps < kStepsMax; ++steps) {
    for (const char c : it->key()) touched = c;
    for (const char c : it->value()) touched = c;
    const std::string key(it->key());
    const uint64_t trailer = it->trailer();
    if (steps % 64 == 0) {
      LookupKey lookup{key, kMaxSequence, Hash64(key)};
      Lookup found;
      table.Get(flags, lookup, &found).IgnoreError("any bytes may come");
      const auto second = table.NewIterator(flags);
      second->Seek(key, trailer);
      second->SeekForPrev(key, trailer);
    }
    forward ? it->Next() : it->Prev();
  }
  if (it->Valid()) return;
  it->status().IgnoreError("any bytes may come");
}

}  // namespace

// The first byte chooses how a table file that consists of the rest is read.
void FuzzTable(Slice input) {
  if (input.empty()) return;
  const unsigned char choice = static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  MemoryFileSystem fs;
  auto file = fs.NewWritableFile("/000007.sst", CreateMode::kTruncate);
  SEERDB_ASSERT(file.ok() && (*file)->Append(input).ok());
  TableOpenOptions options;
  options.access = choice & 1 ? TableAccess::kPread : TableAccess::kMapped;
  if (choice & 2) options.cache = std::make_shared<BlockCache>(64 << 10, nullptr);
  options.table_number = 7;
  options.expected_bytes = input.size();
  const auto table = TableReader::Open(fs, "/000007.sst", options);
  if (!table.ok()) return;
  TableReadFlags flags;
  flags.keys_only = choice & 4;
  flags.sequential_pread = choice & 8;
  Walk(**table, flags, true);
  Walk(**table, flags, false);
  for (const Slice key : {Slice(""), Slice("\0key1", 5), Slice("\xff\xff")}) {
    LookupKey lookup{key, kMaxSequence, Hash64(key)};
    Lookup found;
    (*table)->Get(flags, lookup, &found).IgnoreError("any bytes may come");
    SEERDB_ASSERT((*table)->ApproximateOffset(key) <= input.size());
  }
  VerifyResult verified;
  (*table)->Verify(&verified).IgnoreError("any bytes may come");
}

}  // namespace seerdb::fuzz
