// Gating tests 5, 6 (of transactions in tests/transaction) and 7: versions, tombstones and keys that begin
// alike, wherever they lie.
#include <algorithm>
#include <cstdio>
#include <numeric>

#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

Options MemoryOptions() {
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.memtable_capacity = 1 << 20;  // data moves only when the test says so
  options.wal_segment_bytes = 1 << 20;
  return options;
}

// Where the test lets its data go before it looks again.
enum class Move { kNothing, kFlush, kCompact, kCompactTwice };
constexpr Move kMoves[] = {Move::kNothing, Move::kFlush, Move::kCompact, Move::kCompactTwice};

void Apply(DB& db, Move move) {
  if (move == Move::kFlush) ASSERT_OK(db.Flush());
  if (move == Move::kCompact || move == Move::kCompactTwice) ASSERT_OK(db.CompactRange());
  if (move == Move::kCompactTwice) ASSERT_OK(db.CompactRange());
}

struct Held {
  Snapshot snapshot;
  Contents contents;
};

void ExpectAllRepeat(DB& db, const std::vector<Held>& held, const Contents& latest) {
  EXPECT_EQ(Difference(latest, ReadAll(db)), "");
  for (size_t i = 0; i < held.size(); ++i) {
    SCOPED_TRACE("snapshot " + std::to_string(i));
    EXPECT_EQ(Difference(held[i].contents, ReadAll(db, &held[i].snapshot)), "");
    for (const char* key : {"a", "b", "c", "never"}) {
      const auto want = held[i].contents.find(key);
      EXPECT_EQ(GetText(db, key, &held[i].snapshot),
                want == held[i].contents.end() ? "none" : "=" + want->second);
    }
    ReadOptions options;
    options.snapshot = &held[i].snapshot;
    const Slice keys[] = {"c", "a", "never", "a"};
    const auto answers = db.MultiGet(options, keys);
    ASSERT_EQ(answers.size(), 4u);
    for (size_t k = 0; k < 4; ++k) {
      ASSERT_TRUE(answers[k].ok());
      const auto want = held[i].contents.find(std::string(keys[k]));
      ASSERT_EQ(answers[k]->has_value(), want != held[i].contents.end());
      if (answers[k]->has_value()) {
        EXPECT_EQ((**answers[k]).slice(), want->second);
      }
    }
  }
}

// Every live snapshot keeps the newest version at or below it, on every way down the tree; two snapshots at
// one sequence count as two; what none needs is dropped.
TEST(Gating, SnapshotSurvivesCompaction) {
  for (const Move between : kMoves) {
    for (const Move after : kMoves) {
      SCOPED_TRACE("move " + std::to_string(static_cast<int>(between)) + ", then " +
                   std::to_string(static_cast<int>(after)));
      const auto db = OpenOrFail(MemoryOptions(), kDbDirectory);
      ASSERT_TRUE(db);
      Contents contents;
      std::vector<Held> held;
      const auto hold = [&] { held.push_back({db->GetSnapshot(), contents}); };
      const auto put = [&](const std::string& key, const std::string& value) {
        ASSERT_OK(db->Put(key, value));
        contents[key] = value;
      };
      hold();  // of nothing
      for (int version = 0; version < 5; ++version) {
        put("a", "a" + std::to_string(version));
        put("a", "A" + std::to_string(version));  // two versions between snapshots
        if (version % 2 == 0) put("b", "b" + std::to_string(version));
        if (version == 3) {
          ASSERT_OK(db->Delete("b"));
          contents.erase("b");
        }
        hold();
        if (version % 2 == 1) hold();  // at the same sequence
        Apply(*db, between);
        ExpectAllRepeat(*db, held, contents);
      }
      put("c", "last");
      Apply(*db, after);
      ExpectAllRepeat(*db, held, contents);
      // Released from the middle outwards; the others stay readable through each compaction.
      while (!held.empty()) {
        held.erase(held.begin() + static_cast<ptrdiff_t>(held.size() / 2));
        Apply(*db, after);
        ExpectAllRepeat(*db, held, contents);
      }
      ASSERT_OK(db->CompactRange());
      ExpectAllRepeat(*db, held, contents);
      uint64_t entries = 0;
      for (const LevelStats& level : db->Stats().levels) entries += level.entries;
      EXPECT_EQ(entries, contents.size()) << "versions that nobody can see are kept";
      ASSERT_OK(db->Close());
    }
  }
}

