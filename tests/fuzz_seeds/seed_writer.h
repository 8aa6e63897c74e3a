// WriteSeeds: writes the seeds of every fuzz target anew into fuzz/seeds: small inputs that reach the kinds
// of input that a target tells apart. What the fuzzers found beside them stays.
#pragma once

#include <string>

namespace seerdb::testing {

std::string SeedDirectory(const std::string& target);
void WriteSeeds();

}  // namespace seerdb::testing
