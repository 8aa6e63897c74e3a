// OffsetColumn: where the records of a data block start.
//
// Records of one size need no column; records of sizes that differ little start near a line, and need a byte
// each (a model with its errors, as in PGM and ALEX, for one block). The others are stored as they are.
// Format: docs/format/table.md, "Data block". Thread safety: immutable.
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
  kEven = 3,    // on a line that is stored; read, no longer written
  kEqual = 4,   // records of one size fill the block: nothing is stored
};
inline constexpr uint8_t kMaxOffsetForm = 4;

// offset(i) = origin + (i * step256 >> 8): the step has 8 binary places.
struct OffsetLine {
  static constexpr size_t kBytes = 8;
  static constexpr uint32_t kMaxEqualBytes = UINT32_MAX >> 8;

  uint32_t step256 = 0;
  int64_t origin = 0;  // stored in 32 bits

  uint64_t At(uint64_t i) const {
    return static_cast<uint64_t>(origin + static_cast<int64_t>(i * step256 >> 8));
  }
  void Encode(char* out) const {
    StoreU32(out, step256);
    StoreU32(out + 4, static_cast<uint32_t>(static_cast<int32_t>(origin)));
  }
  static OffsetLine Decode(const char* in) { return {LoadU32(in), static_cast<int32_t>(LoadU32(in + 4))}; }
};

inline bool HasStoredLine(OffsetForm form) { return form == OffsetForm::kNear || form == OffsetForm::kEven; }
inline uint64_t OffsetElementBytes(OffsetForm form) {
  constexpr uint64_t kBytes = 0x00'00'01'04'02;  // a byte for each form, from the lowest on
  return kBytes >> (8 * static_cast<uint8_t>(form)) & 0xff;
}
// Of the column of `entries` records.
inline uint64_t OffsetColumnBytes(OffsetForm form, uint64_t entries) {
  return (HasStoredLine(form) ? OffsetLine::kBytes : 0) + OffsetElementBytes(form) * entries;
}

class OffsetColumn {
 public:
  OffsetColumn() = default;
  // Borrows `column`, of `entries` (> 0) records that begin at `first` and end at `end` of their block.
  OffsetColumn(OffsetForm form, const char* column, uint32_t entries, uint64_t first, uint64_t end)
      : form_(form), column_(column), first_(static_cast<uint32_t>(first)) {
    // A block has less than 4 GiB.
    if (form == OffsetForm::kEqual) record_bytes_ = static_cast<uint32_t>(end - first) / entries;
  }

  // Where record i starts.
  uint64_t At(uint32_t i) const {
    switch (form_) {
      case OffsetForm::kEqual:
        return first_ + uint64_t{i} * record_bytes_;
      case OffsetForm::kNear:
        return OffsetLine::Decode(column_).At(i) +
               static_cast<unsigned char>(column_[OffsetLine::kBytes + i]);
      case OffsetForm::kEven:
        return OffsetLine::Decode(column_).At(i);
      case OffsetForm::kWide:
        return LoadU32(column_ + size_t{i} * 4);
      case OffsetForm::kNarrow:
        break;
    }
    return LoadU16(column_ + size_t{i} * 2);
  }

 private:
  OffsetForm form_ = OffsetForm::kNarrow;
  const char* column_ = nullptr;
  uint32_t first_ = 0;
  uint32_t record_bytes_ = 0;
};

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
