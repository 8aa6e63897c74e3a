// Measures the subjects of a study: how long they take to build and to answer, and whether answers are right.
//
// Rounds are interleaved: in each, every subject is measured once, and each round begins with another one.
// Thread safety: external synchronization.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eviction.h"
#include "study_probes.h"
#include "study_subject.h"

namespace seerdb::bench {

struct StudyPlan {
  size_t probes = 40'000;  // of each operation; a round asks a quarter of them, then times the others
  size_t rounds = 5;
  size_t cold_rounds = 3;
  size_t cold_groups = 16;  // of a round; each follows an eviction, and their median counts
  size_t cold_group = 32;   // probes
  bool rebuild = true;      // in each round; else only once
};

struct SubjectResult {
  // One number a round: nanoseconds of a probe, by operation.
  std::array<std::vector<double>, kOperations.size()> warm_ns;
  std::array<std::vector<double>, kOperations.size()> cold_ns;
  std::vector<double> build_ns;  // of a key
  // Over all probes, each asked once by itself.
  std::array<uint64_t, kOperations.size()> unbracketed{};
  // Those of the timed chains whose sum is wrong are one each.
  uint64_t wrong = 0;
};

class StudyRun {
 public:
  // `keys` are ascending and distinct; absent keys are drawn with `rng`. `eviction` outlives it.
  StudyRun(const StudyPlan& plan, const std::vector<std::string>& keys, Rng* rng, Eviction* eviction);

  // One result a subject.
  std::vector<SubjectResult> Measure(const std::vector<std::unique_ptr<Subject>>& subjects);

 private:
  void MeasureWarm(Subject* subject, SubjectResult* result);
  void MeasureCold(Subject* subject, size_t round, SubjectResult* result);
  void CheckAnswers(Subject* subject, SubjectResult* result);
  // Nanoseconds of a probe. Counts a wrong sum.
  double TimedChain(Subject* subject, Operation operation, size_t begin, size_t end, SubjectResult* result);

  const StudyPlan plan_;
  const size_t keys_;
  std::vector<Probes> probes_;  // by operation
  Eviction* const eviction_;
};

// {"rounds": [...], "quartiles": [low, median, high]}
nlohmann::json RoundsJson(const std::vector<double>& rounds);
// All that is measured of a subject.
nlohmann::json ResultJson(const SubjectResult& result, const StudyPlan& plan, bool learned);

}  // namespace seerdb::bench
