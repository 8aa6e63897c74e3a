// The fuzz targets: each reads arbitrary bytes as one of our formats, or as a script of operations, and
// checks what it can about the answer. libFuzzer programs are made of them (fuzzer_main.cc), and
// tests/fuzz_seeds runs them over seeds/. decoders.txt says what of the sources each must reach.
//
// Thread safety: may be called concurrently. They end the process on a broken promise.
#pragma once

#include "seerdb/slice.h"

namespace seerdb::fuzz {

void FuzzAlex(Slice bytes);
void FuzzBatch(Slice bytes);
void FuzzBlock(Slice bytes);
void FuzzFilters(Slice bytes);
void FuzzLog(Slice bytes);
void FuzzManifest(Slice bytes);
void FuzzModel(Slice bytes);
void FuzzPgm(Slice bytes);
void FuzzScript(Slice bytes);
void FuzzSpline(Slice bytes);
void FuzzTable(Slice bytes);
void FuzzTags(Slice bytes);
void FuzzValues(Slice bytes);

struct Target {
  const char* name;  // of the directory in seeds/, and of the program <name>_fuzzer
  void (*run)(Slice bytes);
};
inline constexpr Target kTargets[] = {
    {"alex", FuzzAlex},     {"batch", FuzzBatch},       {"block", FuzzBlock}, {"filters", FuzzFilters},
    {"log", FuzzLog},       {"manifest", FuzzManifest}, {"model", FuzzModel}, {"pgm", FuzzPgm},
    {"script", FuzzScript}, {"spline", FuzzSpline},     {"table", FuzzTable}, {"tags", FuzzTags},
    {"values", FuzzValues},
};

}  // namespace seerdb::fuzz
