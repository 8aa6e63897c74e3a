// What the tests of models that have an encoding share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "learned/rank_model.h"
#include "seerdb/result.h"

namespace seerdb {

// Ascending from `first`, mostly close to one another, with equal ones and wide gaps among them.
inline std::vector<uint64_t> RoughWindows(Random* random, uint64_t first, int count) {
  std::vector<uint64_t> windows;
  uint64_t window = first;
  for (int i = 0; i < count; ++i) {
    window += random->OneIn(20) ? random->Uniform(uint64_t{1} << random->Uniform(45)) : random->Uniform(9);
    windows.push_back(window);
  }
  return windows;
}

// A model of `windows` is the same when it was encoded and decoded. Whatever else is decoded is kCorruption
// or predicts inside its ranks, and is given to `accepted` with the number of its bytes. Of two changes one
// is in the first `head_bytes`.
template <RankModel Model, typename Append, typename Decode, typename Accepted>
void CheckCodec(const Model& model, const std::vector<uint64_t>& windows, size_t head_bytes,
                const Append& append, const Decode& decode, const Accepted& accepted) {
  Random random(10);
  std::string bytes;
  append(model, &bytes);
  const Result<Model> decoded = decode(bytes);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->ranks(), model.ranks());
  EXPECT_EQ(decoded->max_error(), model.max_error());
  EXPECT_EQ(decoded->memory_bytes(), model.memory_bytes());
  for (const uint64_t window : windows) {
    ASSERT_EQ(decoded->Find(window + 1).pos, model.Find(window + 1).pos);
  }
  std::string empty;
  append(Model(), &empty);
  EXPECT_TRUE(decode(empty)->empty());
  for (size_t n = 0; n < bytes.size(); ++n) {
    ASSERT_TRUE(decode(Slice(bytes).substr(0, n)).status().IsCorruption()) << n;
  }
  ASSERT_TRUE(decode(bytes + "x").status().IsCorruption());
  size_t passed = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = bytes;
    bad[random.Uniform(random.OneIn(2) ? head_bytes : bad.size())] = static_cast<char>(random.Uniform(256));
    const Result<Model> result = decode(bad);
    if (!result.ok()) {
      ASSERT_TRUE(result.status().IsCorruption());
      continue;
    }
    ++passed;
    accepted(*result, bad.size());
    for (const uint64_t probe : {uint64_t{0}, windows[windows.size() / 2], random.Next(), UINT64_MAX}) {
      const ApproxRange range = result->Find(probe);
      ASSERT_LE(range.hi, result->ranks());
      ASSERT_LE(range.lo, range.hi);
    }
  }
  EXPECT_GT(passed, 100u);
}

}  // namespace seerdb
