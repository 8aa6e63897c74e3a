#include "learned/index_model.h"

#include "base/coding.h"
#include "base/status_macros.h"
#include "learned/model_codec.h"
#include "learned/pgm_codec.h"
#include "learned/pla_builder.h"
#include "learned/radix_spline_codec.h"

namespace seerdb {
namespace {

template <typename Builder>
auto Built(uint32_t epsilon, std::span<const uint64_t> windows) {
  Builder builder(epsilon);
  for (const uint64_t window : windows) builder.Add(window);
  return builder.Finish();
}

Result<AlexModel> DecodeAlex(Slice bytes, std::span<const uint64_t> windows) {
  const bool possible = !windows.empty() && windows.size() < UINT32_MAX;
  if (!possible || bytes.size() != sizeof(uint32_t) || LoadU32(bytes.data()) != windows.size()) {
    return Status::Corruption("ALEX model: not of the windows that it lies beside");
  }
  return AlexModel::Build(windows);
}

}  // namespace

IndexModel IndexModel::Fit(ModelKind kind, uint32_t epsilon, std::span<const uint64_t> windows) {
  switch (kind) {
    case ModelKind::kNone:
      break;
    case ModelKind::kPla:
      return IndexModel(Built<PlaBuilder>(epsilon, windows));
    case ModelKind::kPgm:
      return IndexModel(Built<PgmBuilder>(epsilon, windows));
    case ModelKind::kRadixSpline:
      return IndexModel(Built<RadixSplineBuilder>(epsilon, windows));
    case ModelKind::kAlex:
      return IndexModel(AlexModel::Build(windows));
  }
  return {};
}

void IndexModel::AppendTo(std::string* out) const {
  switch (kind()) {
    case ModelKind::kNone:
      break;
    case ModelKind::kPla:
      return AppendPlaModel(std::get<PlaModel>(model_), out);
    case ModelKind::kPgm:
      return AppendPgmModel(std::get<PgmModel>(model_), out);
    case ModelKind::kRadixSpline:
      return AppendRadixSpline(std::get<RadixSpline>(model_), out);
    case ModelKind::kAlex:
      return AppendU32(out, ranks());
  }
}

Result<IndexModel> IndexModel::Decode(ModelKind kind, Slice bytes, std::span<const uint64_t> windows) {
  switch (kind) {
    case ModelKind::kPla: {
      SEERDB_ASSIGN_OR_RETURN(PlaModel model, DecodePlaModel(bytes));
      return IndexModel(std::move(model));
    }
    case ModelKind::kPgm: {
      SEERDB_ASSIGN_OR_RETURN(PgmModel model, DecodePgmModel(bytes));
      return IndexModel(std::move(model));
    }
    case ModelKind::kRadixSpline: {
      SEERDB_ASSIGN_OR_RETURN(RadixSpline model, DecodeRadixSpline(bytes));
      return IndexModel(std::move(model));
    }
    case ModelKind::kAlex: {
      SEERDB_ASSIGN_OR_RETURN(AlexModel model, DecodeAlex(bytes, windows));
      return IndexModel(std::move(model));
    }
    case ModelKind::kNone:
      break;
  }
  return IndexModel();
}

size_t IndexModel::pieces() const {
  switch (kind()) {
    case ModelKind::kNone:
    case ModelKind::kAlex:
      break;
    case ModelKind::kPla:
      return std::get<PlaModel>(model_).segments().size();
    case ModelKind::kPgm: {
      const PgmModel& pgm = std::get<PgmModel>(model_);
      size_t segments = 0;
      for (size_t level = 0; level < pgm.level_count(); ++level) segments += pgm.SegmentsOf(level).size();
      return segments;
    }
    case ModelKind::kRadixSpline:
      return std::get<RadixSpline>(model_).knot_count();
  }
  return 0;
}

ApproxRange IndexModel::FindOther(uint64_t window) const {
  return Ask([window](const auto& model) { return model.Find(window); });
}

}  // namespace seerdb
