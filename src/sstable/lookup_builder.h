// LookupBuilder: chooses, for one table while it is built, what says whether and where it has a key.
//
// Two structures do: a learned index over all keys with their tags (tag_index.h), or a Bloom filter with
// tags in the blocks and an index of blocks. Of a table of a few thousand keys or more, the first keys are
// fitted; if models of their windows take less than the other form would, the blocks that follow do without
// tags. If that turns out to be wrong later, the filter is written all the same, and the blocks without tags
// are searched by comparing keys. With IndexKind::kTag the first keys are no
// trial, and models may take as much as they need; with the kinds of block models there is always a filter.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <string>

#include "base/hash.h"
#include "learned/bloom_filter.h"
#include "seerdb/slice.h"
#include "sstable/table_builder.h"
#include "sstable/table_properties.h"
#include "sstable/tag_block_builder.h"
#include "sstable/tag_index.h"

namespace seerdb {

class LookupBuilder {
 public:
  explicit LookupBuilder(const TableBuilderOptions& options);

  // The next entry begins a block. Returns whether the block is to have tags.
  bool StartBlock();
  // An entry: an older version of the key before, or the newest of a key that has `shared_bytes` in common
  // with the one before.
  void AddOlder(uint64_t hash) {
    if (Learns()) tags_.AddOlder(hash);
  }
  void AddNewest(Slice key, size_t shared_bytes, uint64_t hash) {
    if (Learns()) tags_.AddNewest(key, shared_bytes, hash);
    ++keys_;
    filter_.AddHash(hash);
    if (prefix_bytes_ != 0) [[unlikely]]
      AddPrefix(key);
  }
  void EndBlock(const TagBlockBuilder::Built& block) { tags_.EndBlock(block.equal); }

  // Ends the table. Then at most one of tag_index() and filter() is not empty.
  void Finish();
  LookupKind kind() const { return kind_; }
  const std::string& tag_index() const { return tag_index_; }
  const std::string& filter() const { return filter_bytes_; }
  size_t segments() const { return tags_.segments(); }

  // About what is to be written, and what is held.
  uint64_t bytes() const { return Learns() ? tags_.bytes() : filter_.bytes(); }
  uint64_t memory_bytes() const { return filter_.memory_bytes() + tags_.memory_bytes(); }

 private:
  // Whether tags_ may still become the table's index.
  bool Learns() const { return kind_ == LookupKind::kFewKeys || kind_ == LookupKind::kTagIndex; }
  // Decides whether the first keys are worth a model, once there are enough.
  void TryFirstKeys();
  void GiveUp();
  // Of a key whose prefix may be asked for.
  void AddPrefix(Slice key);

  const uint32_t prefix_bytes_;
  const uint32_t min_keys_;
  BloomFilterBuilder filter_;
  std::string last_prefix_;  // that was added to it
  TagIndexBuilder tags_;
  // Until the first keys were fitted, kFewKeys; then kTagIndex as long as all fit.
  LookupKind kind_;
  uint64_t keys_ = 0;
  std::string tag_index_;
  std::string filter_bytes_;
};

}  // namespace seerdb
