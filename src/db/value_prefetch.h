// ValuePrefetch: asks for the values that a scan will come to, in the order in which they lie in their files.
//
// A second cursor runs some entries ahead of the scan and collects where their values lie. That costs as much
// as the scan over the keys, so it begins only when reads of values have to wait for the device, or the user
// has said that they will (ReadOptions::read_ahead_bytes). WiscKey reads ahead in the same way, by threads
// (FAST 2016, section 3.3.1). Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "format/value_pointer.h"
#include "iter/internal_iterator.h"
#include "seerdb/types.h"

namespace seerdb {

class ValuePrefetch {
 public:
  struct Parts {
    // All entries that the scan may come to.
    std::function<std::unique_ptr<InternalIterator>()> open;
    // Asks for a stretch of a segment.
    std::function<void(uint64_t segment, uint64_t offset, uint64_t bytes)> read_ahead;
    SequenceNumber sequence = 0;  // newer versions are not shown
    bool always = false;          // do not wait for slow reads
  };
  explicit ValuePrefetch(Parts parts) : parts_(std::move(parts)) {}

  // The scan has read the value of `engine_key`, in `read_us`, and goes on forward or backward.
  void NoteRead(Slice engine_key, bool forward, uint64_t read_us);
  // The scan has gone to another place.
  void NoteJump() { left_ = 0, placed_ = false; }

 private:
  void Collect();
  void Step();

  const Parts parts_;
  std::unique_ptr<InternalIterator> ahead_;
  bool forward_ = true;
  bool placed_ = false;
  uint32_t slow_reads_ = 0;
  uint32_t left_ = 0;  // values asked for that the scan has not come to
  std::string last_key_;
  std::vector<ValuePointer> pointers_;
};

}  // namespace seerdb
