#include "base/assert.h"
#include "fuzz/targets.h"
#include "learned/model_codec.h"

namespace seerdb::fuzz {

// A model that was decoded encodes to the same bytes, and predicts within its ranks.
void FuzzModel(Slice input) {
  const auto model = DecodePlaModel(input);
  if (!model.ok()) return;
  std::string again;
  AppendPlaModel(*model, &again);
  SEERDB_ASSERT(again == input);
  if (model->empty()) return;
  uint64_t window = 1;
  for (int i = 0; i < 64; ++i) {
    const ApproxRange range = model->Find(window);
    SEERDB_ASSERT(range.lo <= range.pos && range.pos <= range.hi && range.hi <= model->ranks());
    window = window * 6364136223846793005u + 1442695040888963407u;
  }
  for (const PlaSegment& segment : model->segments()) {
    SEERDB_ASSERT(model->Predict(segment.first_window) <= model->ranks());
  }
}

}  // namespace seerdb::fuzz
