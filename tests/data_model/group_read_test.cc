// MultiGet takes its keys through the tables side by side: it answers, counts and fails as a loop of Get
// does.
#include <algorithm>
#include <vector>

#include "base/random.h"
#include "env/fault_file_system.h"
#include "tests/data_model/data_model_fixture.h"

namespace seerdb::testing {
namespace {

class GroupReadTest : public DataModelFixture {
 protected:
  static std::string Key(uint64_t i) { return "key" + std::to_string(1000 + i); }

  // Nothing is there, and no option is set.
  void Empty() {
    db_.reset();
    fs_ = std::make_shared<MemoryFileSystem>();
    options_ = TinyOptions();
    options_.file_system = fs_;
  }
  // `runs` runs that overlap, over a compacted one, and a memtable: values, deletions and merges.
  void Fill(int runs) {
    CompactOnlyWhenAsked();
    Reopen();
    Random random(static_cast<uint64_t>(runs));
    for (int run = 0; run <= runs + 1; ++run) {
      for (int i = 0; i < 60; ++i) {
        const std::string key = Key(random.Uniform(200));
        const uint64_t kind = random.Uniform(8);
        if (kind == 0) {
          ASSERT_OK(db_->Delete(key));
        } else if (kind == 1) {
          ASSERT_OK(db_->Merge(key, "m" + std::to_string(i)));
        } else {
          ASSERT_OK(db_->Put(key, std::to_string(run) + std::string(random.Uniform(200), 'v')));
        }
      }
      if (run == 0) ASSERT_OK(db_->CompactRange());
      if (run > 0 && run <= runs) ASSERT_OK(db_->Flush());
    }
  }

  // Names of their files, the oldest first.
  std::vector<std::string> Tables() {
    auto names = fs_->ListDirectory("/db");
    EXPECT_OK(names.status());
    std::erase_if(*names, [](const std::string& name) { return !name.ends_with(".sst"); });
    std::sort(names->begin(), names->end());
    return *names;
  }

  // Keys that are there, that are not, of no bytes, too long, and one twice.
  static std::vector<std::string> Keys(size_t count) {
    std::vector<std::string> keys{"", std::string(kMaxKeyBytes + 1, 'k'), "key", Key(5), Key(5)};
    Random random(count);
    while (keys.size() < count) keys.push_back(Key(random.Uniform(260)));
    keys.resize(count);
    return keys;
  }

  struct Counted {
    std::vector<std::string> answers;
    std::vector<uint64_t> counts;
  };
  template <typename Read>
  Counted Count(const Read& read) {
    const DBStats before = db_->Stats();
    Counted counted;
    counted.answers = read();
    const DBStats after = db_->Stats();
#define SEERDB_DIFFERENCE(name, help) counted.counts.push_back(after.name - before.name);
    SEERDB_COUNTER_LIST(SEERDB_DIFFERENCE)
#undef SEERDB_DIFFERENCE
    return counted;
  }

