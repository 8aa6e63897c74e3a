#include "txn/key_index.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/random.h"

namespace seerdb {
namespace {

TEST(KeyIndex, AnEmptyOneHasNothing) {
  KeyIndex index;
  EXPECT_EQ(index.Find("a"), nullptr);
  KeyIndex::Position at = index.LowerBound("a");
  EXPECT_EQ(index.At(at), nullptr);
  EXPECT_FALSE(index.StepBack(&at));
}

// Keys that begin alike, hold zeros, ascend, descend or come at random; against a set.
TEST(KeyIndex, AgreesWithASet) {
  for (int order = 0; order < 3; ++order) {
    SCOPED_TRACE(order);
    Random random(7);
    KeyIndex index;
    std::set<std::string> model;
    for (int i = 0; i < 3000; ++i) {
      std::string key = "longprefix" + std::to_string(order == 0   ? 10'000 + i
                                                      : order == 1 ? 20'000 - i
                                                                   : static_cast<int>(random.Uniform(2000)));
      if (random.OneIn(10)) key = key.substr(0, random.Uniform(key.size()));
      if (random.OneIn(10)) key.append(random.Uniform(10), '\0');
      bool added = false;
      const KeyNode* const node = index.FindOrAdd(key, &added);
      ASSERT_EQ(added, model.insert(key).second);
      ASSERT_EQ(node->key, key);
      ASSERT_EQ(index.Find(key), node);
    }
    ASSERT_EQ(index.size(), model.size());
    KeyIndex::Position at;
    for (const std::string& key : model) {
      ASSERT_EQ(index.At(at)->key, key);
      index.Advance(&at);
    }
    ASSERT_EQ(index.At(at), nullptr);
    for (auto it = model.rbegin(); it != model.rend(); ++it) {
      ASSERT_TRUE(index.StepBack(&at));
      ASSERT_EQ(index.At(at)->key, *it);
    }
    ASSERT_FALSE(index.StepBack(&at));
    for (int i = 0; i < 1000; ++i) {
      const std::string key = "longprefix" + std::to_string(random.Uniform(30'000));
      const auto want = model.lower_bound(key);
      const KeyNode* const got = index.At(index.LowerBound(key));
      ASSERT_EQ(got == nullptr, want == model.end());
      if (got != nullptr) {
        ASSERT_EQ(got->key, *want);
      }
      ASSERT_EQ(index.Find(key) != nullptr, model.contains(key));
    }
  }
}

}  // namespace
}  // namespace seerdb
