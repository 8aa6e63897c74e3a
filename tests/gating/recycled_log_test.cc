// Open beside logs whose files were used before: what they held in an earlier life says nothing.
#include <algorithm>

#include "base/coding.h"
#include "base/random.h"
#include "env/memory_file_system.h"
#include "format/file_name.h"
#include "tests/support/test_support.h"
#include "wal/log_format.h"

namespace seerdb::testing {
namespace {

void RunAll(Executor* executor) {
  while (executor->RunOne()) {
  }
}

// Logs whose header is that of another log.
uint64_t RecycledAndNotBegun(FileSystem& fs) {
  uint64_t count = 0;
  const Result<std::vector<std::string>> names = fs.ListDirectory("/db");
  EXPECT_TRUE(names.ok());
  for (const std::string& name : *names) {
    uint64_t number = 0;
    if (ParseFileName(name, &number) != FileKind::kLog) continue;
    const auto file = fs.NewRandomAccessFile("/db/" + name);
    char scratch[kLogHeaderBytes];
    const auto bytes = (*file)->Read(0, sizeof scratch, scratch);
    LogHeader header;
    if (!bytes.ok() || bytes->size() < sizeof scratch || !DecodeLogHeader(*bytes, &header)) continue;
    count += header.identity.log_number != number ? 1 : 0;
  }
  return count;
}

// The first records have small numbers. Seen a byte too early they have large ones, as if of records to come,
// and large lengths. A database young enough has whole files of them.
TEST(RecycledLog, OfTheFirstRecordsDoesNotKeepADatabaseFromOpening) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  Options options;
  options.file_system = fs;
  options.seed = 1;
  options.log_mode = LogMode::kDirect;
  options.executor = NewCooperativeExecutor();
  auto db = OpenOrFail(options, "/db");
  Random random(2);
  uint64_t puts = 0;
  const auto put = [&](uint64_t n) {
    for (; n > 0; --n, ++puts) {
      std::string key;
      AppendU64(&key, random.Next());
      ASSERT_OK(db->Put(key, std::string(1000, 'v')));
    }
  };
  // Each synced put takes a block. The segment that they fill is the next one to be recycled.
  put(options.wal_segment_bytes / kLogBlockBytes + 10);
  RunAll(options.executor.get());
  ASSERT_OK(db->Flush());
  put(10);
  RunAll(options.executor.get());
  ASSERT_GE(RecycledAndNotBegun(*fs), 1u);
  const auto left = fs->CrashClone({1, CrashOptions::kProcessCrash, true});
  db.reset();
  options.file_system = left;
  options.executor = NewCooperativeExecutor();
  auto again = DB::Open(options, "/db");
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  uint64_t entries = 0;
  for (const ScanEntry& entry : Scan(again->get(), {})) {
    ASSERT_TRUE(entry.ok());
    ++entries;
  }
  EXPECT_EQ(entries, puts);
}

}  // namespace
}  // namespace seerdb::testing
