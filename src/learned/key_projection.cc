#include "learned/key_projection.h"

namespace seerdb {
namespace {

using Kind = KeyProjection::Kind;

constexpr size_t kDigits = 16;
constexpr uint64_t kMaxDecimal = 9'999'999'999'999'999;
constexpr uint64_t kZeros = 0x3030303030303030;
constexpr uint64_t kHighBits = 0x8080808080808080;
constexpr uint64_t kOnes = 0x0101010101010101;

// Puts '0' where the key has ended, `left` characters from the start of the word.
uint64_t PadWithZeros(uint64_t word, size_t left) {
  if (left >= 8) return word;
  return word | kZeros << (8 * left);
}

// The value of eight digits, the first in the lowest byte; false if one is none.
bool ParseDecimal(uint64_t word, uint64_t* value) {
  if ((((word + 0x4646464646464646) | (word - kZeros)) & kHighBits) != 0) return false;
  constexpr uint64_t kMask = 0x000000ff000000ff;
  word -= kZeros;
  word = word * 10 + (word >> 8);
  *value = (((word & kMask) * 0x000f424000000064) + (((word >> 16) & kMask) * 0x0000271000000001)) >> 32;
  return true;
}

// The same of digits 0-9 and a-f.
bool ParseHex(uint64_t word, uint64_t* value) {
  const uint64_t letters = word >> 6 & kOnes;
  const uint64_t digits = (word & 0x0f0f0f0f0f0f0f0f) + letters * 9;
  if ((digits & 0x1010101010101010) != 0) return false;
  // What these digits are written as must be the word.
  const uint64_t from_ten = (digits + 0x7676767676767676) >> 7 & kOnes;
  if (digits + kZeros + from_ten * ('a' - '0' - 10) != word) return false;
  const uint64_t pairs = (digits & 0x000f000f000f000f) << 4 | (digits >> 8 & 0x000f000f000f000f);
  *value = (pairs & 0xff) << 24 | (pairs >> 16 & 0xff) << 16 | (pairs >> 32 & 0xff) << 8 | pairs >> 48;
  return true;
}

// What a character is as a digit, or as which digit all that follows counts.
struct DigitOrFill {
  unsigned digit;
  bool is_digit;
  unsigned fill;
};

// A character that is no digit sorts before, between or after the digits: all that begins with it gets the
// greatest window that is not above theirs.
DigitOrFill Classify(Kind kind, unsigned c) {
  if (c >= '0' && c <= '9') return {c - '0', true, 0};
  if (kind == Kind::kHex && c >= 'a' && c <= 'f') return {c - 'a' + 10, true, 0};
  if (c < '0') return {0, false, 0};
  if (kind == Kind::kDecimal) return {9, false, 9};
  return c < 'a' ? DigitOrFill{9, false, 15} : DigitOrFill{15, false, 15};
}

uint64_t DigitsWindowSlow(Kind kind, Slice key, size_t skip) {
  const uint64_t base = kind == Kind::kDecimal ? 10 : 16;
  uint64_t value = 0;
  bool ended = false;
  unsigned fill = 0;
  for (size_t i = 0; i < kDigits; ++i) {
    if (ended) {
      value = value * base + fill;
      continue;
    }
    const unsigned c = skip + i < key.size() ? static_cast<unsigned char>(key[skip + i]) : 0;
    const DigitOrFill next = Classify(kind, c);
    value = value * base + next.digit;
    ended = !next.is_digit;
    fill = next.fill;
  }
  return value;
}

// Of the last 16 - bytes digits, which are zeros behind a suffix of `bytes`.
bool EndsInZeros(Kind kind, uint64_t window, size_t bytes) {
  if (kind == Kind::kHex) return bytes >= kDigits || window << (4 * bytes) == 0;
  uint64_t unit = 1;
  for (size_t i = bytes; i < kDigits; ++i) unit *= 10;
  return window <= kMaxDecimal && window % unit == 0;
}

}  // namespace

template <KeyProjection::Kind kKind>
bool KeyProjection::LoadDigitsOf(Slice key, size_t skip, uint64_t* window) {
  const auto parse = [](uint64_t word, uint64_t* value) {
    return kKind == Kind::kDecimal ? ParseDecimal(word, value) : ParseHex(word, value);
  };
  const size_t left = key.size() - skip;
  uint64_t high = 0;
  uint64_t low = 0;
  if (!parse(PadWithZeros(LoadPadded(key, skip), left), &high)) return false;
  if (left > 8 && !parse(PadWithZeros(LoadPadded(key, skip + 8), left - 8), &low)) return false;
  *window = kKind == Kind::kDecimal ? high * 100'000'000 + low : high << 32 | low;
  return true;
}

bool KeyProjection::LoadDigits(Kind kind, Slice key, size_t skip, uint64_t* window) {
  return kind == Kind::kDecimal ? LoadDigitsOf<Kind::kDecimal>(key, skip, window)
                                : LoadDigitsOf<Kind::kHex>(key, skip, window);
}

uint64_t KeyProjection::DigitsWindow(Kind kind, Slice key, size_t skip) {
  uint64_t window = 0;
  if (LoadDigits(kind, key, skip, &window)) [[likely]]
    return window;
  return DigitsWindowSlow(kind, key, skip);
}

bool KeyProjection::IsWindowOf(Kind kind, uint64_t window, size_t bytes) {
  if (kind != Kind::kBytes) return EndsInZeros(kind, window, bytes);
  return bytes >= 8 || window << (8 * bytes) == 0;
}

void KeyProjection::SuffixOfWindow(Kind kind, uint64_t window, size_t bytes, char* out) {
  if (kind == Kind::kBytes) {
    for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(window >> (56 - 8 * i));
    return;
  }
  const uint64_t base = kind == Kind::kDecimal ? 10 : 16;
  for (size_t i = kDigits; i > 0; --i, window /= base) {
    if (i <= bytes) out[i - 1] = "0123456789abcdef"[window % base];
  }
}

}  // namespace seerdb
