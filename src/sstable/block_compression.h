// Compression of a data block. Format: docs/format/table.md, "Compressed blocks".
//
// Thread safety: one BlockCompressor a thread; UncompressBlock concurrently.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cache/block_memory.h"
#include "seerdb/options.h"
#include "seerdb/slice.h"

namespace seerdb {

class BlockCompressor {
 public:
  explicit BlockCompressor(CompressionType type);
  ~BlockCompressor();

  // Sets `out` to the stored form; false, and `out` unspecified, when that is not smaller than `raw`.
  bool Compress(Slice raw, std::string* out);
  CompressionType type() const { return type_; }

 private:
  struct Context;
  const CompressionType type_;
  std::unique_ptr<Context> context_;
};

// Sets `out` to the block whose stored form is `stored`, of type kLz4 or kZstd. Null, or what is wrong.
const char* UncompressBlock(CompressionType type, Slice stored, BlockBuffer* out);

}  // namespace seerdb
