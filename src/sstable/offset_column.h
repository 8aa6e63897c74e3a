// OffsetColumn: where the records of a data block start.
//
// Records of one size start on a line, and need no column; records of sizes that differ little start near
// one, and need a byte each (a model with its errors, as in PGM and ALEX, for one block). The others are
// stored as they are. Format: docs/format/table.md, "Data block". Thread safety: immutable.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "base/coding.h"

namespace seerdb {

enum class OffsetForm : uint8_t {
  kNarrow = 0,  // u16 each
  kWide = 1,    // u32 each
  kNear = 2,    // on or up to 255 bytes behind a line: a u8 each
  kEven = 3,    // on a line
};
inline constexpr uint8_t kMaxOffsetForm = 3;

// offset(i) = origin + (i * step256 >> 8): the step has 8 binary places.
struct OffsetLine {
  static constexpr size_t kBytes = 8;

  uint32_t step256 = 0;
  int32_t origin = 0;

  uint64_t At(uint64_t i) const {
    return static_cast<uint64_t>(int64_t{origin} + static_cast<int64_t>(i * step256 >> 8));
  }
  void Encode(char* out) const {
    StoreU32(out, step256);
    StoreU32(out + 4, static_cast<uint32_t>(origin));
  }
  static OffsetLine Decode(const char* in) { return {LoadU32(in), static_cast<int32_t>(LoadU32(in + 4))}; }
};

inline uint64_t OffsetElementBytes(OffsetForm form) {
  constexpr uint8_t kBytes[] = {2, 4, 1, 0};
  return kBytes[static_cast<uint8_t>(form)];
}
// Of the column of `entries` records.
inline uint64_t OffsetColumnBytes(OffsetForm form, uint64_t entries) {
  return (form >= OffsetForm::kNear ? OffsetLine::kBytes : 0) + OffsetElementBytes(form) * entries;
}

// The offset of record i in the column at `column`.
inline uint64_t OffsetAt(OffsetForm form, const char* column, uint32_t i) {
  if (form >= OffsetForm::kNear) {
    const uint64_t line = OffsetLine::Decode(column).At(i);
    if (form == OffsetForm::kEven) return line;
    return line + static_cast<unsigned char>(column[OffsetLine::kBytes + i]);
  }
  return form == OffsetForm::kNarrow ? LoadU16(column + size_t{i} * 2) : LoadU32(column + size_t{i} * 4);
}

// The line that all of `starts`, counted from the first record on, lie on or up to 255 bytes behind; nullopt
// if the one from the first record to the `end` of the last, moved, is none. Requires: starts[0] == 0.
inline std::optional<OffsetLine> LineNear(std::span<const uint32_t> starts, uint32_t end) {
  const auto count = static_cast<uint32_t>(starts.size());
  OffsetLine line{static_cast<uint32_t>(std::min<uint64_t>((uint64_t{end} << 8) / count, UINT32_MAX)), 0};
  int64_t least = std::numeric_limits<int64_t>::max();
  int64_t most = std::numeric_limits<int64_t>::min();
  for (uint32_t i = 0; i < count; ++i) {
    const int64_t off = int64_t{starts[i]} - static_cast<int64_t>(line.At(i));
    least = std::min(least, off);
    most = std::max(most, off);
  }
  if (most - least > UINT8_MAX) return std::nullopt;
  line.origin = static_cast<int32_t>(least);
  return line;
}

}  // namespace seerdb