  void ExpectAsALoop(const ReadOptions& options, size_t count) {
    const std::vector<std::string> keys = Keys(count);
    const std::vector<Slice> slices(keys.begin(), keys.end());
    const Counted group = Count([&] {
      std::vector<std::string> answers;
      for (const auto& got : db_->MultiGet(options, slices)) answers.push_back(Text(got));
      return answers;
    });
    const Counted loop = Count([&] {
      std::vector<std::string> answers;
      for (const Slice key : slices) answers.push_back(Text(db_->Get(options, key)));
      return answers;
    });
    EXPECT_EQ(group.answers, loop.answers);
    EXPECT_EQ(group.counts, loop.counts);
  }
};

TEST_F(GroupReadTest, AnswersAndCountsAsALoop) {
  for (const TableAccess access : {TableAccess::kAuto, TableAccess::kPread}) {
    for (const int runs : {0, 1, 3, 7, 9, 20}) {
      SCOPED_TRACE("runs " + std::to_string(runs));
      Empty();
      options_.table_access = access;
      options_.block_cache_capacity = 0;
      Fill(runs);
      const Snapshot snapshot = db_->GetSnapshot();
      for (int i = 0; i < 100; ++i) ASSERT_OK(db_->Put(Key(static_cast<uint64_t>(i)), "newer"));
      ReadOptions at_snapshot;
      at_snapshot.snapshot = &snapshot;
      for (const size_t count : {0, 1, 2, 15, 16, 17, 31, 32, 33, 100}) {
        ExpectAsALoop(ReadOptions(), count);
        ExpectAsALoop(at_snapshot, count);
      }
    }
  }
}

TEST_F(GroupReadTest, RangesHideAsInALoop) {
  Fill(5);
  ASSERT_OK(db_->DeleteRange(Key(20), Key(90)));
  ExpectAsALoop(ReadOptions(), 100);
  ASSERT_OK(db_->Flush());
  ExpectAsALoop(ReadOptions(), 100);
}

// One block, and then a whole table, cannot be read: the keys that may lie there fail, and no others.
TEST_F(GroupReadTest, ATableThatCannotBeReadFailsItsKeysAlone) {
  for (const bool whole : {false, true}) {
    SCOPED_TRACE(whole);
    Empty();
    Fill(4);
    db_.reset();
    const std::string name = Tables().back();
    auto bytes = ReadFileToString(*fs_, "/db/" + name);
    ASSERT_OK(bytes.status());
    if (whole) bytes->resize(bytes->size() / 2);
    if (!whole) (*bytes)[200] ^= 1;
    auto file = fs_->NewWritableFile("/db/" + name, CreateMode::kTruncate);
    ASSERT_OK(file.status());
    ASSERT_OK((*file)->Append(*bytes));
    ASSERT_OK((*file)->Close());
    Reopen();
    const std::vector<std::string> keys = Keys(150);
    const std::vector<Slice> slices(keys.begin(), keys.end());
    const auto group = db_->MultiGet(ReadOptions(), slices);
    ASSERT_EQ(group.size(), keys.size());
    size_t failed = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
      EXPECT_EQ(Text(group[i]), Text(db_->Get(keys[i])));
      if (!group[i].ok()) ++failed;
    }
    EXPECT_GT(failed, 0u);
    EXPECT_LT(failed, keys.size());
  }
}

// Eight bytes tell no two of them apart.
TEST_F(GroupReadTest, FindsKeysWhereTheEndsOfTablesBeginAlike) {
  Empty();
  Reopen();
  const auto key_of = [](uint64_t i) { return std::string(40, 'z') + std::to_string(100'000 + i); };
  ASSERT_OK(db_->Put("a", "first"));
  for (uint64_t i = 0; i < 2000; ++i) ASSERT_OK(db_->Put(key_of(2 * i), std::to_string(i)));
  ASSERT_OK(db_->CompactRange());
  ASSERT_GT(db_->Stats().total_sstables, 4u);
  std::vector<std::string> keys{"", "a", "b", std::string(40, 'z'), std::string(41, 'z'), "zz"};
  for (uint64_t i = 0; i < 4010; ++i) keys.push_back(key_of(i));
  const std::vector<Slice> slices(keys.begin(), keys.end());
  const auto group = db_->MultiGet(ReadOptions(), slices);
  for (size_t i = 0; i < keys.size(); ++i) {
    const bool there = keys[i] == "a" || (i >= 6 && i % 2 == 0 && i - 6 < 4000);
    const auto got = db_->Get(keys[i]);
    ASSERT_TRUE(got.ok() && got->has_value() == there) << keys[i];
    ASSERT_TRUE(group[i].ok() && group[i]->has_value() == there) << keys[i];
    if (there && i >= 6) {
      ASSERT_EQ((*got)->slice(), Slice(std::to_string((i - 6) / 2))) << keys[i];
    }
  }
}

// It is asked for the keys that no newer table answers, once for each.
TEST_F(GroupReadTest, ATableThatCannotBeOpenedIsTriedAsOftenAsByALoop) {
  Fill(4);
  db_.reset();
  const auto faults = std::make_shared<FaultFileSystem>(fs_);
  FaultRule rule = FaultRule::Fail(FileOp::kOpenRead, Tables().front(), FaultRule::DeviceError());
  rule.repeat = true;
  faults->AddRule(rule);
  options_.file_system = faults;
  Reopen();
  const std::vector<std::string> keys = Keys(150);
  const std::vector<Slice> slices(keys.begin(), keys.end());
  const uint64_t before = faults->calls(FileOp::kOpenRead);
  std::vector<std::string> group;
  for (const auto& got : db_->MultiGet(ReadOptions(), slices)) group.push_back(Text(got));
  const uint64_t by_group = faults->calls(FileOp::kOpenRead) - before;
  std::vector<std::string> loop;
  for (const Slice key : slices) loop.push_back(Text(db_->Get(key)));
  EXPECT_EQ(group, loop);
  EXPECT_GT(by_group, 0u);
  EXPECT_EQ(by_group, faults->calls(FileOp::kOpenRead) - before - by_group);
  db_.reset();
  options_.file_system = fs_;
}

}  // namespace
}  // namespace seerdb::testing
