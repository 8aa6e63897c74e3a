// Encoding of a PgmModel, little-endian: u32 levels, u32 ranks, for each level from the lowest up u32
// segments and u32 error, then the segments of all levels in that order (model_codec.h).
//
// Thread safety: none of its own.
#pragma once

#include <string>

#include "learned/pgm_model.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

void AppendPgmModel(const PgmModel& model, std::string* out);
// kCorruption for anything AppendPgmModel does not write.
Result<PgmModel> DecodePgmModel(Slice bytes);

}  // namespace seerdb
