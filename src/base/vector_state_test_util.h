// Whether the processor holds anything in the upper halves of its vector registers. While it does, SSE
// instructions are slow on many processors, so who uses wider vectors has to leave them clear.
//
// Thread safety: functions may be called concurrently; each thread has registers of its own.
#pragma once

#include <gtest/gtest.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace seerdb {

#if defined(__x86_64__)

// True if the processor says which of its registers are in use.
inline bool TellsRegistersInUse() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0 || (c & bit_AVX) == 0) return false;
  constexpr unsigned kStateLeaf = 13;
  constexpr unsigned kXgetbvOfOne = 1U << 2;
  return __get_cpuid_count(kStateLeaf, 1, &a, &b, &c, &d) != 0 && (a & kXgetbvOfOne) != 0;
}

// Requires: TellsRegistersInUse().
inline bool UpperHalvesInUse() {
  constexpr unsigned kAvx = 1U << 2;
  constexpr unsigned kZmmUpper = 1U << 6;
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
  return (low & (kAvx | kZmmUpper)) != 0;
}

inline void ClearUpperHalves() {
  asm volatile("vzeroupper" ::
                   : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                     "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
inline void UseUpperHalves() { asm volatile("vpcmpeqd %%ymm7, %%ymm7, %%ymm7" ::: "xmm7"); }

// Calls `work` with clear upper halves and expects those of this thread clear behind it. Where the processor
// does not tell, `work` is not called, and the test counts as skipped.
template <typename Work>
void ExpectUpperHalvesClearAfter(const Work& work) {
  if (!TellsRegistersInUse()) GTEST_SKIP() << "the processor does not say which registers are in use";
  UseUpperHalves();
  const bool seen = UpperHalvesInUse();
  ClearUpperHalves();
  if (!seen || UpperHalvesInUse())
    GTEST_SKIP() << "the processor does not tell upper halves in use from others";
  work();
  const bool in_use = UpperHalvesInUse();
  ClearUpperHalves();
  EXPECT_FALSE(in_use);
}

#else

template <typename Work>
void ExpectUpperHalvesClearAfter(const Work&) {
  GTEST_SKIP() << "registers have no upper halves here";
}

#endif

}  // namespace seerdb
