#include "tests/metamorphic/metamorphic_check.h"

#include "tests/support/test_support.h"

namespace seerdb::testing {

std::optional<size_t> DiffersFromMap(const Script& script, const Settings& settings) {
  return FirstDifference(RunScript(script, NewMapTarget().get()),
                         RunScript(script, NewSeerdbTarget(settings).get()));
}

std::string DifferenceFromMap(const Script& script, const Settings& settings) {
  const auto at = DiffersFromMap(script, settings);
  if (!at) return "";
  return DescribeDifference(script, *at, NewMapTarget().get(), NewSeerdbTarget(settings).get());
}

std::string DescribeDifference(const Script& script, size_t at, ScriptTarget* want, ScriptTarget* got) {
  std::string wanted, given;
  RunScript(script, want, at, &wanted);
  RunScript(script, got, at, &given);
  const std::string again = wanted == given ? " (this time they agree: it depends on timing)" : "";
  return "operation " + std::to_string(at) + ": " + AsCode(script[at]) + "\n  want " +
         Printable(wanted, 300) + "\n  got  " + Printable(given, 300) + again;
}

}  // namespace seerdb::testing
