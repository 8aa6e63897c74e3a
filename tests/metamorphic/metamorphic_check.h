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

// An operation, its wrong answer, and the one that `right` gives, in words.
std::string DescribeDifference(const Script& script, const WrongAnswer& wrong, ScriptTarget* right);

}  // namespace seerdb::testing
