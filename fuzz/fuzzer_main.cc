// A libFuzzer program for the target named by SEERDB_FUZZ_TARGET.
#include <cstddef>
#include <cstdint>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  seerdb::fuzz::SEERDB_FUZZ_TARGET(seerdb::Slice(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
