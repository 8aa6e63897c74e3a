#include "compaction/value_gc.h"

#include <algorithm>
#include <vector>

namespace seerdb {
namespace {

// Where space is short, to empty a segment with less garbage than this would cost too much.
constexpr double kLeastGarbage = 1.0 / 16;

struct Candidate {
  uint64_t segment = 0;
  uint64_t bytes = 0;
  uint64_t live_bytes = 0;

  uint64_t garbage_bytes() const { return bytes - live_bytes; }
  double garbage() const {
    return bytes == 0 ? 1 : static_cast<double>(garbage_bytes()) / static_cast<double>(bytes);
  }
};

// Every segment into which something points.
std::vector<Candidate> CandidatesOf(const ValueGcFacts& facts, ValueGcPlan* plan) {
  std::vector<Candidate> candidates;
  if (facts.live == nullptr) return candidates;
  auto live = facts.live->begin();
  for (const ValueBytes& file : facts.files) {
    while (live != facts.live->end() && live->segment < file.segment) ++live;
    const bool listed = live != facts.live->end() && live->segment == file.segment;
    if (!listed) continue;  // it goes by itself, or is not in any table yet
    // A header is no garbage: values that are moved get another one, and that for ever where they are few.
    const uint64_t bytes = file.bytes - std::min(file.bytes, kValueSegmentHeaderBytes);
    const Candidate candidate{file.segment, bytes, std::min(bytes, live->bytes)};
    plan->total_bytes += candidate.bytes;
    plan->total_garbage_bytes += candidate.garbage_bytes();
    if (!facts.excluded.contains(file.segment)) candidates.push_back(candidate);
  }
  return candidates;
}

}  // namespace

ValueGcPlan PlanValueGc(const ValueGcFacts& facts) {
  ValueGcPlan plan;
  std::vector<Candidate> candidates = CandidatesOf(facts, &plan);
  for (const Candidate& candidate : candidates) {
    if (candidate.bytes < facts.small_bytes) plan.small.emplace(candidate.segment, candidate.live_bytes);
  }
  double least = facts.least_garbage;
  if (facts.limited && plan.total_bytes > 0) {
    const double average =
        static_cast<double>(plan.total_garbage_bytes) / static_cast<double>(plan.total_bytes);
    least = std::min(least, std::max(average, kLeastGarbage));
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.garbage() > b.garbage(); });
  for (const Candidate& candidate : candidates) {
    if (candidate.garbage() < least) break;
    if (!plan.segments.empty() && plan.live_bytes + candidate.live_bytes > facts.most_moved_bytes) break;
    plan.segments.insert(candidate.segment);
    plan.garbage_bytes += candidate.garbage_bytes();
    plan.live_bytes += candidate.live_bytes;
  }
  return plan;
}

uint64_t BytesIn(const ValueBytesList& list, const std::set<uint64_t>& segments) {
  uint64_t sum = 0;
  for (const ValueBytes& values : list) {
    if (segments.contains(values.segment)) sum += values.bytes;
  }
  return sum;
}

}  // namespace seerdb
