#include "tests/metamorphic/metamorphic_check.h"

#include "tests/support/test_support.h"

namespace seerdb::testing {

std::optional<WrongAnswer> DiffersFromMap(const Script& script, const Settings& settings) {
  return FindWrongAnswer(script, RunScript(script, NewMapTarget().get()), NewSeerdbTarget(settings).get());
}

std::string DifferenceFromMap(const Script& script, const Settings& settings) {
  const auto wrong = DiffersFromMap(script, settings);
  return wrong ? DescribeDifference(script, *wrong, NewMapTarget().get()) : "";
}

std::string DescribeDifference(const Script& script, const WrongAnswer& wrong, ScriptTarget* right) {
  std::string wanted;
  RunScript(script, right, wrong.at, &wanted);
  return "operation " + std::to_string(wrong.at) + ": " + AsCode(script[wrong.at]) + "\n  want " +
         Printable(wanted, 300) + "\n  got  " + Printable(wrong.text, 300);
}

}  // namespace seerdb::testing
