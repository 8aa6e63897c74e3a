#include <cstdlib>
#include <iostream>

#include "engine.h"

namespace seerdb::bench {

void Die(const std::string& message) {
  std::cerr << "seerdb_bench: " << message << std::endl;
  std::_Exit(2);
}

std::vector<EngineKind> LinkedEngines() {
  return {
#ifdef SEERDB_BENCH_SEERDB
      {"seerdb", OpenSeerdb},
      {"seerdb-floor", OpenSeerdbFloorLog},
#endif
#ifdef SEERDB_BENCH_ROCKSDB
      {"rocksdb", OpenRocksdbTuned},
      {"rocksdb-default", OpenRocksdbDefault},
#endif
#ifdef SEERDB_BENCH_LEVELDB
      {"leveldb", OpenLeveldb},
#endif
#ifdef SEERDB_BENCH_LMDB
      {"lmdb", OpenLmdb},
#endif
#ifdef SEERDB_BENCH_WIREDTIGER
      {"wiredtiger", OpenWiredtiger},
#endif
  };
}

}  // namespace seerdb::bench
