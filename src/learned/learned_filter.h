// LearnedFilter: a model of where keys can be, and a filter of the keys that it says nothing about.
//
// Kraska et al., "The case for learned index structures", SIGMOD 2018: what the model does not accept, a
// filter behind it decides. The model is an occupancy map (occupancy_map.h): it rejects where no key is,
// accepts where keys fill a stretch, and leaves the rest to a blocked Bloom filter of that rest. A filter
// before the model too (Mitzenmacher, "A model for learned Bloom filters and optimizing by sandwiching",
// 2018) removes false answers of the model; this one accepts only where it gives none, so there is no such
// filter. Where the model does not pay there is none, and has_model() says so. Format:
// docs/format/filters.md. Thread safety: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "learned/bloom_filter.h"
#include "learned/occupancy_builder.h"
#include "learned/occupancy_map.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

class LearnedFilter {
 public:
  static constexpr size_t kTailBytes = 8;

  LearnedFilter() = default;  // of no keys
  // The encoded filter of keys with these hashes and windows, which are parallel and ascend by window.
  // Without windows there is no model. kInvalidArgument otherwise.
  static Result<std::string> Build(std::span<const uint64_t> hashes, std::span<const uint64_t> windows,
                                   const OccupancyOptions& options);
  // Borrows `bytes`. kCorruption when they are no filter.
  static Result<LearnedFilter> Decode(Slice bytes);

  bool has_model() const { return model_.stretches() != 0; }
  const OccupancyMap& model() const { return model_; }
  // Whether there are keys that the model leaves to the filter behind it.
  bool has_backup() const { return !backup_.empty(); }
  // Of what it keeps beside the bytes.
  size_t memory_bytes() const { return model_.memory_bytes(); }
  bool MayContain(uint64_t hash, uint64_t window) const {
    if (has_model()) {
      const OccupancyMap::Stretch stretch = model_.At(window);
      if (stretch != OccupancyMap::Stretch::kMixed) return stretch == OccupancyMap::Stretch::kFull;
    }
    return has_backup() && backup_.MayContain(hash);
  }

 private:
  OccupancyMap model_;
  BloomFilter backup_;
};

}  // namespace seerdb
