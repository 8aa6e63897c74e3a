#include "tests/support/test_support.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/random.h"
#include "env/manual_clock.h"

namespace seerdb::testing {

uint64_t EnvNumber(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 0);
}

bool LongRun() { return EnvNumber("SEERDB_LONG", 0) != 0; }

uint64_t TestSeed() {
  const uint64_t seed = EnvNumber("SEERDB_SEED", SystemSeed() >> 16);
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::printf("[ SEED     ] %s.%s: SEERDB_SEED=%llu\n", test ? test->test_suite_name() : "?",
              test ? test->name() : "?", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return seed;
}

std::string Printable(Slice bytes, size_t limit) {
  std::string out = "\"";
  for (size_t i = 0; i < bytes.size() && i < limit; ++i) {
    const unsigned char c = static_cast<unsigned char>(bytes[i]);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      out += static_cast<char>(c);
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", c);
      out += escaped;
    }
  }
  out += '"';
  if (bytes.size() > limit) out += "+" + std::to_string(bytes.size() - limit) + "B";
  return out;
}

std::string GetText(DB& db, Slice key, const Snapshot* snapshot) {
  ReadOptions options;
  options.snapshot = snapshot;
  const auto found = db.Get(options, key);
  if (!found.ok()) return "error: " + found.status().ToString();
  return found->has_value() ? "=" + (**found).ToString() : "none";
}

Contents ReadAll(DB& db, const Snapshot* snapshot) {
  ReadOptions options;
  options.snapshot = snapshot;
  const std::unique_ptr<Iterator> it = db.NewIterator(options);
  Contents forward, backward;
  std::string last;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const std::string key(it->key());
    if (!forward.empty() && key <= last) {
      ADD_FAILURE() << "keys out of order: " << Printable(last) << " before " << Printable(key);
      return forward;
    }
    forward.emplace(key, it->value());
    last = key;
  }
  EXPECT_OK(it->status());
  for (it->SeekToLast(); it->Valid(); it->Prev()) backward.emplace(it->key(), it->value());
  EXPECT_OK(it->status());
  EXPECT_EQ(Difference(forward, backward), "") << "forward and backward walks differ";
  return forward;
}

std::string Difference(const Contents& want, const Contents& got) {
  auto w = want.begin();
  auto g = got.begin();
  while (w != want.end() || g != got.end()) {
    if (g == got.end() || (w != want.end() && w->first < g->first)) {
      return "missing key " + Printable(w->first) + " with value " + Printable(w->second);
    }
    if (w == want.end() || g->first < w->first) {
      return "unexpected key " + Printable(g->first) + " with value " + Printable(g->second);
    }
    if (w->second != g->second) {
      return "key " + Printable(w->first) + ": want " + Printable(w->second) + ", got " +
             Printable(g->second);
    }
    ++w;
    ++g;
  }
  return "";
}

std::unique_ptr<DB> OpenOrFail(const Options& options, const std::string& path) {
  auto opened = DB::Open(options, path);
  if (!opened.ok()) {
    ADD_FAILURE() << "open " << path << ": " << opened.status().ToString();
    return nullptr;
  }
  return *std::move(opened);
}

Options TinyOptions() {
  Options options;
  options.memtable_capacity = 4096;
  options.wal_segment_bytes = 4096;
  options.base_level_size = 16 << 10;
  options.size_ratio = 2;
  options.target_file_size = 4096;
  options.block_bytes = 64;
  options.learned_index_min_keys = 10;
  options.num_levels = 5;
  options.block_cache_capacity = 64 << 10;
  options.background_flush = false;
  options.background_compaction = false;
  options.clock = std::make_shared<ManualClock>();
  options.seed = 1;
  return options;
}

TempDirectory::TempDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "seerdb_test_XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    std::perror("mkdtemp");
    std::abort();
  }
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace seerdb::testing
