// What tests of several rooms make keys of.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace seerdb {

// `n` in decimal, with leading zeros up to `width` digits.
inline std::string Digits(uint64_t n, int width) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%0*llu", width, static_cast<unsigned long long>(n));
  return buffer;
}

}  // namespace seerdb
