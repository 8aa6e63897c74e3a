// Encoding of a PlaModel, and of the segments of any model. Format: docs/format/table.md, "Block model".
//
// Thread safety: none of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "learned/pla_model.h"
#include "learned/pla_segment.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

void AppendPlaModel(const PlaModel& model, std::string* out);
// kCorruption for anything AppendPlaModel does not write.
Result<PlaModel> DecodePlaModel(Slice bytes);

inline constexpr size_t kPlaSegmentBytes = 24;

void AppendPlaSegments(std::span<const PlaSegment> segments, std::string* out);
// As many as `bytes` are long for, with ranks up to `max_rank`; kCorruption for what no model has. Requires:
// a multiple of kPlaSegmentBytes.
Result<std::vector<PlaSegment>> DecodePlaSegments(Slice bytes, uint32_t max_rank);

}  // namespace seerdb
