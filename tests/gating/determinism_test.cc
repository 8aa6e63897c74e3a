// One seed, one run: what a simulated database does follows from its seed, background work included.
#include "base/hash.h"
#include "base/random.h"
#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

// Runs a random history with the cooperative executor, and hashes every change of the file system in order,
// every answer, and the files that are left.
class TracedRun {
 public:
  TracedRun(uint64_t seed, LogMode mode) : random_(seed) {
    watched_->SetHook([this](FileOp op, const std::string& path, uint64_t) {
      Note(std::string(FileOpName(op)) + " " + path);
      ++changes_;
    });
    options_ = TinyOptions();
    options_.seed = seed;
    options_.log_mode = mode;
    options_.file_system = watched_;
    options_.executor = NewCooperativeExecutor();
    options_.background_flush = true;
    options_.background_compaction = true;
  }

  uint64_t Hash() {
    for (int life = 0; life < 4; ++life) {
      const auto db = OpenOrFail(options_, "/db");
      if (db == nullptr) return 0;
      for (int i = 0; i < 300; ++i) Step(*db);
      EXPECT_OK(db->Close());
    }
    auto names = disk_->ListDirectory("/db");
    std::sort(names->begin(), names->end());
    for (const std::string& name : *names) Note(name + *ReadFileToString(*disk_, "/db/" + name));
    return hash_;
  }
  uint64_t changes() const { return changes_; }

 private:
  void Note(const std::string& text) { hash_ = (hash_ ^ Hash64(text)) * 0x9e3779b97f4a7c15; }

  void Step(DB& db) {
    const std::string key = "k" + std::to_string(random_.Uniform(60));
    switch (random_.Uniform(8)) {
      case 0:
        EXPECT_OK(db.Delete(key));
        break;
      case 1:
        Note(GetText(db, key));
        break;
      case 2:
        if (random_.Uniform(10) == 0) EXPECT_OK(db.Flush());
        break;
      default:
        EXPECT_OK(db.Put(random_.Uniform(3) == 0 ? WriteOptions::Sync() : WriteOptions::NoSync(), key,
                         std::string(random_.Uniform(500), static_cast<char>('a' + random_.Uniform(26)))));
    }
    if (random_.Uniform(4) == 0) options_.executor->RunOne();
  }

  Random random_;
  const std::shared_ptr<MemoryFileSystem> disk_ = std::make_shared<MemoryFileSystem>();
  const std::shared_ptr<FaultFileSystem> watched_ = std::make_shared<FaultFileSystem>(disk_);
  Options options_;
  uint64_t hash_ = 0;
  uint64_t changes_ = 0;
};

TEST(Determinism, TheSameSeedGivesTheSameTrace) {
  for (const LogMode mode : {LogMode::kAuto, LogMode::kBuffered, LogMode::kMapped, LogMode::kDirect}) {
    SCOPED_TRACE(LogModeName(mode));
    TracedRun first(7, mode);
    TracedRun second(7, mode);
    TracedRun other(8, mode);
    const uint64_t hash = first.Hash();
    EXPECT_GT(first.changes(), 1000u);
    EXPECT_EQ(hash, second.Hash());
    EXPECT_NE(hash, other.Hash());
  }
}

}  // namespace
}  // namespace seerdb::testing
