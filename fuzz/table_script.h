// Table files for fuzzing, made of parts whose places, sizes and checksums are right.
//
// Thread safety: free functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "fuzz/input.h"
#include "sstable/table_properties.h"

namespace seerdb::fuzz {

inline constexpr uint64_t kFuzzTableNumber = 7;

// A file made of the parts that `input` lists, each a part's kind, a length of two bytes, and its bytes:
// data blocks with their type, meta blocks of any id. The index gets the blocks' places, the properties the
// numbers that must agree with it.
std::string AssembleTable(Input* input);

// Takes a table apart into the input that makes AssembleTable build it again; empty if it is none.
std::string DisassembleTable(Slice file);

struct KnownEntry {
  bool deleted = false;
  std::string value;
};

// A right table of entries, options and order drawn from `input`, and what it holds. Empty without entries.
std::string BuildTable(Input* input, std::map<std::string, KnownEntry>* entries);

}  // namespace seerdb::fuzz
