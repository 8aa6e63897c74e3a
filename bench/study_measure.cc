#include "study_measure.h"

#include <algorithm>
#include <chrono>

namespace seerdb::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Of a round's warm probes, each timed by itself: what interrupts one of them does not count.
constexpr size_t kWarmPieces = 16;

double NsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

size_t Number(Operation operation) { return static_cast<size_t>(operation); }

// Between the two nearest, as Python's statistics.quantiles does with the method "inclusive".
double Quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return Quantile(values, 0.5);
}

// What a chain reads of its probes is not what an index costs.
void LoadProbes(const Probes& probes, size_t begin, size_t end) {
  uint64_t sum = 0;
  for (size_t i = begin; i < end; ++i) {
    for (const char c : probes[i]) sum += static_cast<unsigned char>(c);
  }
  asm volatile("" : : "r"(sum));
}

}  // namespace

StudyRun::StudyRun(const StudyPlan& plan, const std::vector<std::string>& keys, Rng* rng, Eviction* eviction)
    : plan_(plan), keys_(keys.size()), eviction_(eviction) {
  for (const Operation operation : kOperations) probes_.emplace_back(operation, keys, plan.probes, rng);
}

std::vector<SubjectResult> StudyRun::Measure(const std::vector<std::unique_ptr<Subject>>& subjects) {
  std::vector<SubjectResult> results(subjects.size());
  for (size_t round = 0; round < std::max(plan_.rounds, plan_.cold_rounds); ++round) {
    for (size_t turn = 0; turn < subjects.size(); ++turn) {
      const size_t i = (round + turn) % subjects.size();
      Subject* const subject = subjects[i].get();
      if (round == 0 || (plan_.rebuild && round < plan_.rounds)) {
        const auto start = Clock::now();
        subject->Build();
        results[i].build_ns.push_back(NsSince(start) / static_cast<double>(keys_));
      }
      if (round == 0) CheckAnswers(subject, &results[i]);
      if (round < plan_.rounds) MeasureWarm(subject, &results[i]);
      if (round < plan_.cold_rounds) MeasureCold(subject, round, &results[i]);
    }
  }
  return results;
}

double StudyRun::TimedChain(Subject* subject, Operation operation, size_t begin, size_t end,
                            SubjectResult* result) {
  const Probes& probes = probes_[Number(operation)];
  const auto start = Clock::now();
  const uint64_t sum = subject->Chain(operation, probes, begin, end);
  const double ns = NsSince(start);
  if (sum != probes.SumOfAnswers(begin, end)) ++result->wrong;
  return ns / static_cast<double>(end - begin);
}

void StudyRun::MeasureWarm(Subject* subject, SubjectResult* result) {
  for (const Operation operation : kOperations) {
    if (!subject->Can(operation)) continue;
    const size_t piece = plan_.probes / kWarmPieces;
    std::vector<double> ns;
    for (size_t i = 0; i < kWarmPieces; ++i) {
      ns.push_back(TimedChain(subject, operation, i * piece, (i + 1) * piece, result));
    }
    // The first quarter only warms.
    result->warm_ns[Number(operation)].push_back(Median({ns.begin() + kWarmPieces / 4, ns.end()}));
  }
}

void StudyRun::MeasureCold(Subject* subject, size_t round, SubjectResult* result) {
  for (const Operation operation : kOperations) {
    if (!subject->Can(operation)) continue;
    const size_t groups_of_probes = std::max<size_t>(plan_.probes / plan_.cold_group, 1);
    std::vector<double> ns;
    for (size_t group = 0; group < plan_.cold_groups; ++group) {
      const size_t begin = (round * plan_.cold_groups + group) % groups_of_probes * plan_.cold_group;
      const size_t end = std::min(begin + plan_.cold_group, plan_.probes);
      eviction_->Evict();
      LoadProbes(probes_[Number(operation)], begin, end);
      ns.push_back(TimedChain(subject, operation, begin, end, result));
    }
    if (!ns.empty()) result->cold_ns[Number(operation)].push_back(Median(ns));
  }
}

void StudyRun::CheckAnswers(Subject* subject, SubjectResult* result) {
  for (const Operation operation : kOperations) {
    if (!subject->Can(operation)) continue;
    const Probes& probes = probes_[Number(operation)];
    for (size_t i = 0; i < probes.size(); ++i) {
      const IndexAnswer answer = subject->Answer(operation, probes[i]);
      if (answer.rank != probes.answer(i)) ++result->wrong;
      if (!answer.bracketed) ++result->unbracketed[Number(operation)];
    }
  }
}

nlohmann::json RoundsJson(const std::vector<double>& rounds) {
  std::vector<double> sorted = rounds;
  std::sort(sorted.begin(), sorted.end());
  return {{"rounds", rounds},
          {"quartiles", {Quantile(sorted, 0.25), Quantile(sorted, 0.5), Quantile(sorted, 0.75)}}};
}

nlohmann::json ResultJson(const SubjectResult& result, const StudyPlan& plan, bool learned) {
  nlohmann::json json = {{"wrong", result.wrong}, {"build_ns_per_key", RoundsJson(result.build_ns)}};
  for (const Operation operation : kOperations) {
    const size_t number = Number(operation);
    const char* const name = OperationName(operation);
    if (!result.warm_ns[number].empty()) json["ns"][name]["warm"] = RoundsJson(result.warm_ns[number]);
    if (!result.cold_ns[number].empty()) json["ns"][name]["cold"] = RoundsJson(result.cold_ns[number]);
    if (learned && plan.probes > 0) {
      json["fallback_share"][name] =
          static_cast<double>(result.unbracketed[number]) / static_cast<double>(plan.probes);
    }
  }
  return json;
}

}  // namespace seerdb::bench
