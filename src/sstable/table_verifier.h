// TableVerifier: reads a whole table and checks that its parts agree.
#pragma once

#include <map>
#include <string>

#include "seerdb/file_system.h"
#include "seerdb/verify.h"
#include "sstable/block_source.h"
#include "sstable/bloom_filter.h"
#include "sstable/table_properties.h"
#include "sstable/tag_block.h"

namespace seerdb {

// Thread safety: external synchronization. Borrows everything.
class TableVerifier {
 public:
  TableVerifier(FileSystem& fs, const BlockSource& source, const BloomFilter& filter,
                const TableProperties& properties)
      : fs_(fs), source_(source), filter_(filter), properties_(properties) {}

  // Checksums, order, tags, filter membership, index and properties; adds to the counts of `result`.
  Status Run(VerifyResult* result);

 private:
  Status CheckBlock(uint32_t number, const TagBlock& block, Slice bytes);
  Status CheckEntry(uint32_t number, uint8_t tag, const TagRecord& record);
  Status CheckIndex(uint32_t number) const;
  Status CheckProperties() const;
  Status Corrupt(uint32_t number, Slice what) const;

  FileSystem& fs_;
  const BlockSource& source_;
  const BloomFilter& filter_;
  const TableProperties& properties_;
  // What was counted, and the last entry seen.
  TableProperties counted_;
  std::map<uint64_t, uint64_t> value_bytes_;  // by segment
  std::string key_;
  uint64_t trailer_ = 0;
};

}  // namespace seerdb
