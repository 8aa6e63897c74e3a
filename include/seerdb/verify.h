// VerifyResult: what DB::Verify() read and found whole.
#pragma once

#include <cstdint>

namespace seerdb {

struct VerifyResult {
  uint64_t sstables_verified = 0;
  uint64_t blocks_verified = 0;
  uint64_t sstable_bytes_verified = 0;
  // Value log: always 0 in a database without separated values.
  uint64_t vlog_verified = 0;
  uint64_t vlog_records_verified = 0;
  uint64_t vlog_bytes_verified = 0;
};

}  // namespace seerdb
