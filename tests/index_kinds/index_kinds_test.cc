// Every IndexKind under every key set of the study: gets, misses, MultiGets and lower bounds of a database
// answer as a sorted list of its keys does.
//
// SEERDB_INDEX_PROBES sets the probes of each kind (10,000,000 for the long run),
// SEERDB_SIMD=scalar|avx2|avx512 the widest vector code, SEERDB_SEED repeats a run. What the suite proves:
// docs/testing.md.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "base/simd.h"
#include "bench/key_sets.h"
#include "seerdb/iterator.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr IndexKind kKinds[] = {IndexKind::kAuto,        IndexKind::kTag,  IndexKind::kPgm,
                                IndexKind::kRadixSpline, IndexKind::kAlex, IndexKind::kBinary};

// Before anything chooses its vector code.
[[maybe_unused]] const bool limited = [] {
  const char* const name = std::getenv("SEERDB_SIMD");
  const std::string_view level = name == nullptr ? "avx512" : name;
  if (level != "scalar" && level != "avx2" && level != "avx512") {
    std::fprintf(stderr, "SEERDB_SIMD is %s, expected scalar, avx2 or avx512\n", name);
    std::exit(2);
  }
  LimitSimd(level == "scalar" ? SimdLevel::kScalar : level == "avx2" ? SimdLevel::kAvx2 : SimdLevel::kAvx512);
  return true;
}();

// The value of rank `rank`.
std::string ValueOf(uint32_t rank) {
  std::string value(20, 'v');
  std::memcpy(value.data(), &rank, sizeof rank);
  return value;
}

// Of a value that no key has now, a number that is no rank.
uint32_t RankIn(Slice value) {
  uint32_t rank = UINT32_MAX - 1;
  if (value.size() == 20) std::memcpy(&rank, value.data(), sizeof rank);
  return rank;
}

class IndexKindsTest : public ::testing::TestWithParam<std::tuple<IndexKind, std::string>> {
 protected:
  static constexpr uint32_t kAbsent = UINT32_MAX;

  IndexKindsTest()
      : wanted_(EnvNumber("SEERDB_INDEX_PROBES", kSanitized ? 16'000 : 160'000) /
                    bench::KeySetNames().size() +
                1),
        random_(TestSeed()) {}

  void Fill();
  // A key, or something near one.
  std::string Draw();
  // What the sorted list says.
  uint32_t LowerBound(Slice key) const {
    return static_cast<uint32_t>(
        std::lower_bound(keys_.begin(), keys_.end(), key,
                         [](const std::string& a, Slice b) { return Slice(a).compare(b) < 0; }) -
        keys_.begin());
  }
  uint32_t RankOf(Slice key) const {
    const uint32_t rank = LowerBound(key);
    return rank < keys_.size() && keys_[rank] == key ? rank : kAbsent;
  }
  void Check(const char* what, Slice key, uint32_t found, uint32_t expected) {
    ++probes_;
    if (found == expected) return;
    ++wrong_;
    if (wrong_ <= 5)
      ADD_FAILURE() << what << " of " << Printable(key) << ": " << found << ", not " << expected;
  }
  void ProbeOnce(Iterator* iterator);
  void ProbeTogether();

  const uint64_t wanted_;
  Random random_;
  TempDirectory directory_;
  std::vector<std::string> keys_;  // of the database, ascending
  std::vector<std::string> gone_;  // not, or no longer, in it
  std::unique_ptr<DB> db_;
  std::optional<Snapshot> older_;
  uint64_t probes_ = 0;
  uint64_t wrong_ = 0;
};

// Most of what is asked for lies in one compacted run, with older versions that a snapshot keeps; a smaller
// run with overwrites and deletions lies over it.
void IndexKindsTest::Fill() {
  const auto& [kind, name] = GetParam();
  const size_t count = kSanitized ? 3'000 : 20'000;
  std::vector<std::string> all =
      bench::MakeKeySet(name, count, random_.Next(), bench::KeySources::Nowhere()).keys;
  Options options;
  options.index_kind = kind;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.block_bytes = 512;  // so that blocks are many
  options.adaptive_compaction = false;
  db_ = OpenOrFail(options, directory_.path() + "/db");
  ASSERT_NE(db_, nullptr);
  for (size_t i = 0; i < all.size(); ++i) (random_.OneIn(4) ? gone_ : keys_).push_back(std::move(all[i]));
  const auto put = [&](size_t rank) { return db_->Put(keys_[rank], ValueOf(static_cast<uint32_t>(rank))); };
  // Two flushes, so that there is something to compact.
  for (size_t i = 0; i < keys_.size(); i += 3) ASSERT_OK(db_->Put(keys_[i], "an older version"));
  for (size_t i = 0; i < gone_.size(); i += 7) ASSERT_OK(db_->Put(gone_[i], "deleted later"));
  ASSERT_OK(db_->Flush());
  older_.emplace(db_->GetSnapshot());
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (i % 11 != 0) ASSERT_OK(put(i));
  }
  ASSERT_OK(db_->Flush());
  ASSERT_OK(db_->CompactRange());
  ASSERT_OK(db_->WaitForCompaction());
  for (size_t i = 0; i < gone_.size(); i += 7) ASSERT_OK(db_->Delete(gone_[i]));
  for (size_t i = 0; i < keys_.size(); i += 11) ASSERT_OK(put(i));
  ASSERT_OK(db_->Flush());
}

