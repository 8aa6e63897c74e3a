// ModelKind: the kinds of model that an index may have (index_model.h).
#pragma once

#include <cstdint>

#include "seerdb/options.h"

namespace seerdb {

enum class ModelKind : uint8_t { kNone = 0, kPla = 1, kPgm = 2, kRadixSpline = 3, kAlex = 4 };
inline constexpr ModelKind kAllModelKinds[] = {ModelKind::kNone, ModelKind::kPla, ModelKind::kPgm,
                                               ModelKind::kRadixSpline, ModelKind::kAlex};
// "none", "pla", "pgm", "radix_spline", "alex".
const char* ModelKindName(ModelKind kind);
// What an index of blocks has under an option.
ModelKind BlockModelOf(IndexKind kind);

}  // namespace seerdb
