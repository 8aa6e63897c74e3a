// Encoding of a RadixSpline, little-endian: u32 knots, u32 ranks, u32 max_error, u32 radix bits, then of each
// knot the window (u64) and of each knot the rank (u32). The table is made anew.
//
// Thread safety: none of its own.
#pragma once

#include <string>

#include "learned/radix_spline.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

void AppendRadixSpline(const RadixSpline& model, std::string* out);
// kCorruption for anything AppendRadixSpline does not write.
Result<RadixSpline> DecodeRadixSpline(Slice bytes);

}  // namespace seerdb
