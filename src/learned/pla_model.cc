#include "learned/pla_model.h"

#include <bit>

namespace seerdb {
namespace {

constexpr size_t kLeastSegments = 8;

}  // namespace

void PlaModel::FillBuckets() {
  if (segments_.size() < kLeastSegments) return;
  const uint64_t first = segments_.front().first_window;
  const uint64_t span = segments_.back().first_window - first;
  // One to four buckets a segment.
  const int bits = std::bit_width(2 * segments_.size());
  const int shift = std::bit_width(span) - bits;
  bucket_shift_ = shift > 0 ? static_cast<uint32_t>(shift) : 0;
  size_t segment = 0;
  for (uint64_t bucket = 0; bucket <= span >> bucket_shift_; ++bucket) {
    const uint64_t window = first + (bucket << bucket_shift_);
    while (segment + 1 < segments_.size() && segments_[segment + 1].first_window <= window) ++segment;
    buckets_.push_back(static_cast<uint32_t>(segment));
  }
}

}  // namespace seerdb
