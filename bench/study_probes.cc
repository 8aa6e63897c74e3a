#include "study_probes.h"

#include <algorithm>

namespace seerdb::bench {
namespace {

using Keys = std::vector<std::string>;

// A key with a change that may make it another one.
std::string Changed(const Keys& keys, Rng* rng) {
  std::string key = keys[rng->Below(keys.size())];
  const std::string& other = keys[rng->Below(keys.size())];
  const uint64_t change = rng->Below(4);
  const char character = other.empty() ? 'a' : other[rng->Below(other.size())];
  if (change == 0 || key.empty()) {
    key.push_back(character);
  } else if (change == 1) {
    key.pop_back();
  } else if (change == 2) {
    key.back() = static_cast<char>(key.back() + 1);
  } else {
    key[rng->Below(key.size())] = character;
  }
  return key;
}

std::string AbsentKey(const Keys& keys, Rng* rng) {
  while (true) {
    std::string key = Changed(keys, rng);
    if (!std::binary_search(keys.begin(), keys.end(), key)) return key;
  }
}

}  // namespace

const char* OperationName(Operation operation) {
  constexpr std::array<const char*, 3> kNames = {"hit", "miss", "lower_bound"};
  return kNames[static_cast<size_t>(operation)];
}

Probes::Probes(Operation operation, const std::vector<std::string>& keys, size_t count, Rng* rng) {
  for (size_t i = 0; i < count; ++i) {
    const bool absent = operation == Operation::kMiss || (operation == Operation::kLowerBound && i % 2 == 0);
    const std::string key = absent ? AbsentKey(keys, rng) : keys[rng->Below(keys.size())];
    bytes_ += key;
    offsets_.push_back(bytes_.size());
    const auto rank = static_cast<uint32_t>(std::lower_bound(keys.begin(), keys.end(), key) - keys.begin());
    answers_.push_back(operation == Operation::kMiss ? kAbsent : rank);
  }
}

uint64_t Probes::SumOfAnswers(size_t begin, size_t end) const {
  uint64_t sum = 0;
  for (size_t i = begin; i < end; ++i) sum += answers_[i];
  return sum;
}

}  // namespace seerdb::bench
