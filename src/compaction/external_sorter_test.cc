#include "compaction/external_sorter.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "env/fault_file_system.h"
#include "env/memory_file_system.h"

namespace seerdb {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

class ExternalSorterTest : public testing::Test {
 protected:
  ExternalSorterTest() { EXPECT_TRUE(fs_->CreateDirectory("/db").ok()); }

  ExternalSorterOptions OptionsOf(uint64_t memory_bytes) {
    ExternalSorterOptions options;
    options.directory = "/db";
    options.memory_bytes = memory_bytes;
    options.new_file_number = [this]() -> Result<uint64_t> { return ++number_; };
    return options;
  }
  size_t Files() { return fs_->ListDirectory("/db")->size(); }

  // Sorts, and checks what comes out against a map that the same entries were put into.
  void Check(const Entries& entries, uint64_t memory_bytes, uint64_t* runs = nullptr) {
    std::map<std::string, std::string> want;
    {
      ExternalSorter sorter(*fs_, OptionsOf(memory_bytes));
      for (const auto& [key, value] : entries) {
        want[key] = value;
        ASSERT_TRUE(sorter.Add(key, value).ok());
      }
      ASSERT_TRUE(sorter.Finish().ok());
      for (const auto& [key, value] : want) {
        const auto more = sorter.Next();
        ASSERT_TRUE(more.ok() && *more) << "before " << key;
        ASSERT_EQ(sorter.key(), key);
        ASSERT_EQ(sorter.value(), value) << key;
      }
      const auto more = sorter.Next();
      ASSERT_TRUE(more.ok() && !*more);
      EXPECT_EQ(sorter.duplicates_dropped(), entries.size() - want.size());
      if (runs != nullptr) *runs = sorter.runs_spilled();
    }
    EXPECT_EQ(Files(), 0u) << "runs are left behind";
  }

