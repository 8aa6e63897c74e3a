#include "format/keyspace_prefix.h"

namespace seerdb {
namespace {
constexpr uint32_t kTwoByteBase = 128;
constexpr uint32_t kFiveByteBase = kTwoByteBase + (uint32_t{1} << 14);
}  // namespace

void AppendKeyspacePrefix(std::string* out, uint32_t keyspace) {
  if (keyspace < kTwoByteBase) {
    out->push_back(static_cast<char>(keyspace));
  } else if (keyspace < kFiveByteBase) {
    const uint32_t v = keyspace - kTwoByteBase;
    out->push_back(static_cast<char>(0x80 | v >> 8));
    out->push_back(static_cast<char>(v));
  } else {
    out->push_back(static_cast<char>(0xc0));
    for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(keyspace >> shift));
  }
}

bool ParseEngineKey(Slice engine_key, uint32_t* keyspace, Slice* user_key) {
  if (engine_key.empty()) return false;
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(engine_key[i]));
  };
  size_t used = 1;
  if (byte(0) < 0x80) {
    *keyspace = byte(0);
  } else if (byte(0) < 0xc0) {
    if (engine_key.size() < 2) return false;
    *keyspace = kTwoByteBase + ((byte(0) & 0x3f) << 8 | byte(1));
    used = 2;
  } else {
    if (byte(0) != 0xc0 || engine_key.size() < 5) return false;
    *keyspace = byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4);
    if (*keyspace < kFiveByteBase) return false;
    used = 5;
  }
  *user_key = engine_key.substr(used);
  return true;
}

std::string BehindPrefix(Slice prefix) {
  std::string behind(prefix);
  while (!behind.empty() && static_cast<unsigned char>(behind.back()) == 0xff) behind.pop_back();
  if (!behind.empty()) behind.back() = static_cast<char>(behind.back() + 1);
  return behind;
}

}  // namespace seerdb
