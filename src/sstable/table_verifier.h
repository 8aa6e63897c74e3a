// TableVerifier: reads a whole table and checks that its parts agree.
#pragma once

#include <map>
#include <string>

#include "learned/bloom_filter.h"
#include "seerdb/file_system.h"
#include "seerdb/verify.h"
#include "sstable/block_source.h"
#include "sstable/table_properties.h"
#include "sstable/tag_block.h"
#include "sstable/tag_index.h"

namespace seerdb {

// Thread safety: external synchronization. Borrows everything.
class TableVerifier {
 public:
  // What says whether the table has a key; either may be empty.
  struct Lookups {
    const BloomFilter* filter;
    const TagIndex* tags;
  };
  TableVerifier(FileSystem& fs, const BlockSource& source, Lookups lookups, const TableProperties& properties)
      : fs_(fs), source_(source), filter_(*lookups.filter), tags_(*lookups.tags), properties_(properties) {}

  // Checksums, order, tags, filter or tag index, index and properties; adds to the counts of `result`.
  Status Run(VerifyResult* result);

 private:
  Status CheckBlock(uint32_t number, const TagBlock& block);
  Status CheckEntry(uint32_t number, const TagRecord& record);
  // `newest`: of its key.
  Status CheckLookup(uint32_t number, const TagBlock& block, uint32_t entry, bool newest) const;
  Status CheckProperties() const;
  Status Corrupt(uint32_t number, Slice what) const;

  FileSystem& fs_;
  const BlockSource& source_;
  const BloomFilter& filter_;
  const TagIndex& tags_;
  const TableProperties& properties_;
  // What was counted, and the last entry seen.
  TableProperties counted_;
  std::map<uint64_t, uint64_t> value_bytes_;  // by segment
  std::string key_;
  uint64_t trailer_ = 0;
};

}  // namespace seerdb
