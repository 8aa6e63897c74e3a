// FeatureTable: which features of the data model have met on the same key, with what between them.
//
// Thread safety: external synchronization.
#pragma once

#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace seerdb::testing {

enum Feature {
  kKeyspaces,
  kMerges,
  kExpiry,
  kBatches,
  kBulkLoads,
  kFilters,
  kSnapshots,
  kSkipLimits,
  kRanges,
  kLargeValues,
  kTransactions,
  kFeatures
};
inline constexpr const char* kFeatureNames[kFeatures] = {"keyspace", "merge",  "expiry",   "batch",
                                                         "bulkload", "filter", "snapshot", "skiplimit",
                                                         "range",    "large",  "txn"};
enum Event { kFlushed, kCompacted, kReopened, kEvents };

class FeatureTable {
 public:
  struct Cell {
    uint64_t operations = 0;                  // with any of the events between
    std::array<uint64_t, kEvents> between{};  // with this one
  };

  void Note(Event event) { ++counts_[event]; }
  // An operation with `features` on `key`.
  void Note(const std::vector<Feature>& features, const std::string& key) {
    auto& seen = keys_[key];
    for (const Feature feature : features) {
      for (int earlier = 0; earlier < kFeatures; ++earlier) {
        if (seen[earlier].seen) Count(seen[earlier].counts, &cells_[earlier][feature]);
      }
    }
    for (const Feature feature : features) seen[feature] = {true, counts_};
  }
  const Cell& cell(int earlier, int later) const { return cells_[earlier][later]; }

  void Add(const FeatureTable& other) {
    for (int i = 0; i < kFeatures; ++i) {
      for (int j = 0; j < kFeatures; ++j) {
        cells_[i][j].operations += other.cells_[i][j].operations;
        for (int e = 0; e < kEvents; ++e) cells_[i][j].between[e] += other.cells_[i][j].between[e];
      }
    }
  }
  void Print() const {
    std::printf(
        "[ FEATURES ] operations on keys that the feature on the left has met before a flush, compaction "
        "or reopen\n[ FEATURES ] %10s",
        "");
    for (const char* name : kFeatureNames) std::printf(" %10s", name);
    for (int i = 0; i < kFeatures; ++i) {
      std::printf("\n[ FEATURES ] %10s", kFeatureNames[i]);
      for (int j = 0; j < kFeatures; ++j) std::printf(" %10" PRIu64, cells_[i][j].operations);
    }
    std::printf("\n");
  }

 private:
  using Counts = std::array<uint64_t, kEvents>;
  struct Seen {
    bool seen = false;
    Counts counts{};
  };
  void Count(const Counts& then, Cell* cell) const {
    bool any = false;
    for (int event = 0; event < kEvents; ++event) {
      if (then[event] == counts_[event]) continue;
      ++cell->between[event];
      any = true;
    }
    if (any) ++cell->operations;
  }

  Counts counts_{};
  std::map<std::string, std::array<Seen, kFeatures>> keys_;
  Cell cells_[kFeatures][kFeatures];
};

}  // namespace seerdb::testing
