#include "format/range_tombstone.h"

#include "format/keyspace_prefix.h"

namespace seerdb {

bool IsRangeOfOneKeyspace(Slice begin, Slice end) {
  uint32_t keyspace = 0;
  Slice user_key;
  if (begin >= end || !ParseEngineKey(begin, &keyspace, &user_key)) return false;
  const Slice prefix = begin.substr(0, begin.size() - user_key.size());
  return end <= Slice(BehindPrefix(prefix));
}

}  // namespace seerdb
