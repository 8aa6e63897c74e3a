// PathName: names like those of files that Debian packages install, the same on every machine.
#pragma once

#include <cstdint>

namespace seerdb::bench {

// Writes the path of file `number`, which no other number has, and returns its length: about 67 bytes in the
// mean, at most kMaxPathBytes. Files of one package have consecutive numbers; paths do not sort by them.
uint64_t PathName(uint64_t number, char* out);

inline constexpr uint64_t kMaxPathBytes = 200;

}  // namespace seerdb::bench
