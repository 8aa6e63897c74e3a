// CheckOptions: every option inside its range, or kInvalidArgument naming field, value and range.
#pragma once

#include "seerdb/options.h"
#include "seerdb/status.h"

namespace seerdb {

Status CheckOptions(const Options& options);
Status CheckReadOptions(const ReadOptions& options);

}  // namespace seerdb
