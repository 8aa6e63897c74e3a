#include "progress.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <utility>

#include "output.h"

namespace seerdb::cli {
namespace {

constexpr uint64_t kBarIntervalUs = 100'000;
constexpr uint64_t kLineIntervalUs = 3'000'000;
constexpr size_t kBarCells = 30;
constexpr double kBytesPerMb = 1e6;

std::string Duration(double seconds) {
  const auto whole = static_cast<uint64_t>(std::llround(seconds));
  char text[48];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, whole / 3600, whole / 60 % 60,
                  whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%" PRIu64 ":%02" PRIu64, whole / 60, whole % 60);
  }
  return text;
}

}  // namespace

Progress::Progress(uint64_t total_bytes, std::shared_ptr<Clock> clock, bool terminal)
    : total_bytes_(total_bytes),
      clock_(std::move(clock)),
      terminal_(terminal),
      start_us_(clock_->NowMicros()),
      next_us_(terminal ? start_us_ : start_us_ + kLineIntervalUs) {}

Progress::~Progress() {
  if (bar_shown_) PrintError("\r\x1b[K");
}

double Progress::elapsed_s() const { return static_cast<double>(clock_->NowMicros() - start_us_) / 1e6; }

void Progress::Update(uint64_t records, uint64_t input_bytes) {
  const uint64_t now_us = clock_->NowMicros();
  if (now_us < next_us_) return;
  next_us_ = now_us + (terminal_ ? kBarIntervalUs : kLineIntervalUs);
  bar_shown_ = terminal_;
  const std::string line = Line(records, input_bytes);
  PrintError(terminal_ ? "\r" + line + "\x1b[K" : line + "\n");
}

std::string Progress::Line(uint64_t records, uint64_t input_bytes) const {
  const double seconds = std::max(elapsed_s(), 1e-6);
  const auto read_bytes = static_cast<double>(input_bytes);
  std::string line;
  char text[128];
  if (total_bytes_ > 0) {
    const double share = std::min(1.0, read_bytes / static_cast<double>(total_bytes_));
    if (terminal_) {
      const auto filled = static_cast<size_t>(share * kBarCells);
      line += '[' + std::string(filled, '#') + std::string(kBarCells - filled, '.') + "] ";
    }
    std::snprintf(text, sizeof text, "%.0f %%  ", share * 100);
    line += text;
  }
  std::snprintf(text, sizeof text, "%" PRIu64 " records  %.1f MB  %.0f records/s  %.1f MB/s", records,
                read_bytes / kBytesPerMb, static_cast<double>(records) / seconds,
                read_bytes / kBytesPerMb / seconds);
  line += text;
  if (total_bytes_ > 0 && input_bytes > 0) {
    const double left_bytes = static_cast<double>(total_bytes_) - read_bytes;
    line += "  " + Duration(std::max(0.0, left_bytes) * seconds / read_bytes) + " left";
  }
  return line;
}

std::string RateLine(uint64_t records, const char* noun, uint64_t bytes, double seconds) {
  const double safe_seconds = std::max(seconds, 1e-6);
  const double megabytes = static_cast<double>(bytes) / kBytesPerMb;
  char text[192];
  std::snprintf(text, sizeof text, "%" PRIu64 " %s, %.1f MB in %.3f s: %.0f %s/s, %.1f MB/s", records, noun,
                megabytes, seconds, static_cast<double>(records) / safe_seconds, noun,
                megabytes / safe_seconds);
  return text;
}

}  // namespace seerdb::cli
