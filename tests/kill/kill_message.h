// KillMessage: what the killed process says through its pipe, eight bytes each, so that none is ever cut.
#pragma once

#include <cstdint>

namespace seerdb::testing {

struct KillMessage {
  enum Kind : unsigned char {
    kStart = 1,         // the counter that the writer found after the open
    kAcknowledged = 2,  // the unit's call returned OK
  };
  Kind kind;
  int writer;
  uint64_t unit;

  uint64_t Pack() const {
    return uint64_t{kind} << 60 | static_cast<uint64_t>(writer) << 52 | (unit & kUnitMask);
  }
  static KillMessage Unpack(uint64_t packed) {
    return {static_cast<Kind>(packed >> 60), static_cast<int>(packed >> 52 & 0xff), packed & kUnitMask};
  }

 private:
  static constexpr uint64_t kUnitMask = (uint64_t{1} << 52) - 1;
};

}  // namespace seerdb::testing
