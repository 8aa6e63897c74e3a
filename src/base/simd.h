// SimdLimit: how wide the vector code may be that is chosen while the process runs.
//
// Whoever chooses among kernels by what the processor has asks for this too; all kernels of one purpose give
// the same answers. Thread safety: all functions concurrently; what was chosen before LimitSimd stays chosen.
#pragma once

namespace seerdb {

// kScalar: what every processor of the architecture has. kAvx2: up to AVX2. kAvx512: everything.
enum class SimdLevel : unsigned char { kScalar = 0, kAvx2 = 1, kAvx512 = 2 };
inline constexpr SimdLevel kAllSimdLevels[] = {SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512};

// kAvx512 unless limited.
SimdLevel SimdLimit();
// For tests, before anything is chosen.
void LimitSimd(SimdLevel limit);

}  // namespace seerdb
