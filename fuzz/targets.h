// The fuzz targets: each reads arbitrary bytes as one of our formats, and checks what it can about the
// answer. libFuzzer programs are made of them (fuzzer_main.cc), and tests/fuzz_seeds runs them over seeds/.
//
// Thread safety: may be called concurrently. They end the process on a broken promise.
#pragma once

#include "seerdb/slice.h"

namespace seerdb::fuzz {

void FuzzBatch(Slice input);
void FuzzLog(Slice input);
void FuzzManifest(Slice input);
void FuzzTable(Slice input);
void FuzzModel(Slice input);

struct Target {
  const char* name;  // of the directory in seeds/, and of the program <name>_fuzzer
  void (*run)(Slice input);
};
inline constexpr Target kTargets[] = {
    {"batch", FuzzBatch}, {"log", FuzzLog},     {"manifest", FuzzManifest},
    {"table", FuzzTable}, {"model", FuzzModel},
};

}  // namespace seerdb::fuzz
