// ScriptTarget: an engine under a script, and the run of a script on it, which gives a transcript.
//
// Every answer is text: "ok", "=<value>", "none", "error: <status>", or the entries of a range. Two engines
// that agree give the same text for every operation.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/metamorphic/script.h"

namespace seerdb::testing {

class ScriptTarget {
 public:
  virtual ~ScriptTarget() = default;
  // Opens an empty database.
  virtual std::string Open() = 0;
  // The answer to `op`. Called with the operations in order.
  virtual std::string Run(const ScriptOp& op) = 0;
};

// One hash an operation.
using Transcript = std::vector<uint64_t>;

// Runs `script` from an empty database. With `text_of` also the text of that operation's answer.
Transcript RunScript(const Script& script, ScriptTarget* target, std::optional<size_t> text_of = std::nullopt,
                     std::string* text = nullptr);

// An answer that is not the wanted one, of operation `at`.
struct WrongAnswer {
  size_t at = 0;
  std::string text;
};

// Runs `script` from an empty database up to the first answer whose hash is not in `want`.
std::optional<WrongAnswer> FindWrongAnswer(const Script& script, const Transcript& want,
                                           ScriptTarget* target);

// The first operation whose answers differ.
std::optional<size_t> FirstDifference(const Transcript& a, const Transcript& b);

// std::map as an engine.
std::unique_ptr<ScriptTarget> NewMapTarget();

}  // namespace seerdb::testing
