// Puts right checksums over arbitrary bytes, so that a decoder's later checks are reached.
//
// Each function keeps what the bytes say and replaces only what a reader compares before it looks further:
// magic numbers, identities, sizes and checksums. Bytes that hold no such structure stay as they
// are. Thread safety: free functions.
#pragma once

#include <cstdint>
#include <string>

#include "wal/log_format.h"

namespace seerdb::fuzz {

// A log segment: header, then frames that follow one another or start at the next block. With
// `renumber` the frames get the numbers from `record` on, otherwise they keep theirs. Returns the number
// behind the last frame.
uint64_t ResealLog(const LogIdentity& identity, uint64_t record, bool renumber, std::string* bytes);

// A manifest file: header and records of manifest `number`, numbered from 0 on.
void ResealManifest(uint64_t number, std::string* bytes);

// A table file: footer, meta list, meta blocks, and the data blocks that its index tells of. The sizes that
// the footer repeats are corrected, and the number is `table_number`.
void ResealTable(uint64_t table_number, std::string* bytes);

}  // namespace seerdb::fuzz
