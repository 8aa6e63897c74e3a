#include "base/random.h"

#include <random>

namespace seerdb {

uint64_t SystemSeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) ^ device();
}

}  // namespace seerdb
