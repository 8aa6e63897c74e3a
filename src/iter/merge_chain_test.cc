#include "iter/merge_chain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "base/random.h"

namespace seerdb {
namespace {

using ChainEntry = MergeChain::Entry;

// Joins with ','; refuses operands and values that begin with '!'.
class Joins : public MergeOperator {
 public:
  explicit Joins(bool combines) : combines_(combines) {}
  std::string Name() const override { return "test.joins"; }
  bool FullMerge(Slice, std::optional<Slice> existing, std::span<const Slice> operands,
                 std::string* value) const override {
    if (existing.has_value() && existing->starts_with('!')) return false;
    value->assign(existing.value_or(Slice()));
    for (const Slice operand : operands) {
      if (operand.starts_with('!')) return false;
      if (!value->empty()) value->push_back(',');
      value->append(operand);
    }
    return true;
  }
  bool PartialMerge(Slice key, std::span<const Slice> operands, std::string* combined) const override {
    return combines_ && FullMerge(key, std::nullopt, operands, combined);
  }

 private:
  const bool combines_;
};

const Joins kJoins(/*combines=*/true);
const Joins kCannotCombine(/*combines=*/false);

ChainEntry Version(SequenceNumber sequence, bool merge, Slice value, uint64_t expires_us) {
  ChainEntry entry{PackTrailer(sequence, TypeFor(merge, expires_us)), {}};
  AppendPayload(&entry.payload, expires_us, value);
  return entry;
}
ChainEntry Put(SequenceNumber sequence, Slice value, uint64_t expires_us = kNeverExpires) {
  return Version(sequence, /*merge=*/false, value, expires_us);
}
ChainEntry Operand(SequenceNumber sequence, Slice value, uint64_t expires_us = kNeverExpires) {
  return Version(sequence, /*merge=*/true, value, expires_us);
}
ChainEntry Deletion(SequenceNumber sequence) { return {PackTrailer(sequence, ValueType::kDeletion), {}}; }

// An entry of a kind that expires, and no time.
ChainEntry Malformed(SequenceNumber sequence) {
  return {PackTrailer(sequence, ValueType::kExpiringMerge), "short"};
}

// Fills the chain, newest first; returns how many versions it wanted.
size_t Fill(const std::vector<ChainEntry>& versions, uint64_t now_us, MergeChain* chain) {
  chain->Begin(now_us);
  for (size_t i = 0; i < versions.size(); ++i) {
    if (!chain->Add(versions[i].trailer, versions[i].payload)) return i + 1;
  }
  return versions.size();
}

// "m5=b" merge of b at 5, "v3=a@70" value that expires at 70, "d2" deletion; newest first.
std::string Show(const std::vector<ChainEntry>& entries) {
  std::string out;
  for (const ChainEntry& entry : entries) {
    const ValueType type = TrailerType(entry.trailer);
    if (!out.empty()) out += ' ';
    out += type == ValueType::kDeletion ? 'd' : (IsMerge(type) ? 'm' : 'v');
    out += std::to_string(TrailerSequence(entry.trailer));
    if (type == ValueType::kDeletion) continue;
    EntryPayload payload;
    if (!ParsePayload(type, entry.payload, &payload)) {
      out += " malformed";
      continue;
    }
    out += '=' + std::string(payload.value);
    if (Expires(type)) out += '@' + std::to_string(payload.expires_us);
  }
  return out;
}

std::string Fold(const std::vector<ChainEntry>& versions, uint64_t now_us, bool nothing_older = false,
                 const MergeOperator* merge_operator = &kJoins) {
  MergeChain chain;
  Fill(versions, now_us, &chain);
  return Show(chain.Fold(merge_operator, "key", nothing_older));
}

// What a reader makes of the versions, newest first: "=value", "none" or "error".
std::string Read(const std::vector<ChainEntry>& versions, uint64_t now_us,
                 const MergeOperator* merge_operator = &kJoins) {
  if (versions.empty()) return "none";
  const ValueType type = TrailerType(versions.front().trailer);
  if (!IsMerge(type)) {
    EntryPayload payload;
    if (!ParsePayload(type, versions.front().payload, &payload)) return "error";
    if (type == ValueType::kDeletion || payload.expires_us <= now_us) return "none";
    return "=" + std::string(payload.value);
  }
  MergeChain chain;
  Fill(versions, now_us, &chain);
  const auto merged = chain.Merge(merge_operator, "test.joins", "key");
  if (!merged.ok()) return "error";
  return merged->has_value() ? "=" + **merged : "none";
}

TEST(MergeChain, MergesOperandsOldestFirstIntoWhatTheyRestOn) {
  EXPECT_EQ(Read({Operand(5, "c"), Operand(4, "b"), Put(3, "a")}, 10), "=a,b,c");
  EXPECT_EQ(Read({Operand(5, "c"), Operand(4, "b"), Deletion(3), Put(2, "a")}, 10), "=b,c");
  EXPECT_EQ(Read({Operand(5, "c"), Operand(4, "b")}, 10), "=b,c");
  EXPECT_EQ(Read({Operand(5, "c"), Put(4, "b"), Operand(3, "a")}, 10), "=b,c");
}

TEST(MergeChain, WhatHasExpiredIsADeletion) {
  EXPECT_EQ(Read({Operand(5, "b"), Put(4, "a", 11)}, 10), "=a,b");
  EXPECT_EQ(Read({Operand(5, "b"), Put(4, "a", 10)}, 10), "=b") << "from its time on";
  EXPECT_EQ(Read({Operand(5, "c"), Operand(4, "b", 10), Put(3, "a")}, 10), "=c")
      << "nothing older shows through an operand that has expired";
  EXPECT_EQ(Read({Operand(5, "c", 10), Operand(4, "b"), Put(3, "a")}, 10), "none");
  EXPECT_EQ(Read({Operand(5, "c", 11), Operand(4, "b"), Put(3, "a")}, 10), "=a,b,c");
}

TEST(MergeChain, EndsWhereNothingOlderMatters) {
  MergeChain chain;
  chain.Begin(10);
  EXPECT_TRUE(chain.empty());
  EXPECT_TRUE(chain.Add(Operand(9, "a").trailer, "a"));
  EXPECT_FALSE(chain.ended());
  EXPECT_FALSE(chain.Add(Put(8, "b").trailer, "b"));
  EXPECT_TRUE(chain.ended());
  EXPECT_EQ(chain.size(), 2u);
  const std::vector<ChainEntry> lasts{Put(8, "v"), Put(8, "v", 99), Deletion(8), Operand(8, "o", 10),
                                      Malformed(8)};
  for (const ChainEntry& last : lasts) {
    EXPECT_EQ(Fill({Operand(9, "a"), last, Put(7, "older")}, 10, &chain), 2u) << Show({last});
    EXPECT_TRUE(chain.ended());
  }
  chain.Begin(10);
  EXPECT_TRUE(chain.empty() && !chain.ended());
}

TEST(MergeChain, ErrorsSayWhatIsWrong) {
  MergeChain chain;
  Fill({Operand(5, "b"), Put(4, "a")}, 10, &chain);
  const Status missing = chain.Merge(nullptr, "the missing one", "key").status();
  EXPECT_TRUE(missing.IsInvalidArgument() && missing.detail() == StatusDetail::kMergeFailed);
  EXPECT_NE(missing.message().find("the missing one"), Slice::npos) << missing.ToString();
  Fill({Operand(5, "!b"), Put(4, "a")}, 10, &chain);
  const Status refused = chain.Merge(&kJoins, "test.joins", "key").status();
  EXPECT_TRUE(refused.IsInvalidArgument() && refused.detail() == StatusDetail::kMergeFailed);
  EXPECT_NE(refused.message().find("test.joins"), Slice::npos) << refused.ToString();
  Fill({Operand(5, "b"), Malformed(4)}, 10, &chain);
  EXPECT_TRUE(chain.Merge(&kJoins, "test.joins", "key").status().IsCorruption());
  Fill({Operand(5, "b", 10), Put(4, "a")}, 10, &chain);
  EXPECT_FALSE(chain.Merge(nullptr, "the missing one", "key")->has_value()) << "expired needs no operator";
}

TEST(MergeChain, FoldsWhatEndsTogetherIntoOneEntry) {
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "b"), Put(3, "a")}, 10), "v5=a,b,c");
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "b"), Deletion(3)}, 10), "v5=b,c");
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "b", 10), Put(3, "a")}, 10), "v5=c");
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "b")}, 10), "m5=b,c");
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "b")}, 10, /*nothing_older=*/true), "v5=b,c");
  EXPECT_EQ(Fold({Operand(5, "c")}, 10), "m5=c");
  EXPECT_EQ(Fold({Operand(5, "c")}, 10, /*nothing_older=*/true), "v5=c");
  EXPECT_EQ(Fold({Operand(5, "c", 20), Operand(4, "b", 20), Put(3, "a", 30)}, 10), "v5=a,b,c@20")
      << "with the time of the newest";
  EXPECT_EQ(Fold({Operand(5, "c", 20), Operand(4, "b", 30)}, 10), "m5=b,c@20");
  EXPECT_EQ(Fold({Operand(5, "c", 20), Put(4, "b")}, 10), "v5=b,c@20");
}

