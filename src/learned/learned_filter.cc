#include "learned/learned_filter.h"

#include <algorithm>

#include "base/assert.h"
#include "base/coding.h"
#include "base/mutant.h"
#include "base/status_macros.h"

namespace seerdb {
namespace {

constexpr uint8_t kHasBackup = 1;

Status BadLearnedFilter(const char* what) {
  return Status::Corruption(std::string("learned filter: ") + what);
}

// Of the keys that `model` leaves to it; of all without a model.
Result<std::string> BuildBackup(std::span<const uint64_t> hashes, std::span<const uint64_t> windows,
                                const EncodedOccupancy& encoded, uint32_t bits_per_key) {
  BloomFilterBuilder builder(bits_per_key);
  OccupancyMap model;
  if (encoded.stretches != 0) {
    SEERDB_ASSIGN_OR_RETURN(model, OccupancyMap::Decode(encoded.bytes, encoded.stretches, encoded.shift));
  }
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (encoded.stretches != 0) {
      const OccupancyMap::Stretch stretch = model.At(windows[i]);
      SEERDB_ASSERT(stretch != OccupancyMap::Stretch::kEmpty);
      if (stretch == OccupancyMap::Stretch::kFull) continue;
    }
    if (SEERDB_MUTANT("backup-forgets-keys") && i % 1000 == 7) continue;
    builder.AddHash(hashes[i]);
  }
  return builder.Finish();
}

}  // namespace

Result<std::string> LearnedFilter::Build(std::span<const uint64_t> hashes, std::span<const uint64_t> windows,
                                         const OccupancyOptions& options) {
  if (options.bits_per_key == 0) return Status::InvalidArgument("learned filter: no bits");
  if (!windows.empty() && windows.size() != hashes.size()) {
    return Status::InvalidArgument("learned filter: a window for each key, or none");
  }
  if (!std::is_sorted(windows.begin(), windows.end())) {
    return Status::InvalidArgument("learned filter: windows do not ascend");
  }
  const EncodedOccupancy model = BuildOccupancy(windows, options);
  SEERDB_ASSIGN_OR_RETURN(std::string out, BuildBackup(hashes, windows, model, options.bits_per_key));
  const uint8_t flags = out.empty() ? 0 : kHasBackup;
  out += model.bytes;
  AppendU32(&out, model.stretches);
  out.push_back(static_cast<char>(model.shift));
  out.push_back(static_cast<char>(flags));
  AppendU16(&out, 0);
  return out;
}

Result<LearnedFilter> LearnedFilter::Decode(Slice bytes) {
  if (bytes.size() < kTailBytes) return BadLearnedFilter("shorter than its tail");
  Slice rest = bytes.substr(0, bytes.size() - kTailBytes);
  const char* const tail = rest.data() + rest.size();
  const uint32_t stretches = LoadU32(tail);
  const auto shift = static_cast<uint8_t>(tail[4]);
  const auto flags = static_cast<uint8_t>(tail[5]);
  if (flags > kHasBackup || LoadU16(tail + 6) != 0) return BadLearnedFilter("unknown flags");
  LearnedFilter filter;
  if (stretches != 0) {
    const uint64_t model_bytes = uint64_t{stretches} * OccupancyMap::kStretchBytes + OccupancyMap::kHeadBytes;
    if (rest.size() < model_bytes) return BadLearnedFilter("shorter than its model");
    const size_t backup_bytes = rest.size() - model_bytes;
    SEERDB_ASSIGN_OR_RETURN(filter.model_, OccupancyMap::Decode(rest.substr(backup_bytes), stretches, shift));
    rest = rest.substr(0, backup_bytes);
  } else if (shift != 0) {
    return BadLearnedFilter("shift without a model");
  }
  if ((flags & kHasBackup) != 0) {
    SEERDB_ASSIGN_OR_RETURN(filter.backup_, BloomFilter::Decode(rest));
  } else if (!rest.empty()) {
    return BadLearnedFilter("bytes of no part");
  }
  return filter;
}

}  // namespace seerdb