  std::shared_ptr<MemoryFileSystem> fs_ = std::make_shared<MemoryFileSystem>();
  uint64_t number_ = 0;
};

std::string Big(int i, size_t bytes) { return std::to_string(i) + std::string(bytes, 'x'); }

TEST_F(ExternalSorterTest, NothingAndOneEntry) {
  Check({}, 1 << 20);
  Check({{"", ""}}, 1 << 20);
  Check({{"", "1"}, {"", "2"}}, 1 << 20);
}

// Keys that differ only behind what the sort looks at first, are prefixes of each other, or are equal.
TEST_F(ExternalSorterTest, KeysOfManyShapes) {
  Random random(11);
  const std::string shapes[] = {"",
                                "a",
                                std::string(8, '\0'),
                                std::string(9, '\0'),
                                "common prefix of all/",
                                "common prefix of al",
                                std::string("\xff\xff", 2)};
  for (const uint64_t memory_bytes : {uint64_t{1} << 20, uint64_t{4} << 20}) {
    for (const bool one_prefix : {false, true}) {
      Entries entries;
      for (int i = 0; i < 20000; ++i) {
        std::string key = one_prefix ? "users/00000000/" : shapes[random.Uniform(std::size(shapes))];
        for (uint64_t n = random.Uniform(4); n > 0; --n) key.push_back(static_cast<char>(random.Uniform(3)));
        entries.emplace_back(std::move(key), Big(i, random.Uniform(200)));
      }
      Check(entries, memory_bytes);
    }
  }
}

// 0 runs, one, a few, and more than are merged at once, several times over.
TEST_F(ExternalSorterTest, SpillsAndMergesInGenerations) {
  for (const int count : {100, 400, 4000, 20000}) {
    Random random(static_cast<uint64_t>(count));
    Entries entries;
    for (int i = 0; i < count; ++i) {
      entries.emplace_back("key" + std::to_string(random.Uniform(static_cast<uint64_t>(count))),
                           Big(i, 900 + random.Uniform(200)));
    }
    uint64_t runs = 0;
    Check(entries, 256 << 10, &runs);
    EXPECT_EQ(runs == 0, count == 100);
    EXPECT_GE(runs, static_cast<uint64_t>(count) / 1000);
    EXPECT_EQ(runs > 64, count >= 20000);
  }
}

TEST_F(ExternalSorterTest, AnEntryLargerThanMemoryGoesAlone) {
  Check({{"b", Big(1, 3 << 20)}, {"a", "x"}, {"b", Big(2, 5 << 20)}, {"c", ""}}, 1 << 20);
}

// More runs than are merged at once, each of them one value.
TEST_F(ExternalSorterTest, LargeValuesOfManyRuns) {
  Entries entries;
  for (int i = 0; i < 80; ++i) {
    const std::string key = (i % 3 == 0 ? "a" : std::string(30'000, 'b')) + std::to_string(i * 7919 % 60);
    entries.emplace_back(key, Big(i, (520 << 10) + static_cast<size_t>(i)));
  }
  uint64_t runs = 0;
  Check(entries, 1 << 20, &runs);
  EXPECT_EQ(runs, 80u);
}

TEST_F(ExternalSorterTest, MemoryStaysWithinTheBound) {
  SortBuffer buffer;
  for (int i = 0; buffer.BytesWith("key" + std::to_string(i), Big(i, 100)) <= 3 << 20; ++i) {
    buffer.Add("key" + std::to_string(i), Big(i, 100));
    ASSERT_LE(buffer.bytes(), uint64_t{3} << 20);
  }
  EXPECT_GT(buffer.size(), 10000u);
  buffer.Clear();
  EXPECT_EQ(buffer.bytes(), 0u);
}

// Whatever file call fails, the error comes out and no file is left.
TEST_F(ExternalSorterTest, FailuresLeaveNothing) {
  uint64_t failed = 0;
  for (uint64_t call = 1;; ++call) {
    const auto faults = std::make_shared<FaultFileSystem>(fs_);
    FaultRule rule = FaultRule::Fail(FileOp::kAny, "/db", FaultRule::DeviceError(), call);
    bool of_delete = false;
    rule.callback = [&](FileOp op, const std::string&) { of_delete = op == FileOp::kDelete; };
    faults->AddRule(rule);
    Status status;
    {
      ExternalSorter sorter(*faults, OptionsOf(256 << 10));
      for (int i = 0; i < 100 && status.ok(); ++i) {
        status = sorter.Add("key" + std::to_string(i * 7919 % 100), Big(i, 8'000));
      }
      if (status.ok()) status = sorter.Finish();
      for (bool more = true; more && status.ok();) {
        const auto next = sorter.Next();
        status = next.status();
        more = next.ok() && *next;
      }
    }
    // What cannot be removed is swept at the next open.
    EXPECT_EQ(Files(), of_delete ? 1u : 0u) << "call " << call;
    if (of_delete) fs_->DeleteFile("/db/" + fs_->ListDirectory("/db")->front()).IgnoreError("checked above");
    if (faults->faults_fired() == 0) break;
    failed += !status.ok();
  }
  EXPECT_GT(failed, 20u);
}

// The same for a large value, which is read in two steps.
TEST_F(ExternalSorterTest, DamagedLargeValuesAreRefused) {
  {
    SortRunWriter writer(*fs_->NewWritableFile("/run", CreateMode::kTruncate), 64);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(writer.Add("key" + std::to_string(i), Big(i, 600 << 10)).ok());
    EXPECT_TRUE(writer.Finish().ok());
  }
  const std::string whole = *ReadFileToString(*fs_, "/run");
  const auto check = [&](const std::string& bytes) {
    EXPECT_TRUE((*fs_->NewWritableFile("/run", CreateMode::kTruncate))->Append(bytes).ok());
    const auto reader = *SortRunReader::Open(*fs_, {"/run", 3});
    for (int i = 0; i < 3; ++i) {
      if (const auto more = reader->Next(); !more.ok()) return more.status();
      if (Status status = reader->LoadValue(); !status.ok()) return status;
      EXPECT_EQ(reader->key(), "key" + std::to_string(i));
      EXPECT_TRUE(reader->value() == Big(i, 600 << 10));
    }
    return Status();
  };
  EXPECT_TRUE(check(whole).ok());
  for (size_t i = 0; i < whole.size(); i += i < 100 ? 1 : 70'000) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(~bytes[i]);
    EXPECT_TRUE(check(bytes).IsCorruption()) << "byte " << i;
    EXPECT_TRUE(check(whole.substr(0, i)).IsCorruption()) << "cut at " << i;
  }
}

// A run is not what was written: an error, never other entries.
TEST_F(ExternalSorterTest, DamagedRunsAreRefused) {
  const auto write = [&](std::string* bytes) {
    SortRunWriter writer(*fs_->NewWritableFile("/run", CreateMode::kTruncate), 64);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(writer.Add("key" + std::to_string(i), Big(i, 5)).ok());
    EXPECT_TRUE(writer.Finish().ok());
    *bytes = *ReadFileToString(*fs_, "/run");
  };
  std::string whole;
  write(&whole);
  for (size_t i = 0; i <= whole.size(); ++i) {
    std::string bytes = whole;
    if (i < whole.size()) bytes[i] = static_cast<char>(~bytes[i]);
    auto file = *fs_->NewWritableFile("/run", CreateMode::kTruncate);
    // Cut too, at every place.
    for (const std::string& text : {bytes, whole.substr(0, i)}) {
      ASSERT_TRUE(file->Truncate(0).ok());
      file = *fs_->NewWritableFile("/run", CreateMode::kTruncate);
      ASSERT_TRUE(file->Append(text).ok());
      const auto reader = SortRunReader::Open(*fs_, {"/run", 20});
      ASSERT_TRUE(reader.ok());
      uint64_t read = 0;
      Result<bool> more = (*reader)->Next();
      for (; more.ok() && *more; more = (*reader)->Next()) {
        EXPECT_EQ((*reader)->key(), "key" + std::to_string(read));
        ++read;
      }
      if (text == whole) {
        EXPECT_EQ(read, 20u);
      } else {
        EXPECT_TRUE(more.status().IsCorruption()) << "byte " << i;
      }
    }
  }
}

}  // namespace
}  // namespace seerdb