TEST(MergeChain, KeepsApartWhatExpiresBeforeANewerVersion) {
  EXPECT_EQ(Fold({Operand(5, "b"), Put(4, "a", 20)}, 10), "m5=b v4=a@20");
  EXPECT_EQ(Fold({Operand(6, "d"), Operand(5, "c"), Operand(4, "b", 20), Put(3, "a", 30)}, 10),
            "m6=c,d v4=a,b@20");
  EXPECT_EQ(Fold({Operand(6, "d", 40), Operand(5, "c", 30), Operand(4, "b", 30), Put(3, "a", 20)}, 10),
            "m6=d@40 m5=b,c@30 v3=a@20");
  EXPECT_EQ(Fold({Operand(6, "d"), Operand(5, "c", 20), Operand(4, "b", 20)}, 10, /*nothing_older=*/true),
            "m6=d v5=b,c@20");
  EXPECT_EQ(Fold({Operand(6, "d"), Operand(5, "c", 20), Operand(4, "b", 20)}, 10), "m6=d m5=b,c@20");
}

TEST(MergeChain, OfAnOperatorThatRefusesEveryVersionStays) {
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "!b"), Put(3, "a")}, 10), "m5=c m4=!b v3=a");
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "!b"), Deletion(3)}, 10), "m5=c m4=!b d3");
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "!b")}, 10, /*nothing_older=*/true), "m5=c m4=!b");
  EXPECT_EQ(Fold({Operand(5, "c"), Put(4, "!b")}, 10), "m5=c v4=!b");
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "!b", 10)}, 10), "v5=c") << "what has expired is not asked";
}

