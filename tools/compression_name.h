// Compressions by the names that the command line and the output use: none, lz4, zstd.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "seerdb/options.h"

namespace seerdb::cli {

// What the parser lets through: "none", "lz4" or "zstd".
CompressionType ParseCompression(const std::string& name);
// "code 9" for what a file holds and this version does not know.
std::string CompressionName(CompressionType type);

}  // namespace seerdb::cli
