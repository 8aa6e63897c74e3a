// What every lookup by key begins with: the engine key of a user's key, and how tables are to be read.
//
// Thread safety: values of one call.
#pragma once

#include <cstring>
#include <string>

#include "metrics/statistics.h"
#include "seerdb/options.h"
#include "seerdb/slice.h"
#include "sstable/table_reader.h"

namespace seerdb {

// A user key behind the prefix of its keyspace; short ones without allocation.
class EngineKey {
 public:
  EngineKey(Slice prefix, Slice user_key) {
    char* p = inline_;
    const size_t bytes = prefix.size() + user_key.size();
    if (bytes > sizeof inline_) {
      long_.resize(bytes);
      p = long_.data();
    }
    if (prefix.size() == 1) [[likely]] {
      *p = prefix[0];
    } else {
      std::memcpy(p, prefix.data(), prefix.size());
    }
    if (!user_key.empty()) std::memcpy(p + prefix.size(), user_key.data(), user_key.size());
    slice_ = Slice(p, bytes);
  }
  EngineKey(const EngineKey&) = delete;
  EngineKey& operator=(const EngineKey&) = delete;
  Slice slice() const { return slice_; }

 private:
  char inline_[256];
  std::string long_;
  Slice slice_;
};

// Of a lookup by key. `shard` as in TableReadFlags.
inline TableReadFlags PointFlags(const ReadOptions& options, CounterShard* shard) {
  TableReadFlags flags;
  flags.fill_cache = !options.no_cache;
  flags.verify_checksums = options.verify_checksums;
  flags.shard = shard;
  return flags;
}

}  // namespace seerdb