std::string IndexKindsTest::Draw() {
  const bool present = gone_.empty() || random_.OneIn(2);
  const std::vector<std::string>& from = present ? keys_ : gone_;
  std::string key = from[random_.Uniform(from.size())];
  switch (random_.Uniform(8)) {
    case 0:
      if (!key.empty()) key.pop_back();
      break;
    case 1:
      key.push_back(static_cast<char>(random_.Uniform(256)));
      break;
    case 2:
      if (!key.empty()) key[random_.Uniform(key.size())] ^= static_cast<char>(1 << random_.Uniform(8));
      break;
    default:
      break;
  }
  return key;
}

void IndexKindsTest::ProbeOnce(Iterator* iterator) {
  const std::string key = Draw();
  const Result<std::optional<PinnedValue>> value = db_->Get(key);
  ASSERT_OK(value.status());
  Check("get", key, value->has_value() ? RankIn((*value)->slice()) : kAbsent, RankOf(key));
  iterator->Seek(key);
  ASSERT_OK(iterator->status());
  const uint32_t found = iterator->Valid() ? RankIn(iterator->value()) : static_cast<uint32_t>(keys_.size());
  Check("lower bound", key, found, LowerBound(key));
}

void IndexKindsTest::ProbeTogether() {
  std::vector<std::string> drawn;
  for (int i = 0; i < 32; ++i) drawn.push_back(Draw());
  const std::vector<Slice> keys(drawn.begin(), drawn.end());
  const auto values = db_->MultiGet(ReadOptions(), keys);
  ASSERT_EQ(values.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    ASSERT_OK(values[i].status());
    Check("MultiGet", keys[i], values[i]->has_value() ? RankIn((*values[i])->slice()) : kAbsent,
          RankOf(keys[i]));
  }
}

TEST_P(IndexKindsTest, AnswersAsASortedList) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  const DBStats stats = db_->Stats();
  const IndexKind kind = std::get<0>(GetParam());
  if (kind == IndexKind::kTag) {
    EXPECT_EQ(stats.learned_tables + stats.unlearnable_tables, stats.total_sstables);
  } else if (kind != IndexKind::kAuto) {
    EXPECT_EQ(stats.learned_tables, 0u);
  }
  const auto iterator = db_->NewIterator();
  while (probes_ < wanted_) {
    ASSERT_NO_FATAL_FAILURE(ProbeOnce(iterator.get()));
    if (random_.OneIn(32)) {
      ASSERT_NO_FATAL_FAILURE(ProbeTogether());
    }
  }
  uint32_t rank = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++rank) {
    ASSERT_LT(rank, keys_.size());
    ASSERT_EQ(iterator->key(), Slice(keys_[rank]));
    ASSERT_EQ(RankIn(iterator->value()), rank);
  }
  ASSERT_OK(iterator->status());
  EXPECT_EQ(rank, keys_.size());
  ASSERT_OK(db_->Verify().status());
  EXPECT_EQ(wrong_, 0u);
  std::printf("[ PROBES ] %s, %s: %" PRIu64 ", %" PRIu64 " wrong; tables with a tag index: %" PRIu64
              " of %" PRIu64 "\n",
              IndexKindName(kind), std::get<1>(GetParam()).c_str(), probes_, wrong_,
              static_cast<uint64_t>(stats.learned_tables), static_cast<uint64_t>(stats.total_sstables));
}

INSTANTIATE_TEST_SUITE_P(All, IndexKindsTest,
                         ::testing::Combine(::testing::ValuesIn(kKinds),
                                            ::testing::ValuesIn(bench::KeySetNames())),
                         [](const auto& tested) {
                           std::string name = IndexKindName(std::get<0>(tested.param));
                           name += "_" + std::get<1>(tested.param);
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

// A database whose tables have models of all kinds, since each was opened with another.
TEST(IndexKinds, TablesOfEveryKindAreReadTogether) {
  TempDirectory directory;
  Contents expected;
  Random random(TestSeed());
  for (int round = 0; round < 12; ++round) {
    Options options = TinyOptions();
    options.index_kind = kKinds[round % std::size(kKinds)];
    options.memtable_capacity = 64 << 10;
    options.l0_compaction_trigger = 4;
    options.wal_sync_policy = SyncPolicy::kNone;
    const auto db = OpenOrFail(options, directory.path() + "/db");
    ASSERT_NE(db, nullptr);
    ASSERT_EQ(Difference(expected, ReadAll(*db)), "");
    for (int i = 0; i < 2'000; ++i) {
      const std::string key = "key" + std::to_string(random.Uniform(5'000));
      if (random.OneIn(5)) {
        ASSERT_OK(db->Delete(key));
        expected.erase(key);
      } else {
        const std::string value = std::to_string(round) + ":" + std::to_string(i);
        ASSERT_OK(db->Put(key, value));
        expected[key] = value;
      }
    }
    ASSERT_OK(db->Flush());
    ASSERT_EQ(Difference(expected, ReadAll(*db)), "");
    for (const auto& [key, value] : expected) ASSERT_EQ(GetText(*db, key), "=" + value);
    ASSERT_OK(db->Verify().status());
    ASSERT_OK(db->Close());
  }
}

}  // namespace
}  // namespace seerdb::testing
