#include "learned/model_kind.h"

namespace seerdb {

const char* ModelKindName(ModelKind kind) {
  switch (kind) {
    case ModelKind::kNone:
      return "none";
    case ModelKind::kPla:
      return "pla";
    case ModelKind::kPgm:
      return "pgm";
    case ModelKind::kRadixSpline:
      return "radix_spline";
    case ModelKind::kAlex:
      return "alex";
  }
  return "unknown";
}

ModelKind BlockModelOf(IndexKind kind) {
  switch (kind) {
    case IndexKind::kAuto:
    case IndexKind::kTag:
      return ModelKind::kPla;
    case IndexKind::kPgm:
      return ModelKind::kPgm;
    case IndexKind::kRadixSpline:
      return ModelKind::kRadixSpline;
    case IndexKind::kAlex:
      return ModelKind::kAlex;
    case IndexKind::kBinary:
      return ModelKind::kNone;
  }
  return ModelKind::kPla;
}

}  // namespace seerdb
