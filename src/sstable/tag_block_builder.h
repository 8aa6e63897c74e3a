// TagBlockBuilder: collects the entries of one data block and encodes it.
//
// Format: docs/format/table.md, "Data block". Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/coding.h"
#include "format/internal_key.h"
#include "seerdb/slice.h"

namespace seerdb {

class TagBlockBuilder {
 public:
  bool empty() const { return entries_.empty(); }
  // Size of the encoded block if the entry were added too.
  uint64_t BytesWith(Slice key, Slice value) const;
  // Requires: sorts after the entry before; a block of one entry may have any size, others stay below 2 GiB.
  void Add(Slice key, uint64_t trailer, Slice value, uint8_t tag);
  // Of the last entry; valid until the next Add or Finish. Requires: !empty().
  Slice last_key() const;
  // About the bytes held.
  uint64_t pending_bytes() const { return buffer_.size(); }
  // Appends the block to `out` and starts a new one. Requires: !empty().
  void Finish(std::string* out);

 private:
  struct Entry {
    uint64_t trailer;
    uint64_t begin;  // in buffer_: key, then value
    uint32_t key_bytes;
    uint32_t value_bytes;
    uint8_t tag;
  };
  char* EncodeRecord(const Entry& entry, SequenceNumber min_sequence, char* p) const;

  std::string buffer_;
  std::vector<Entry> entries_;
  size_t prefix_bytes_ = 0;    // shared by all keys so far
  uint64_t record_bytes_ = 0;  // of the records with whole keys, sequence deltas counted at their longest
};

}  // namespace seerdb