// A snapshot taken while an older one with the same sequence is released must go on protecting its version.
TEST(Gating, EqualSnapshotsAreReleasedOneByOne) {
  const auto db = OpenOrFail(MemoryOptions(), kDbDirectory);
  ASSERT_TRUE(db);
  ASSERT_OK(db->Put("k", "old"));
  Snapshot first = db->GetSnapshot();
  Snapshot second = db->GetSnapshot();
  EXPECT_EQ(first.sequence_number(), second.sequence_number());
  EXPECT_EQ(db->Stats().live_snapshots, 2u);
  ASSERT_OK(db->Put("k", "new"));
  first.Release();
  EXPECT_FALSE(first.valid());
  ASSERT_OK(db->CompactRange());
  EXPECT_EQ(GetText(*db, "k", &second), "=old");
  const Snapshot moved = std::move(second);
  ASSERT_OK(db->CompactRange());
  EXPECT_EQ(GetText(*db, "k", &moved), "=old");
  EXPECT_EQ(GetText(*db, "k"), "=new");
  EXPECT_EQ(db->Stats().live_snapshots, 1u);
}

// A tombstone ends a lookup, at whatever level it and the older value lie; an empty value is a value.
TEST(Gating, DeletedKeyAndEmptyValueThroughSnapshots) {
  for (const Move value_goes : kMoves) {
    for (const Move tombstone_goes : kMoves) {
      SCOPED_TRACE("value " + std::to_string(static_cast<int>(value_goes)) + ", tombstone " +
                   std::to_string(static_cast<int>(tombstone_goes)));
      Options options = MemoryOptions();
      const auto db = OpenOrFail(options, kDbDirectory);
      ASSERT_TRUE(db);
      Contents contents;
      std::vector<Held> held;
      for (int i = 0; i < 20; ++i) {
        const std::string key = "fill" + std::to_string(i);
        ASSERT_OK(db->Put(key, "x"));
        contents[key] = "x";
      }
      ASSERT_OK(db->Put("a", "value"));
      ASSERT_OK(db->Put("b", ""));
      ASSERT_OK(db->Put("c", ""));
      contents["a"] = "value";
      contents["b"] = contents["c"] = "";
      held.push_back({db->GetSnapshot(), contents});
      Apply(*db, value_goes);
      ExpectAllRepeat(*db, held, contents);

      ASSERT_OK(db->Delete("a"));
      ASSERT_OK(db->Delete("b"));
      ASSERT_OK(db->Put("c", "full"));
      contents.erase("a");
      contents.erase("b");
      contents["c"] = "full";
      held.push_back({db->GetSnapshot(), contents});
      ExpectAllRepeat(*db, held, contents);
      if (tombstone_goes == Move::kFlush) {
        ASSERT_OK(db->Flush());
      } else {
        Apply(*db, tombstone_goes);
      }
      ExpectAllRepeat(*db, held, contents);

      ASSERT_OK(db->Put("a", ""));  // the empty value above the tombstone above the value
      ASSERT_OK(db->Put("b", "back"));
      ASSERT_OK(db->Delete("c"));
      contents["a"] = "";
      contents["b"] = "back";
      contents.erase("c");
      held.push_back({db->GetSnapshot(), contents});
      ExpectAllRepeat(*db, held, contents);
      Apply(*db, Move::kFlush);
      ExpectAllRepeat(*db, held, contents);
      Apply(*db, Move::kCompact);
      ExpectAllRepeat(*db, held, contents);
      held.clear();
      Apply(*db, Move::kCompact);
      ExpectAllRepeat(*db, held, contents);
      uint64_t tombstones = 0;
      for (const LevelStats& level : db->Stats().levels) tombstones += level.tombstones;
      EXPECT_EQ(tombstones, 0u) << "tombstones at the bottom that nobody needs";
      ASSERT_OK(db->Close());
      const auto again = OpenOrFail(options, kDbDirectory);
      ASSERT_TRUE(again);
      EXPECT_EQ(Difference(contents, ReadAll(*again)), "");
    }
  }
}

