#include "tests/metamorphic/metamorphic_check.h"

#include "tests/support/test_support.h"

namespace seerdb::testing {

std::optional<WrongAnswer> DiffersFromMap(const Script& script, const Settings& settings) {
  return FindWrongAnswer(script, RunScript(script, NewMapTarget().get()), NewSeerdbTarget(settings).get());
}

std::string DifferenceFromMap(const Script& script, const Settings& settings) {
  const auto wrong = DiffersFromMap(script, settings);
  if (!wrong) return "";
  std::string wanted;
  RunScript(script, NewMapTarget().get(), wrong->at, &wanted);
  return DescribeAnswers(script, wrong->at, wanted, wrong->text);
}

std::string DescribeAnswers(const Script& script, size_t at, const std::string& want,
                            const std::string& got) {
  return "operation " + std::to_string(at) + ": " + AsCode(script[at]) + "\n  want " + Printable(want, 300) +
         "\n  got  " + Printable(got, 300);
}

std::string DescribeDifference(const Script& script, size_t at, ScriptTarget* want, ScriptTarget* got) {
  std::string wanted, given;
  RunScript(script, want, at, &wanted);
  RunScript(script, got, at, &given);
  const std::string again = wanted == given ? " (this time they agree: it depends on timing)" : "";
  return DescribeAnswers(script, at, wanted, given) + again;
}

}  // namespace seerdb::testing
