// Shrinking: the smallest part of a failing script, and of its settings, that still fails; printed as a test.
//
// Delta debugging: parts are left out, large ones first, for as long as the failure stays; then each
// operation is simplified. A failure of threads may come and go: the predicate repeats such runs itself.
// Thread safety: the functions are pure but for what the predicate does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/metamorphic/script.h"
#include "tests/metamorphic/seerdb_target.h"

namespace seerdb::testing {

// The first operation that goes wrong when `script` runs with `settings`; nullopt if none does.
using FailsAt = std::function<std::optional<size_t>(const Script& script, const Settings& settings)>;

struct Shrunk {
  Script script;
  Settings settings;
  uint64_t runs = 0;  // of the predicate
};

// Requires: fails(script, settings) has a value. Calls `fails` at most about `max_runs` times.
Shrunk Shrink(const Script& script, const Settings& settings, const FailsAt& fails, uint64_t max_runs = 4000);

// The smallest sublist that Shrink finds in one list: for each part left out, `fails` says whether it may be.
template <class T>
std::vector<T> ShrinkList(std::vector<T> items, const std::function<bool(const std::vector<T>&)>& fails) {
  for (size_t part = (items.size() + 1) / 2; part > 0;) {
    bool removed = false;
    // From the end: what comes after the failure goes first.
    for (size_t end = items.size(); end > 0;) {
      const size_t begin = end > part ? end - part : 0;
      std::vector<T> fewer(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(begin));
      fewer.insert(fewer.end(), items.begin() + static_cast<std::ptrdiff_t>(end), items.end());
      if (fails(fewer)) {
        items = std::move(fewer);
        removed = true;
      }
      end = begin;
    }
    if (part > 1) {
      part = (part + 1) / 2;
    } else if (!removed) {
      break;
    }
  }
  return items;
}

// A whole test that fails as the shrunk script does. `checker` is called as checker(script, settings) and
// gives "" when all is well.
std::string AsTest(const std::string& name, const Shrunk& shrunk, const std::string& checker);

}  // namespace seerdb::testing