TEST(MergeChain, OfOperandsThatCannotBeCombinedEachStays) {
  const std::vector<ChainEntry> operands{Operand(5, "c"), Operand(4, "b", 20), Operand(3, "a", 20)};
  EXPECT_EQ(Fold(operands, 10, /*nothing_older=*/false, &kCannotCombine), "m5=c m4=b@20 m3=a@20");
  EXPECT_EQ(Fold(operands, 10, /*nothing_older=*/true, &kCannotCombine), "m5=c v4=a,b@20");
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "b"), Put(3, "a")}, 10, false, &kCannotCombine), "v5=a,b,c");
}

TEST(MergeChain, WithoutAnOperatorOrMalformedEveryVersionStays) {
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "b"), Put(3, "a")}, 10, /*nothing_older=*/true, nullptr),
            "m5=c m4=b v3=a");
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "b", 10)}, 10, /*nothing_older=*/false, nullptr),
            "m5=c m4=b@10");
  EXPECT_EQ(Fold({Operand(5, "c"), Operand(4, "b"), Malformed(3)}, 10, /*nothing_older=*/true),
            "m5=c m4=b m3 malformed");
}

// Newest first. Sequences count down to 1.
std::vector<ChainEntry> AnyVersions(Random* random) {
  std::vector<ChainEntry> versions;
  for (SequenceNumber sequence = 1 + random->Uniform(8); sequence > 0; --sequence) {
    const std::string value = (random->OneIn(20) ? "!" : "") + std::to_string(sequence);
    const uint64_t expires_us = random->OneIn(3) ? kNeverExpires : 1 + random->Uniform(12);
    if (!versions.empty() && random->OneIn(8)) {
      versions.push_back(Deletion(sequence));
    } else if (!versions.empty() && random->OneIn(4)) {
      versions.push_back(Put(sequence, value, expires_us));
    } else {
      versions.push_back(Operand(sequence, value, expires_us));
    }
  }
  return versions;
}

// Folded is what a compaction reads of a key; what lies deeper stays as it is.
TEST(MergeChain, ReadsTheSameAtEveryLaterTimeHoweverItWasFolded) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (int round = 0; round < 30'000; ++round) {
    const std::vector<ChainEntry> versions = AnyVersions(&random);
    const MergeOperator* const merge_operator = random.OneIn(3) ? &kCannotCombine : &kJoins;
    const size_t read = 1 + random.Uniform(versions.size());
    const bool nothing_older = read == versions.size() && random.OneIn(2);
    const auto deeper = versions.begin() + static_cast<ptrdiff_t>(read);
    const uint64_t now_us = random.Uniform(14);
    MergeChain chain;
    Fill({versions.begin(), deeper}, now_us, &chain);
    std::vector<ChainEntry> folded = chain.Fold(merge_operator, "key", nothing_older);
    ASSERT_LE(folded.size(), chain.size());
    ASSERT_EQ(TrailerSequence(folded.front().trailer), TrailerSequence(versions.front().trailer));
    folded.insert(folded.end(), deeper, versions.end());
    ASSERT_TRUE(std::is_sorted(folded.begin(), folded.end(), [](const ChainEntry& a, const ChainEntry& b) {
      return a.trailer > b.trailer;
    }));
    for (uint64_t later_us = now_us; later_us < 15; ++later_us) {
      ASSERT_EQ(Read(folded, later_us, merge_operator), Read(versions, later_us, merge_operator))
          << Show(versions) << "\nthe first " << read << " folded at " << now_us << " to\n"
          << Show(folded) << "\nand read at " << later_us;
    }
  }
}

}  // namespace
}  // namespace seerdb
