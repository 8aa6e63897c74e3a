// Progress: shows on stderr how far a long command is: a bar with rate and time left on a terminal, a plain
// line every few seconds elsewhere.
//
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "seerdb/clock.h"

namespace seerdb::cli {

class Progress {
 public:
  // `total_bytes`: of the input, 0 if not known (then there is neither bar nor time left).
  Progress(uint64_t total_bytes, std::shared_ptr<Clock> clock, bool terminal);
  // Clears the bar.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows the state if the last one shown is old enough: a bar at once, a line once some seconds have passed.
  void Update(uint64_t records, uint64_t input_bytes);
  double elapsed_s() const;

 private:
  std::string Line(uint64_t records, uint64_t input_bytes) const;

  const uint64_t total_bytes_;
  const std::shared_ptr<Clock> clock_;
  const bool terminal_;
  const uint64_t start_us_;
  uint64_t next_us_;  // before it nothing is shown
  bool bar_shown_ = false;
};

// "1234 records, 5.6 MB in 0.78 s: 1582 records/s, 7.2 MB/s".
std::string RateLine(uint64_t records, const char* noun, uint64_t bytes, double seconds);

}  // namespace seerdb::cli
