// Encoding of a PlaModel. Format: docs/format/table.md, "Block model".
#pragma once

#include <string>

#include "learned/pla_model.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

void AppendPlaModel(const PlaModel& model, std::string* out);
// kCorruption for anything AppendPlaModel does not write.
Result<PlaModel> DecodePlaModel(Slice bytes);

}  // namespace seerdb
