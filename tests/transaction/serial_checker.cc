#include "tests/transaction/serial_checker.h"

#include <algorithm>
#include <utility>

namespace seerdb::testing {
namespace {

constexpr size_t kNobody = SIZE_MAX;  // wrote the versions that were there first

class Graph {
 public:
  explicit Graph(size_t nodes) : next_(nodes) {}
  void Add(size_t from, size_t to) {
    if (from == kNobody || to == kNobody || from == to) return;
    next_[from].push_back(to);
    ++edges_;
  }
  uint64_t edges() const { return edges_; }

  // Depth first, without recursion: the path from the root holds the cycle when it meets itself.
  std::vector<size_t> FindCycle() const {
    enum State : char { kNew, kOnPath, kDone };
    std::vector<State> states(next_.size(), kNew);
    std::vector<std::pair<size_t, size_t>> path;  // node, next edge to follow
    for (size_t root = 0; root < next_.size(); ++root) {
      if (states[root] != kNew) continue;
      path.emplace_back(root, 0);
      states[root] = kOnPath;
      while (!path.empty()) {
        auto& [node, edge] = path.back();
        if (edge == next_[node].size()) {
          states[node] = kDone;
          path.pop_back();
          continue;
        }
        const size_t to = next_[node][edge++];
        if (states[to] == kOnPath) return Cycle(path, to);
        if (states[to] == kDone) continue;
        states[to] = kOnPath;
        path.emplace_back(to, 0);
      }
    }
    return {};
  }

 private:
  static std::vector<size_t> Cycle(const std::vector<std::pair<size_t, size_t>>& path, size_t begin) {
    std::vector<size_t> cycle;
    auto it = path.begin();
    while (it->first != begin) ++it;
    for (; it != path.end(); ++it) cycle.push_back(it->first);
    return cycle;
  }

  std::vector<std::vector<size_t>> next_;
  uint64_t edges_ = 0;
};

struct Written {
  uint64_t sequence = 0;
  Version version = 0;
  size_t by = kNobody;
};

std::string Name(KeyId key, Version version) {
  return "version " + std::to_string(version) + " of key " + std::to_string(key);
}

}  // namespace

SerialVerdict CheckSerial(const std::vector<CheckedTransaction>& transactions) {
  SerialVerdict verdict;
  std::map<KeyId, std::vector<Written>> keys;
  for (size_t i = 0; i < transactions.size(); ++i) {
    for (const auto& write : transactions[i].writes) {
      keys[write.key].push_back({transactions[i].sequence, write.version, i});
    }
    for (const auto& read : transactions[i].reads) keys[read.key];
  }
  Graph graph(transactions.size());
  // For each key, where each version stands in its order.
  std::map<KeyId, std::map<Version, size_t>> positions;
  for (auto& [key, versions] : keys) {
    versions.push_back({});
    std::sort(versions.begin(), versions.end(),
              [](const Written& a, const Written& b) { return a.sequence < b.sequence; });
    for (size_t i = 0; i < versions.size(); ++i) {
      if (!positions[key].emplace(versions[i].version, i).second) {
        verdict.malformed = Name(key, versions[i].version) + " was written twice";
        return verdict;
      }
      if (i > 0) graph.Add(versions[i - 1].by, versions[i].by);
    }
  }
  for (size_t i = 0; i < transactions.size(); ++i) {
    for (const auto& read : transactions[i].reads) {
      const auto& order = positions[read.key];
      const auto found = order.find(read.version);
      if (found == order.end()) {
        verdict.malformed = Name(read.key, read.version) + " was read, and nobody wrote it";
        return verdict;
      }
      const std::vector<Written>& versions = keys[read.key];
      const size_t at = found->second;
      graph.Add(versions[at].by, i);
      if (at + 1 < versions.size()) graph.Add(i, versions[at + 1].by);
    }
  }
  verdict.edges = graph.edges();
  verdict.cycle = graph.FindCycle();
  return verdict;
}

}  // namespace seerdb::testing
