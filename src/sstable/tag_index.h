// TagIndex: a learned index over every key of a table, with a tag of each key's hash in the order of ranks.
//
// A model says to within a few ranks where a key's newest entry would be; twelve bits of its hash say which
// of these entries may be it, mostly one or none; where it is follows from the first rank of each block. So
// it is index, filter and search within the block at once: a key that is not there costs a line or two, one
// that is there waits for its tags and for its record (after Bourbon's and PGM's models over all keys, and
// the tags of F14 and Swiss tables). TagIndexBuilder writes it, and has looked up every key in it: absence
// follows from the measured error. Format: docs/format/table.md. Thread safety: builder: external
// synchronization; index: immutable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/coding.h"
#include "base/prefetch.h"
#include "learned/key_projection.h"
#include "learned/pla_model.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"
#include "sstable/tag_search.h"
#include "sstable/tag_sections.h"

namespace seerdb {

// A flag of the encoded form.
inline constexpr uint32_t kEqualRecords = 1;

// The twelve bits of a key's hash: the first eight, and four more.
struct RankTag {
  static RankTag Of(uint64_t hash) {
    return {static_cast<uint8_t>(hash >> 56), static_cast<uint8_t>(hash >> 52 & 0xf)};
  }
  uint8_t first = 0;
  uint8_t more = 0;
};

// Ranks [begin, end), of which one may be that of a key's newest entry.
struct RankRange {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool empty() const { return begin >= end; }
};

// Entry `entry` of block `block`.
struct EntryPlace {
  uint32_t block = 0;
  uint32_t entry = 0;
};

class TagIndexBuilder {
 public:
  // As TagSectionBuilder.
  TagIndexBuilder(Slice shared_prefix, uint64_t bits_per_key) : sections_(shared_prefix, bits_per_key) {}

  // Ranks are those of all entries, older versions among them.
  void StartBlock() { first_ranks_.push_back(static_cast<uint32_t>(tags_.size())); }
  // Of the present block: an older version of the key before.
  void AddOlder(uint64_t hash) {
    if (HasRoom()) tags_.push_back(TagOf(hash));
  }
  // The newest version of a key that has `shared_bytes` in common with the one before.
  void AddNewest(Slice key, size_t shared_bytes, uint64_t hash) {
    if (!HasRoom()) return;
    sections_.Add(key, shared_bytes, static_cast<uint32_t>(tags_.size()));
    tags_.push_back(TagOf(hash));
  }
  // `equal`: all records of the block that was just ended have one size.
  void EndBlock(bool equal) { equal_ = equal_ && equal; }
  // Fits what was added since the last time, and says whether the keys still suit the index.
  bool Fit();
  bool fits() const { return fits_ && sections_.fits(); }

  // About what Finish would return.
  uint64_t bytes() const {
    return tags_.size() * 3 / 2 + first_ranks_.size() * 4 + sections_.encoded_bytes();
  }
  uint64_t memory_bytes() const {
    return tags_.size() * sizeof(uint16_t) + first_ranks_.size() * 4 + sections_.memory_bytes();
  }
  size_t segments() const;
  // The encoded index. Requires: Fit() was the last call, and true.
  std::string Finish() const;

 private:
  static uint16_t TagOf(uint64_t hash) {
    const RankTag tag = RankTag::Of(hash);
    return static_cast<uint16_t>(tag.first | tag.more << 8);
  }
  bool HasRoom() {
    fits_ = fits_ && tags_.size() < UINT32_MAX / 2;
    return fits_;
  }

  std::vector<uint16_t> tags_;  // in the order of ranks
  std::vector<uint32_t> first_ranks_;
  TagSectionBuilder sections_;
  bool equal_ = true;
  bool fits_ = true;
};

class TagIndex {
 public:
  TagIndex() = default;  // of no table
  // Borrows `bytes`, which describe `blocks` blocks of `entries` entries. kCorruption when they do not.
  static Result<TagIndex> Decode(Slice bytes, uint32_t blocks, uint64_t entries);

  bool empty() const { return tags_ == nullptr; }
  uint32_t entries() const { return entries_; }
  size_t sections() const { return sections_.size(); }
  // Of what was copied out of the encoded form.
  uint64_t memory_bytes() const;

  // Where the newest entry of `key` is, if the table has one; empty if it has none.
  RankRange Find(Slice key) const;
  // Starts to load the tags of these ranks.
  void Prefetch(RankRange ranks) const {
    if (ranks.empty()) return;
    PrefetchLine(tags_ + ranks.begin);
    PrefetchLine(tags_ + ranks.end - 1);
    PrefetchLine(more_tags_ + ranks.begin / 2);
  }
  // The first of the ranks whose tag is `tag`, or ranks.end.
  uint32_t Match(RankRange ranks, RankTag tag) const {
    for (uint32_t rank = ranks.begin; rank < ranks.end; rank += kStep) {
      uint32_t mask = MatchTags16(tags_ + rank, tag.first);
      for (; mask != 0; mask &= mask - 1) {
        const uint32_t found = rank + static_cast<uint32_t>(__builtin_ctz(mask));
        if (found >= ranks.end) return ranks.end;
        if (MoreOf(found) == tag.more) return found;
      }
    }
    return ranks.end;
  }
  // Requires: rank < entries().
  EntryPlace Locate(uint32_t rank) const;
  RankTag Tag(uint32_t rank) const { return {static_cast<uint8_t>(tags_[rank]), MoreOf(rank)}; }
  uint32_t FirstRank(uint32_t block) const { return LoadU32(first_ranks_ + size_t{block} * 4); }
  uint32_t EntriesOf(uint32_t block) const { return FirstRank(block + 1) - FirstRank(block); }
  // Whether all records of each block have one size.
  bool equal_records() const { return equal_records_; }

 private:
  static constexpr uint32_t kStep = 16;

  struct Section {
    uint32_t first_rank = 0;
    KeyProjection projection;
    PlaModel model;
  };

  uint8_t MoreOf(uint32_t rank) const {
    return static_cast<uint8_t>(static_cast<unsigned char>(more_tags_[rank / 2]) >> (rank % 2 * 4) & 0xf);
  }
  const Section& SectionOf(Slice key) const;
  Status DecodeSections(Decoder* in, uint32_t count);
  const char* CheckFirstRanks() const;

  uint32_t entries_ = 0;
  uint32_t blocks_ = 0;
  bool equal_records_ = false;
  const char* tags_ = nullptr;
  const char* more_tags_ = nullptr;
  const char* first_ranks_ = nullptr;
  PlaModel block_model_;  // from first ranks to blocks
  std::vector<Section> sections_;
  // Of all sections but the first: separators, and their windows behind what they share.
  std::vector<Slice> separators_;
  std::vector<uint64_t> separator_windows_;
  KeyProjection separator_projection_;
};

}  // namespace seerdb
