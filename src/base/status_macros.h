// Propagation of Status and Result.
#pragma once

#include "seerdb/result.h"
#include "seerdb/status.h"

#define SEERDB_CONCAT_INNER(a, b) a##b
#define SEERDB_CONCAT(a, b) SEERDB_CONCAT_INNER(a, b)

// Returns from the calling function when `expr` (a Status) is an error.
#define SEERDB_RETURN_IF_ERROR(expr)                                               \
  do {                                                                             \
    if (::seerdb::Status seerdb_status = (expr); !seerdb_status.ok()) [[unlikely]] \
      return seerdb_status;                                                        \
  } while (false)

// Assigns the value of `expr` (a Result) to `lhs` (also a declaration), or returns its error.
#define SEERDB_ASSIGN_OR_RETURN(lhs, expr) \
  SEERDB_ASSIGN_OR_RETURN_INNER(lhs, expr, SEERDB_CONCAT(seerdb_result_, __LINE__))
#define SEERDB_ASSIGN_OR_RETURN_INNER(lhs, expr, result) \
  auto result = (expr);                                  \
  if (!result.ok()) [[unlikely]]                         \
    return std::move(result).status();                   \
  lhs = *std::move(result)
