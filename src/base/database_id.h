// DatabaseId: tells the files of one database from those of all others.
#pragma once

#include <cstdint>

namespace seerdb {

// 128 random bits taken when a database is created.
struct DatabaseId {
  uint64_t high = 0;
  uint64_t low = 0;
  friend bool operator==(const DatabaseId&, const DatabaseId&) = default;
};

}  // namespace seerdb
