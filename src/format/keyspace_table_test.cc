#include "format/keyspace_table.h"

#include <gtest/gtest.h>

#include "format/keyspace_prefix.h"

namespace seerdb {
namespace {

std::string EngineKey(uint32_t keyspace, const std::string& user_key) {
  std::string key;
  AppendKeyspacePrefix(&key, keyspace);
  return key + user_key;
}

// With the default keyspace, 2 and 300; 1 and all others below 400 were dropped.
KeyspaceTablePtr Table() {
  std::vector<KeyspaceStatePtr> states;
  for (const uint32_t id : {0u, 2u, 300u}) {
    states.push_back(
        std::make_shared<const KeyspaceState>(0, id, "k" + std::to_string(id), KeyspaceOptions()));
  }
  return std::make_shared<const KeyspaceTable>(std::move(states), 400);
}

TEST(KeyspaceTable, FindsByIdAndName) {
  const KeyspaceTablePtr table = Table();
  ASSERT_NE(table->Find(300), nullptr);
  EXPECT_EQ((*table->Find(300))->name, "k300");
  EXPECT_EQ(table->Find(1), nullptr);
  EXPECT_EQ((*table->FindByName("k2"))->id, 2u);
  EXPECT_EQ(table->FindByName("k1"), nullptr);
  EXPECT_TRUE(table->HasDropped());
  EXPECT_FALSE(KeyspaceTable().HasDropped());
}

TEST(KeyspaceTable, ARangeIsDroppedIfNoLivingKeyspaceMeetsIt) {
  const KeyspaceTablePtr table = Table();
  struct Case {
    uint32_t first, last;
    bool dropped;
  };
  for (const Case& c :
       {Case{1, 1, true}, Case{0, 1, false}, Case{1, 2, false}, Case{3, 299, true}, Case{3, 300, false},
        Case{301, 399, true}, Case{301, 400, false}, Case{400, 500, false}}) {
    EXPECT_EQ(table->AllDropped(EngineKey(c.first, "a"), EngineKey(c.last, "a")), c.dropped)
        << c.first << " .. " << c.last;
  }
  EXPECT_FALSE(table->AllDropped("\xff", "\xff"));
  EXPECT_TRUE(table->MayHoldDropped(EngineKey(0, "a"), EngineKey(2, "a")));
  EXPECT_FALSE(table->MayHoldDropped(EngineKey(2, "a"), EngineKey(2, "z")));
  EXPECT_TRUE(table->MayHoldDropped(EngineKey(300, "a"), EngineKey(500, "a")));
  EXPECT_FALSE(table->MayHoldDropped(EngineKey(400, "a"), EngineKey(500, "a")));
}

TEST(KeyspaceCursor, KnowsTheKeyspaceOfEachKey) {
  KeyspaceCursor cursor(Table());
  struct Case {
    std::string key;
    bool dropped;
    const char* name;  // null: none
  };
  for (const Case& c : {Case{EngineKey(0, ""), false, "k0"}, Case{EngineKey(0, "x"), false, "k0"},
                        Case{EngineKey(1, "x"), true, nullptr}, Case{EngineKey(1, ""), true, nullptr},
                        Case{EngineKey(2, "x"), false, "k2"}, Case{EngineKey(299, "x"), true, nullptr},
                        Case{EngineKey(300, "x"), false, "k300"}, Case{EngineKey(400, "x"), false, nullptr},
                        Case{"", false, nullptr}, Case{"\xff", false, nullptr}}) {
    cursor.MoveTo(c.key);
    EXPECT_EQ(cursor.dropped(), c.dropped) << c.key;
    EXPECT_EQ(cursor.state() != nullptr ? cursor.state()->name : "", c.name != nullptr ? c.name : "")
        << c.key;
  }
  KeyspaceCursor unknown(nullptr);
  unknown.MoveTo(EngineKey(1, "x"));
  EXPECT_FALSE(unknown.dropped());
}

}  // namespace
}  // namespace seerdb
