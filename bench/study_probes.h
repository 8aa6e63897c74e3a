// Probes: what a study asks of an index, with the right answers.
//
// Thread safety: immutable, freely shared.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "seerdb/slice.h"
#include "workload.h"

namespace seerdb::bench {

enum class Operation : unsigned char {
  kHit = 0,         // the rank of a key that is there
  kMiss = 1,        // that a key is not there: kAbsent
  kLowerBound = 2,  // the first rank whose key is not less, or how many there are
};
inline constexpr std::array<Operation, 3> kOperations = {Operation::kHit, Operation::kMiss,
                                                         Operation::kLowerBound};
// "hit", ...
const char* OperationName(Operation operation);

inline constexpr uint32_t kAbsent = UINT32_MAX;

class Probes {
 public:
  // `count` probes in random order of ascending, distinct `keys`. Absent ones are present ones with a change:
  // cut, longer, or with another character. Half of those of kLowerBound are absent. The answers are those of
  // std::lower_bound. Requires: keys.
  Probes(Operation operation, const std::vector<std::string>& keys, size_t count, Rng* rng);

  size_t size() const { return answers_.size(); }
  Slice operator[](size_t i) const { return {bytes_.data() + offsets_[i], offsets_[i + 1] - offsets_[i]}; }
  uint32_t answer(size_t i) const { return answers_[i]; }
  // Of the answers of [begin, end).
  uint64_t SumOfAnswers(size_t begin, size_t end) const;

 private:
  std::string bytes_;
  std::vector<uint64_t> offsets_ = {0};
  std::vector<uint32_t> answers_;
};

}  // namespace seerdb::bench
