#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "base/key_window.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "sstable/tag_index.h"

namespace seerdb::fuzz {
namespace {

constexpr uint32_t kEntriesInBlock = 7;

// A search of an index reads nothing outside it, and names entries that its blocks have.
void Search(const TagIndex& index, const std::string& key) {
  RankRange ranks = index.Find(key);
  SEERDB_ASSERT(ranks.end <= index.entries());
  index.Prefetch(ranks);
  const RankTag tag = RankTag::Of(Hash64(key));
  for (ranks.begin = index.Match(ranks, tag); !ranks.empty(); ranks.begin = index.Match(ranks, tag)) {
    const EntryPlace place = index.Locate(ranks.begin);
    SEERDB_ASSERT(place.entry < index.EntriesOf(place.block));
    ++ranks.begin;
  }
}

void Decode(Input* input) {
  const uint32_t blocks = input->Word();
  const uint64_t entries = input->Word();
  const Slice rest = input->Rest();
  // On the heap at its exact size, so that a read beyond it is noticed.
  const std::vector<char> exact(rest.begin(), rest.end());
  const auto index = TagIndex::Decode(Slice(exact.data(), exact.size()), blocks, entries);
  if (!index.ok()) return;
  for (const char* key : {"", "0", "7", "ab", "k0000000000000000", "zz", "\xff\xff"}) Search(*index, key);
  SEERDB_ASSERT(index->memory_bytes() <= 16 * exact.size());
}

// Keys of a few owners, each of which may be a section; every one of them is found, whatever else is.
void RoundTrip(Input* input) {
  std::vector<std::string> keys;
  const std::string shared(input->Bytes(input->Byte() % 4));
  while (!input->empty() && keys.size() < 2000) {
    const std::string owner(input->Bytes(input->Byte() % 12));
    const uint32_t step = 1 + input->Byte();
    const uint32_t count = 1 + input->Byte() % 64u;
    for (uint32_t i = 0; i < count; ++i) {
      const std::string digits = std::to_string(1'000'000 + i * step);
      keys.push_back(shared + owner + digits);
    }
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.empty()) return;
  TagIndexBuilder builder(shared, TagSectionBuilder::kUsualBitsPerKey);
  std::vector<uint32_t> ranks;
  uint32_t entries = 0;
  uint32_t blocks = 0;
  const auto start_entry = [&] {
    if (entries++ % kEntriesInBlock != 0) return;
    builder.StartBlock();
    ++blocks;
  };
  for (size_t i = 0; i < keys.size(); ++i) {
    start_entry();
    ranks.push_back(entries - 1);
    builder.AddNewest(keys[i], i == 0 ? 0 : CommonPrefixBytes(keys[i - 1], keys[i]), Hash64(keys[i]));
    if (i % 5 != 0) continue;
    start_entry();
    builder.AddOlder(Hash64(keys[i]));
    if (i == 50 && !builder.Fit()) return;
  }
  if (!builder.Fit()) return;
  builder.EndBlock(entries % 2 == 0);
  const std::string bytes = builder.Finish();
  // Foretold but for models of blocks and heads.
  SEERDB_ASSERT(builder.bytes() <= bytes.size() && builder.memory_bytes() > 0);
  const auto index = TagIndex::Decode(bytes, blocks, entries);
  SEERDB_ASSERT(index.ok() && index->sections() > 0 && index->equal_records() == (entries % 2 == 0));
  for (size_t i = 0; i < keys.size(); ++i) {
    const RankRange found = index->Find(keys[i]);
    SEERDB_ASSERT(found.begin <= ranks[i] && ranks[i] < found.end);
    const RankTag tag = index->Tag(ranks[i]);
    SEERDB_ASSERT(tag.first == RankTag::Of(Hash64(keys[i])).first);
    SEERDB_ASSERT(index->Locate(ranks[i]).block == ranks[i] / kEntriesInBlock);
    Search(*index, keys[i]);
    Search(*index, keys[i].substr(0, keys[i].size() / 2));
    Search(*index, keys[i] + "x");
  }
}

}  // namespace

// Byte 0 chooses: an index as it comes, or keys that make one.
void FuzzTags(Slice bytes) {
  Input input(bytes);
  if (input.Byte() % 2 == 0) {
    Decode(&input);
  } else {
    RoundTrip(&input);
  }
}

}  // namespace seerdb::fuzz
