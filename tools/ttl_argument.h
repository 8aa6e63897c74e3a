// Times to live as the command line gives and shows them: in seconds, exact to the microsecond.
//
// Thread safety: as cli.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli.h"

namespace seerdb::cli {

// Whether --ttl may be 0, for ever.
enum class ZeroTtl : bool { kNo, kYes };

// Adds --ttl SECONDS, at most kMaxTtlUs. Without it `ttl_us` stays as it is.
void AddTtlOption(CLI::App* command, const std::string& what, ZeroTtl zero, std::optional<uint64_t>* ttl_us);

// "3600", "0.25".
std::string SecondsText(uint64_t micros);

}  // namespace seerdb::cli
