#include "seerdb/clock.h"

#include <thread>

namespace seerdb {

void Clock::Yield() { std::this_thread::yield(); }

}  // namespace seerdb
