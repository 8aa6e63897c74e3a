#include "study_kinds.h"

#include "btree_fences.h"
#include "learned/alex_model.h"
#include "learned/optimal_pla.h"
#include "learned/pgm_model.h"
#include "learned/pla_builder.h"
#include "learned/radix_spline.h"
#include "study_indexes.h"

namespace seerdb::bench {
namespace {

// A kind is one struct here, and one line in AddAll.
// A builder's model of the windows.
template <typename Builder, uint32_t kEpsilon>
struct Fitted {
  static constexpr bool kLearned = true;
  static auto Build(std::span<const uint64_t> windows) {
    Builder builder(kEpsilon);
    for (const uint64_t window : windows) builder.Add(window);
    return builder.Finish();
  }
};
template <uint32_t kEpsilon>
struct GreedyPla : Fitted<PlaBuilder, kEpsilon> {
  static std::string Name() { return "greedy PLA " + std::to_string(kEpsilon); }
};
template <uint32_t kEpsilon>
struct OptimalPla : Fitted<OptimalPlaBuilder, kEpsilon> {
  static std::string Name() { return "optimal PLA " + std::to_string(kEpsilon); }
};
template <uint32_t kEpsilon>
struct Pgm : Fitted<PgmBuilder, kEpsilon> {
  static std::string Name() { return "PGM " + std::to_string(kEpsilon); }
};
template <uint32_t kEpsilon>
struct Spline : Fitted<RadixSplineBuilder, kEpsilon> {
  static std::string Name() { return "RadixSpline " + std::to_string(kEpsilon); }
};

// Holds the windows themselves, and is exact.
struct Alex {
  static constexpr bool kLearned = true;
  static std::string Name() { return "ALEX"; }
  static AlexModel Build(std::span<const uint64_t> windows) { return AlexModel::Build(windows); }
};

template <uint32_t kSpacing>
struct Btree {
  static constexpr bool kLearned = false;
  static std::string Name() { return "B-tree fences " + std::to_string(kSpacing); }
  static BtreeFences Build(std::span<const uint64_t> windows) { return BtreeFences(windows, kSpacing); }
};

// No model: all of the windows are searched.
struct BinarySearch {
  struct Model {
    bool IsOf(size_t) const { return false; }
    ApproxRange Find(uint64_t) const { return {}; }
    size_t memory_bytes() const { return 0; }
  };
  static constexpr bool kLearned = false;
  static std::string Name() { return "binary search"; }
  static Model Build(std::span<const uint64_t>) { return {}; }
};

class List {
 public:
  explicit List(const SortedKeys* keys) : keys_(keys) {}
  template <typename Index>
  void Add() {
    subjects_.push_back(std::make_unique<IndexSubject<Index>>(keys_));
  }
  template <typename Kind>
  void AddModel() {
    Add<ModelIndex<Kind, WindowsFrom::kKeys>>();
  }
  template <typename Kind>
  void AddModelWithColumn() {
    Add<ModelIndex<Kind, WindowsFrom::kColumn>>();
  }
  std::vector<std::unique_ptr<Subject>> Take() { return std::move(subjects_); }

 private:
  const SortedKeys* const keys_;
  std::vector<std::unique_ptr<Subject>> subjects_;
};

}  // namespace

std::vector<std::unique_ptr<Subject>> MakeIndexSubjects(const SortedKeys* keys) {
  List list(keys);
  list.Add<BinarySearchOnKeys>();
  list.AddModelWithColumn<BinarySearch>();
  list.AddModel<Btree<8>>();
  list.AddModel<Btree<32>>();
  list.Add<HashTable>();
  list.AddModel<GreedyPla<16>>();
  list.AddModel<GreedyPla<32>>();
  list.AddModel<GreedyPla<64>>();
  list.AddModelWithColumn<GreedyPla<16>>();
  list.AddModel<OptimalPla<32>>();
  list.AddModel<Pgm<16>>();
  list.AddModel<Pgm<64>>();
  list.AddModel<Spline<32>>();
  list.AddModel<Alex>();
  return list.Take();
}

}  // namespace seerdb::bench
