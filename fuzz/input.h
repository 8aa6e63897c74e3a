// Input: the bytes of one fuzz input, taken from the front; zeros and empty slices once they are used up.
//
// Borrows the bytes. Thread safety: external synchronization.
#pragma once

#include <cstdint>

#include "seerdb/slice.h"

namespace seerdb::fuzz {

class Input {
 public:
  explicit Input(Slice bytes) : left_(bytes) {}

  bool empty() const { return left_.empty(); }
  uint8_t Byte() {
    const Slice byte = Bytes(1);
    return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
  }
  // Two bytes, the lower first.
  uint16_t Word() {
    const uint16_t low = Byte();
    return static_cast<uint16_t>(low | Byte() << 8);
  }
  // The next `n` bytes, or what is left of them.
  Slice Bytes(size_t n) {
    const Slice taken = left_.substr(0, n);
    left_.remove_prefix(taken.size());
    return taken;
  }
  Slice Rest() { return Bytes(left_.size()); }

 private:
  Slice left_;
};

// Stands where a value must be read for the sanitizers to look at it.
inline void Touch(Slice bytes) {
  [[maybe_unused]] volatile char touched = 0;
  for (const char c : bytes) touched = c;
}

}  // namespace seerdb::fuzz
