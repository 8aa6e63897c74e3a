// Subject: what a study measures, an index of some kind over the keys of a set, or a whole database of them.
//
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "sorted_keys.h"
#include "study_probes.h"

namespace seerdb::bench {

struct IndexAnswer {
  uint32_t rank = 0;
  bool bracketed = true;  // the guess held, or there is none
};

class Subject {
 public:
  Subject() = default;
  virtual ~Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  virtual std::string name() const = 0;
  // Of the set's keys; what was built before is dropped.
  virtual void Build() = 0;

  // The others require Build().
  virtual uint64_t memory_bytes() const = 0;
  virtual bool Can(Operation operation) const = 0;
  // Requires: Can(operation), here and below.
  virtual IndexAnswer Answer(Operation operation, Slice key) = 0;
  // Asks the probes of [begin, end), each when the one before is answered, and returns the sum of the
  // answers.
  virtual uint64_t Chain(Operation operation, const Probes& probes, size_t begin, size_t end) = 0;
  // What else there is to say of it, by names that the report knows.
  virtual nlohmann::json Facts() const { return nlohmann::json::object(); }
};

// The chain of `answer`, which takes a key and returns a rank. The next probe's place depends on the answer
// before, by a number that is 0 and that the compiler cannot know.
template <typename Answer>
uint64_t RunChain(const Probes& probes, size_t begin, size_t end, const Answer& answer) {
  uint64_t zero = 0;
  asm volatile("" : "+r"(zero));
  uint64_t sum = 0;
  uint64_t last = 0;
  for (size_t i = begin; i < end; ++i) {
    last = answer(probes[i + (last & zero)]);
    sum += last;
  }
  return sum;
}

// A subject of an index class, which has
//   explicit Index(const SortedKeys& keys);       // builds; `keys` outlive it
//   static std::string Name();
//   static constexpr bool kLearned;               // proposes brackets that may fail
//   static constexpr bool kOrdered;               // has LowerBound
//   size_t memory_bytes() const;                  // beside the keys
//   uint32_t max_error() const;                   // only where there is such a bound
//   IndexAnswer LowerBound(Slice key) const;      // first rank whose key is not less
//   IndexAnswer Get(Slice key) const;             // rank of the key, or kAbsent
template <typename Index>
class IndexSubject final : public Subject {
 public:
  explicit IndexSubject(const SortedKeys* keys) : keys_(keys) {}

  std::string name() const override { return Index::Name(); }
  void Build() override {
    index_.reset();
    index_.emplace(*keys_);
  }
  uint64_t memory_bytes() const override { return index_->memory_bytes(); }
  bool Can(Operation operation) const override {
    return Index::kOrdered || operation != Operation::kLowerBound;
  }
  IndexAnswer Answer(Operation operation, Slice key) override {
    if constexpr (Index::kOrdered) {
      if (operation == Operation::kLowerBound) return index_->LowerBound(key);
    }
    return index_->Get(key);
  }
  uint64_t Chain(Operation operation, const Probes& probes, size_t begin, size_t end) override {
    const Index& index = *index_;
    if constexpr (Index::kOrdered) {
      if (operation == Operation::kLowerBound) {
        return RunChain(probes, begin, end, [&](Slice key) { return index.LowerBound(key).rank; });
      }
    }
    return RunChain(probes, begin, end, [&](Slice key) { return index.Get(key).rank; });
  }
  nlohmann::json Facts() const override {
    nlohmann::json facts = {{"learned", Index::kLearned}};
    if constexpr (requires { index_->max_error(); }) facts["max_error"] = index_->max_error();
    return facts;
  }

 private:
  const SortedKeys* const keys_;
  std::optional<Index> index_;
};

}  // namespace seerdb::bench
