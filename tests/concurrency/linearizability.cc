#include "tests/concurrency/linearizability.h"

#include <algorithm>
#include <array>
#include <set>

namespace seerdb::testing {
namespace {

struct Candidate {
  std::array<uint64_t, kHistoryKeys> values = {};
  uint32_t done = 0;  // threads whose present operation has taken effect
  auto operator<=>(const Candidate&) const = default;
};

struct Event {
  uint64_t time;
  const HistoryOperation* operation;
  bool is_return;
};

std::vector<Event> EventsOf(const History& history) {
  std::vector<Event> events;
  for (const HistoryOperation& operation : history) {
    events.push_back({operation.invoked, &operation, false});
    events.push_back({operation.returned, &operation, true});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
  return events;
}

bool Matches(const Candidate& candidate, const HistoryOperation& operation) {
  return std::all_of(operation.reads.begin(), operation.reads.end(),
                     [&](const auto& read) { return candidate.values[read.first] == read.second; });
}

std::string Words(const HistoryOperation& operation) {
  std::string out = "[" + std::to_string(operation.invoked) + ", " + std::to_string(operation.returned) +
                    "] thread " + std::to_string(operation.thread);
  const auto value = [](uint64_t v) { return v == kAbsent ? std::string("absent") : std::to_string(v); };
  for (const auto& [key, found] : operation.reads)
    out += " read k" + std::to_string(key) + "=" + value(found);
  for (const auto& [key, made] : operation.writes)
    out += " wrote k" + std::to_string(key) + "=" + value(made);
  return out;
}

std::string Explain(const History& history, const HistoryOperation& failed) {
  constexpr uint64_t kAround = 40;
  std::string out = "no order explains\n  " + Words(failed) + "\namong";
  for (const HistoryOperation& operation : history) {
    if (operation.returned + kAround < failed.invoked || operation.invoked > failed.returned) continue;
    if (&operation != &failed) out += "\n  " + Words(operation);
  }
  return out;
}

class Search {
 public:
  Search() : candidates_{Candidate{}} {}

  void Invoke(const HistoryOperation& operation) { pending_[operation.thread] = &operation; }

  // Keeps the candidates in which `operation` has taken effect. False if there is none.
  bool Return(const HistoryOperation& operation) {
    const uint32_t bit = uint32_t{1} << operation.thread;
    std::set<Candidate> left, seen = candidates_;
    std::vector<Candidate> open(candidates_.begin(), candidates_.end());
    while (!open.empty()) {
      Candidate candidate = open.back();
      open.pop_back();
      if ((candidate.done & bit) != 0) {
        candidate.done &= ~bit;
        left.insert(candidate);
        continue;
      }
      for (size_t thread = 0; thread < kHistoryThreads; ++thread) {
        const HistoryOperation* const next = pending_[thread];
        if (next == nullptr || (candidate.done >> thread & 1) != 0 || !Matches(candidate, *next)) continue;
        Candidate after = candidate;
        after.done |= uint32_t{1} << thread;
        for (const auto& [key, value] : next->writes) after.values[key] = value;
        if (seen.insert(after).second) open.push_back(after);
      }
    }
    pending_[operation.thread] = nullptr;
    candidates_ = std::move(left);
    return !candidates_.empty();
  }

 private:
  std::array<const HistoryOperation*, kHistoryThreads> pending_ = {};
  std::set<Candidate> candidates_;
};

}  // namespace

std::string CheckLinearizable(const History& history) {
  Search search;
  for (const Event& event : EventsOf(history)) {
    if (!event.is_return) {
      search.Invoke(*event.operation);
    } else if (!search.Return(*event.operation)) {
      return Explain(history, *event.operation);
    }
  }
  return "";
}

}  // namespace seerdb::testing