// A tombstone that leaves the upper levels must stay as long as an older value lies below it.
TEST(Gating, TombstoneIsKeptAboveOlderValue) {
  Options options = MemoryOptions();
  options.num_levels = 6;
  options.memtable_capacity = 4096;
  options.l0_compaction_trigger = 1;
  const auto db = OpenOrFail(options, kDbDirectory);
  ASSERT_TRUE(db);
  Contents contents;
  for (int i = 0; i < 2000; ++i) {
    char key[16];
    std::snprintf(key, sizeof key, "key%05d", i);
    ASSERT_OK(db->Put(key, std::string(50, 'v')));
    contents[key] = std::string(50, 'v');
  }
  ASSERT_OK(db->CompactRange());
  for (int i = 0; i < 2000; i += 3) {
    char key[16];
    std::snprintf(key, sizeof key, "key%05d", i);
    ASSERT_OK(db->Delete(key));
    contents.erase(key);
    if (i % 100 == 0) {
      EXPECT_EQ(GetText(*db, key), "none");
    }
  }
  ASSERT_OK(db->Flush());
  EXPECT_EQ(Difference(contents, ReadAll(*db)), "");
  for (int i = 0; i < 2000; ++i) {
    char key[16];
    std::snprintf(key, sizeof key, "key%05d", i);
    EXPECT_EQ(GetText(*db, key) == "none", i % 3 == 0) << key;
  }
  ASSERT_OK(db->Close());
}

std::vector<std::string> PrefixRelatedKeys() {
  return {"a", std::string("a\0", 2), "a\xff", "aa", std::string("a\0\0", 3), "a\xff\xff"};
}

void ExpectPointReads(DB& db, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    EXPECT_EQ(GetText(db, key), "=v" + key) << Printable(key);
    for (const std::string& near : {key + '\0', key + '\xff', key + "a", key.substr(0, key.size() - 1)}) {
      const bool there = std::find(keys.begin(), keys.end(), near) != keys.end();
      EXPECT_EQ(GetText(db, near), there ? "=v" + near : "none") << Printable(near);
    }
  }
}

void ExpectSeeks(DB& db, const std::vector<std::string>& sorted) {
  const auto it = db.NewIterator();
  for (size_t i = 0; i < sorted.size(); ++i) {
    it->Seek(sorted[i]);
    ASSERT_TRUE(it->Valid());
    EXPECT_EQ(it->key(), sorted[i]);
    it->SeekForPrev(sorted[i]);
    ASSERT_TRUE(it->Valid());
    EXPECT_EQ(it->key(), sorted[i]);
    const std::string after = sorted[i] + std::string(2, '\0');  // between sorted[i] and what follows
    if (std::find(sorted.begin(), sorted.end(), after) != sorted.end()) continue;
    it->SeekForPrev(after);
    ASSERT_TRUE(it->Valid());
    EXPECT_EQ(it->key(), *std::prev(std::upper_bound(sorted.begin(), sorted.end(), after)));
  }
  EXPECT_OK(it->status());
}

