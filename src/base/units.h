// Sizes and times in the units that the engine counts in: bytes and microseconds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seerdb {

inline constexpr size_t kLineBytes = 64;  // of the processor's caches
inline constexpr uint64_t kKiB = uint64_t{1} << 10;
inline constexpr uint64_t kMiB = uint64_t{1} << 20;
inline constexpr uint64_t kGiB = uint64_t{1} << 30;
inline constexpr uint64_t kTiB = uint64_t{1} << 40;
inline constexpr uint64_t kNanosPerMicro = 1000;
inline constexpr uint64_t kMicrosPerSecond = 1'000'000;
inline constexpr uint64_t kMicrosPerMinute = 60 * kMicrosPerSecond;

}  // namespace seerdb
