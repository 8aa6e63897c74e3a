// SequentialBlocks: reads the blocks of a table in order, many with one read call, past mapping and cache.
//
// The read grows from 64 KiB to 1 MiB while blocks are taken in ascending order, and starts small again
// after a jump. Every block is checked. Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "seerdb/file_system.h"
#include "sstable/block_source.h"

namespace seerdb {

class SequentialBlocks {
 public:
  // `read_ahead_bytes` 0 grows by itself. Borrows `source`, and `statistics` (may be null), which counts the
  // bytes read.
  SequentialBlocks(const BlockSource& source, uint64_t read_ahead_bytes, Statistics* statistics);

  // Opens the file again: the reader holds no descriptor when it is mapped.
  Status Open(FileSystem& fs);
  // The content of a block, valid until the next call. Requires: opened, block < blocks.
  Status Fetch(uint32_t block, Slice* content);

 private:
  Status Fill(uint32_t block);

  const BlockSource& source_;
  Statistics* const statistics_;
  const uint64_t fixed_bytes_;
  std::unique_ptr<RandomAccessFile> file_;
  std::string buffer_;
  uint64_t buffer_offset_ = 0;
  Slice filled_;  // what buffer_ holds of the file, from buffer_offset_ on
  uint64_t next_bytes_;
  BlockBuffer uncompressed_;
};

}  // namespace seerdb
