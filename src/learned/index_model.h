// IndexModel: the model that an index was built with, whichever kind it is.
//
// To those who search it is one RankModel; which kind it is, is decided once, when it is built or read from a
// file. Thread safety: immutable, freely shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "learned/alex_model.h"
#include "learned/model_kind.h"
#include "learned/pgm_model.h"
#include "learned/pla_model.h"
#include "learned/radix_spline.h"
#include "learned/rank_model.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

class IndexModel {
 public:
  // None: empty.
  IndexModel() = default;
  // By design off by `epsilon` ranks; an ALEX tree is exact. Requires: windows ascend; fewer than 2^32 - 1.
  static IndexModel Fit(ModelKind kind, uint32_t epsilon, std::span<const uint64_t> windows);

  // What Decode reads. Of ALEX the tree is not stored, only of how many windows it is.
  void AppendTo(std::string* out) const;
  // `windows`, which ascend, are those that an ALEX tree is made of; the others do without. kCorruption for
  // anything AppendTo does not write. Requires: kind is not kNone.
  static Result<IndexModel> Decode(ModelKind kind, Slice bytes, std::span<const uint64_t> windows);

 private:
  // No model, as one.
  struct None {
    bool empty() const { return true; }
    bool IsOf(size_t) const { return false; }
    uint32_t ranks() const { return 0; }
    uint32_t max_error() const { return 0; }
    size_t memory_bytes() const { return 0; }
    ApproxRange Find(uint64_t) const { return {}; }
  };
  // In the order of ModelKind.
  using Models = std::variant<None, PlaModel, PgmModel, RadixSpline, AlexModel>;

  template <typename Question>
  auto Ask(const Question& question) const {
    return std::visit(question, model_);
  }

 public:
  ModelKind kind() const { return static_cast<ModelKind>(model_.index()); }
  bool empty() const {
    return Ask([](const auto& model) { return model.empty(); });
  }
  bool IsOf(size_t count) const {
    if (const PlaModel* pla = std::get_if<PlaModel>(&model_)) [[likely]]
      return pla->IsOf(count);
    return Ask([count](const auto& model) { return model.IsOf(count); });
  }
  uint32_t ranks() const {
    return Ask([](const auto& model) { return model.ranks(); });
  }
  uint32_t max_error() const {
    return Ask([](const auto& model) { return model.max_error(); });
  }
  size_t memory_bytes() const {
    return Ask([](const auto& model) { return model.memory_bytes(); });
  }
  // Segments or knots: what is stored of it. 0 of an ALEX tree, which is made anew of its windows.
  size_t pieces() const;

  // Requires: !empty().
  ApproxRange Find(uint64_t window) const {
    if (const PlaModel* pla = std::get_if<PlaModel>(&model_)) [[likely]]
      return pla->Find(window);
    return FindOther(window);
  }

 private:
  explicit IndexModel(Models model) : model_(std::move(model)) {}
  ApproxRange FindOther(uint64_t window) const;

  Models model_;
};

}  // namespace seerdb
