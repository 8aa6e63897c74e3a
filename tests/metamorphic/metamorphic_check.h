// Whether seerdb, under some settings, answers a script as std::map does.
#pragma once

#include <optional>
#include <string>

#include "tests/metamorphic/script_target.h"
#include "tests/metamorphic/seerdb_target.h"

namespace seerdb::testing {

// The first operation that is answered differently, and seerdb's answer.
std::optional<WrongAnswer> DiffersFromMap(const Script& script, const Settings& settings);

// That operation and both answers in words; "" if there is no difference.
std::string DifferenceFromMap(const Script& script, const Settings& settings);

// The operation `at` and two answers in words.
std::string DescribeAnswers(const Script& script, size_t at, const std::string& want, const std::string& got);

// The same for two engines, which are asked again.
std::string DescribeDifference(const Script& script, size_t at, ScriptTarget* want, ScriptTarget* got);

}  // namespace seerdb::testing