// Keys of which one is the beginning of another, inserted in every order, read in every place.
TEST(Gating, PrefixRelatedKeysInAllOrders) {
  const std::vector<std::string> keys = PrefixRelatedKeys();
  std::vector<std::string> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  int orders = 0;
  do {
    if (kSanitized && orders++ % 24 != 0) continue;
    const auto db = OpenOrFail(MemoryOptions(), kDbDirectory);
    ASSERT_TRUE(db);
    Contents contents;
    const auto check = [&] {
      ExpectPointReads(*db, keys);
      ExpectSeeks(*db, sorted);
      EXPECT_EQ(Difference(contents, ReadAll(*db)), "");
    };
    // Half of them go to a table first, with older values of the rest.
    for (size_t i = 0; i < order.size(); ++i) {
      if (i == order.size() / 2) ASSERT_OK(db->Flush());
      ASSERT_OK(db->Put(keys[order[i]], "older"));
      ASSERT_OK(db->Put(keys[order[i]], "v" + keys[order[i]]));
      contents[keys[order[i]]] = "v" + keys[order[i]];
    }
    check();
    ASSERT_OK(db->Flush());
    check();
    ASSERT_OK(db->CompactRange());
    check();
    if (::testing::Test::HasFailure()) return;
  } while (std::next_permutation(order.begin(), order.end()));
}

Contents ScanPrefix(DB& db, Slice prefix, bool reverse) {
  Contents found;
  Scan scan = db.Scan().Prefix(prefix);
  if (reverse) scan = std::move(scan).Reverse();
  for (const ScanEntry& entry : scan) {
    EXPECT_OK(entry.status());
    found.emplace(entry.key(), entry.value());
  }
  return found;
}

// A prefix that ends in 0xff has a successor one byte shorter; `uses` does not begin with `user\xff`.
TEST(Gating, PrefixScanEndsWhereThePrefixDoes) {
  const std::string all[] = {"",
                             "use",
                             "user",
                             "user\xfe\xff",
                             "user\xff",
                             "user\xff"
                             "a",
                             "user\xff\xff",
                             "user\xff\xff\x01",
                             "uses",
                             std::string("uses\0", 5),
                             "uset",
                             "\xff",
                             "\xff\xff",
                             "\xff\xff\xff",
                             "v"};
  const std::string prefixes[] = {"",     "u",    "user",     "user\xff",         "user\xff\xff",
                                  "uses", "\xff", "\xff\xff", "\xff\xff\xff\xff", "zz"};
  const auto db = OpenOrFail(MemoryOptions(), kDbDirectory);
  ASSERT_TRUE(db);
  for (const std::string& key : all) ASSERT_OK(db->Put(key, "v" + key));
  for (const Move move : kMoves) {
    Apply(*db, move);
    for (const std::string& prefix : prefixes) {
      SCOPED_TRACE(Printable(prefix));
      Contents want;
      for (const std::string& key : all) {
        if (key.starts_with(prefix)) want[key] = "v" + key;
      }
      EXPECT_EQ(Difference(want, ScanPrefix(*db, prefix, false)), "");
      EXPECT_EQ(Difference(want, ScanPrefix(*db, prefix, true)), "");
      const Slice list[] = {prefix};
      const auto lists = db->ScanPrefixes(ReadOptions(), list);
      ASSERT_TRUE(lists.ok());
      EXPECT_EQ(Difference(want, Contents((*lists)[0].begin(), (*lists)[0].end())), "");
    }
  }
  const std::pair<std::string, std::string> successors[] = {{"user\xff", "uses"},
                                                            {"a", "b"},
                                                            {"a\xff\xff", "b"},
                                                            {"\xff", ""},
                                                            {"", ""},
                                                            {"a\xfe", "a\xff"},
                                                            {std::string("a\0", 2), "a\x01"},
                                                            {"\x7f", "\x80"}};
  for (const auto& [prefix, successor] : successors) {
    EXPECT_EQ(PrefixSuccessor(prefix), successor) << Printable(prefix);
  }
}

}  // namespace
}  // namespace seerdb::testing
