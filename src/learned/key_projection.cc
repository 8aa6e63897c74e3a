#include "learned/key_projection.h"

namespace seerdb {
namespace {

constexpr size_t kDecimalCharacters = 16;
constexpr uint64_t kZeros = 0x3030303030303030;

bool AllDigits(uint64_t word) {
  return (((word + 0x4646464646464646) | (word - kZeros)) & 0x8080808080808080) == 0;
}

// Puts '0' where the key has ended, `left` characters from the start of the word.
uint64_t PadWithZeros(uint64_t word, size_t left) {
  if (left >= 8) return word;
  return word | kZeros << (8 * left);
}

// Value of eight digits, the first in the lowest byte.
uint64_t ParseDigits(uint64_t word) {
  constexpr uint64_t kMask = 0x000000ff000000ff;
  word -= kZeros;
  word = word * 10 + (word >> 8);
  return (((word & kMask) * 0x000f424000000064) + (((word >> 16) & kMask) * 0x0000271000000001)) >> 32;
}

// Up to the first character that is no digit; from there on the lowest or the highest digits, as it sorts.
uint64_t DecimalWindowSlow(Slice key, size_t skip) {
  uint64_t value = 0;
  int fill = -1;
  for (size_t i = 0; i < kDecimalCharacters; ++i) {
    if (fill < 0) {
      const unsigned c = skip + i < key.size() ? static_cast<unsigned char>(key[skip + i]) : 0;
      if (c >= '0' && c <= '9') {
        value = value * 10 + (c - '0');
        continue;
      }
      fill = c < '0' ? 0 : 9;
    }
    value = value * 10 + static_cast<uint64_t>(fill);
  }
  return value;
}

}  // namespace

uint64_t KeyProjection::DecimalWindow(Slice key, size_t skip) {
  const size_t left = key.size() - skip;
  const uint64_t high = PadWithZeros(LoadPadded(key, skip), left);
  const uint64_t low = PadWithZeros(LoadPadded(key, skip + 8), left > 8 ? left - 8 : 0);
  if (!AllDigits(high) || !AllDigits(low)) [[unlikely]]
    return DecimalWindowSlow(key, skip);
  return ParseDigits(high) * 100'000'000 + ParseDigits(low);
}

bool KeyProjection::IsDecimal(Slice key, size_t skip) {
  for (size_t i = skip; i < key.size() && i < skip + kDecimalCharacters; ++i) {
    if (key[i] < '0' || key[i] > '9') return false;
  }
  return true;
}

}  // namespace seerdb
