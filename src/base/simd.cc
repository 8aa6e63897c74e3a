#include "base/simd.h"

#include <atomic>

namespace seerdb {
namespace {

constinit std::atomic<SimdLevel> simd_limit = SimdLevel::kAvx512;

}  // namespace

SimdLevel SimdLimit() { return simd_limit.load(std::memory_order_relaxed); }

void LimitSimd(SimdLevel limit) { simd_limit.store(limit, std::memory_order_relaxed); }

}  // namespace seerdb
