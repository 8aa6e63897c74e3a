#include "sstable/tag_sections.h"

#include <algorithm>
#include <utility>

#include "base/key_window.h"
#include "base/mutant.h"
#include "learned/pla_builder.h"

namespace seerdb {
namespace {

// Aimed at; the error that is measured may be one or two more.
constexpr uint32_t kEpsilon = 15;
// Of keys, at once: fewer make sections that find less in common, more leave the cache.
constexpr size_t kHeldBytes = 128 << 10;
// Longer keys pay little attention to what finds them, and separators are as long as keys.
constexpr size_t kLongestKeyBytes = 1024;
// Of what is held at once, at most: each costs a look at all keys of its part.
constexpr uint32_t kMostCuts = 64;
// What sections may take beside their bits a key.
constexpr uint64_t kFreeBytes = 512;
// A segment for so many keys is about what even keys take: no need to look behind a longer prefix.
constexpr uint64_t kGoodSegmentKeys = 200;
// Of a section beside separator, prefix and segments: four numbers and the head of its model.
constexpr uint64_t kSectionBytes = 32;
constexpr uint64_t kSegmentBytes = 24;

}  // namespace

void TagSectionBuilder::Add(Slice key, size_t shared_bytes, uint32_t rank) {
  if (!fits_) return;
  if (key.size() > kLongestKeyBytes) {
    fits_ = false;
    return;
  }
  if (held_.size() + entries_.size() >= kHeldBytes) Close(rank);
  entries_.push_back({static_cast<uint32_t>(held_.size()), rank, static_cast<uint16_t>(key.size()),
                      static_cast<uint16_t>(shared_bytes)});
  held_.Append(key);
}

void TagSectionBuilder::Close(uint32_t ranks) {
  cuts_ = 0;
  if (fits_ && !entries_.empty()) Fit(0, entries_.size(), ranks);
  held_.Clear();
  entries_.clear();
}

bool TagSectionBuilder::WithinBudget() const {
  return encoded_bytes_ * 8 <= fitted_keys_ * bits_per_key_ + kFreeBytes * 8;
}

void TagSectionBuilder::Fit(size_t begin, size_t end, uint32_t end_rank) {
  if (!fits_ || FitWhole(begin, end, end_rank)) return;
  // A single key fits.
  if (cuts_++ == kMostCuts) {
    fits_ = false;
    return;
  }
  const size_t cut = WeakestBoundary(begin, end);
  Fit(begin, cut, entries_[cut].rank);
  Fit(cut, end, end_rank);
}

size_t TagSectionBuilder::WeakestBoundary(size_t begin, size_t end) const {
  // Of equal ones, the one nearest to the middle.
  size_t best = begin + (end - begin) / 2;
  for (size_t step = 1; step < end - begin; ++step) {
    const size_t middle = begin + (end - begin) / 2;
    const size_t i = step % 2 != 0 ? middle - (step + 1) / 2 : middle + step / 2;
    if (i <= begin || i >= end) continue;
    if (entries_[i].shared_bytes < entries_[best].shared_bytes) best = i;
  }
  return best;
}

KeyProjection::Kind TagSectionBuilder::TakeWindows(size_t begin, size_t end, size_t prefix_bytes) {
  windows_.resize(end - begin);
  for (const auto kind : {KeyProjection::Kind::kDecimal, KeyProjection::Kind::kHex}) {
    size_t i = begin;
    while (i < end && KeyProjection::LoadDigits(kind, Key(i), prefix_bytes, &windows_[i - begin])) ++i;
    if (i == end) return kind;
  }
  for (size_t i = begin; i < end; ++i) windows_[i - begin] = KeyProjection::BytesWindow(Key(i), prefix_bytes);
  return KeyProjection::Kind::kBytes;
}

uint32_t TagSectionBuilder::MeasureError(const PlaModel& model, size_t begin, size_t end,
                                         uint32_t first_rank) const {
  const std::vector<PlaSegment>& segments = model.segments();
  size_t segment = 0;
  uint32_t error = 0;
  for (size_t i = begin; i < end; ++i) {
    const uint64_t window = windows_[i - begin];
    while (segment + 1 < segments.size() && segments[segment + 1].first_window <= window) ++segment;
    const uint32_t rank = entries_[i].rank - first_rank;
    const uint32_t predicted = model.PredictIn(segment, window);
    error = std::max(error, predicted > rank ? predicted - rank : rank + 1 - predicted);
  }
  return error;
}

bool TagSectionBuilder::FitWhole(size_t begin, size_t end, uint32_t end_rank) {
  if (!shared_prefix_.empty()) {
    // Its keys lie between the two, and begin as both do.
    const bool shared = Key(begin).starts_with(shared_prefix_) && Key(end - 1).starts_with(shared_prefix_);
    const size_t most_segments = (end - begin) / kGoodSegmentKeys + 2;
    if (shared && FitBehind(shared_prefix_.size(), most_segments, begin, end, end_rank)) return true;
    if (sections_.empty()) shared_prefix_.clear();
  }
  return FitBehind(CommonPrefixBytes(Key(begin), Key(end - 1)), end - begin, begin, end, end_rank);
}

bool TagSectionBuilder::FitBehind(size_t prefix_bytes, size_t most_segments, size_t begin, size_t end,
                                  uint32_t end_rank) {
  TagSection section;
  section.projection = TakeWindows(begin, end, prefix_bytes);
  section.first_rank = sections_.empty() ? 0 : entries_[begin].rank;
  section.end_rank = end_rank;
  PlaBuilder builder(kEpsilon);
  for (size_t i = begin; i < end; ++i)
    builder.AddAt(windows_[i - begin], entries_[i].rank - section.first_rank);
  section.segments = builder.TakeSegments();
  const PlaModel model(section.segments, end_rank - section.first_rank, 0);
  section.error = MeasureError(model, begin, end, section.first_rank);
  if (section.segments.size() > most_segments) return false;
  if (section.error > kMaxError && !SEERDB_MUTANT("tag-index-unmeasured")) return false;
  section.error = std::min(section.error, kMaxError);

  const Slice first = Key(begin);
  section.prefix.assign(first.substr(0, prefix_bytes));
  encoded_bytes_ += kSegmentBytes * section.segments.size();
  if (!Unite(section, begin)) {
    if (!sections_.empty())
      section.separator.assign(first.substr(0, entries_[begin].shared_bytes + size_t{1}));
    encoded_bytes_ += kSectionBytes + section.separator.size() + section.prefix.size();
    sections_.push_back(std::move(section));
  }
  last_window_ = windows_[end - begin - 1];
  fitted_keys_ += end - begin;
  fits_ = WithinBudget();
  return true;
}

// What was measured of either part stays true of both together: no window of one is one of the other, and a
// guess of the first part is bounded by the rank at which the second begins, as it was by its end.
bool TagSectionBuilder::Unite(const TagSection& section, size_t begin) {
  if (sections_.empty()) return false;
  TagSection& last = sections_.back();
  if (last.prefix != section.prefix || last.projection != section.projection ||
      last.end_rank != section.first_rank || last_window_ >= windows_.front()) {
    return false;
  }
  const uint32_t ranks_before = entries_[begin].rank - last.first_rank;
  for (PlaSegment segment : section.segments) {
    segment.first_rank += ranks_before;
    last.segments.push_back(segment);
  }
  last.end_rank = section.end_rank;
  last.error = std::max(last.error, section.error);
  return true;
}

}  // namespace seerdb
