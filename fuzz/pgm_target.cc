#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/input.h"
#include "fuzz/rank_models.h"
#include "fuzz/targets.h"
#include "learned/pgm_codec.h"
#include "learned/pgm_model.h"

namespace seerdb::fuzz {
namespace {

// A model that was decoded encodes to the same bytes, takes little memory, and predicts within its ranks.
void DecodePgm(Slice bytes) {
  const auto model = DecodePgmModel(bytes);
  if (!model.ok()) return;
  std::string again;
  AppendPgmModel(*model, &again);
  SEERDB_ASSERT(again == bytes);
  SEERDB_ASSERT(model->memory_bytes() <= 8 * bytes.size());
  if (model->empty()) return;
  CheckRanges(*model);
  for (size_t level = 0; level < model->level_count(); ++level) {
    for (const PlaSegment& segment : model->SegmentsOf(level)) {
      CheckRangesAround(*model, segment.first_window);
    }
  }
}

// Searching windows gives the right rank with a model of them, and with any other.
void SearchPgm(Input* input) {
  const uint32_t epsilon = input->Byte() % 8;
  const uint32_t inner_epsilon = input->Byte() % 8;
  const std::vector<uint64_t> windows = DrawWindows(input);
  if (windows.empty()) return;
  PgmBuilder builder(epsilon, inner_epsilon);
  for (const uint64_t window : windows) builder.Add(window);
  const PgmModel built = builder.Finish();
  std::string encoded;
  AppendPgmModel(built, &encoded);
  const auto decoded = DecodePgmModel(encoded);
  SEERDB_ASSERT(decoded.ok());
  CheckSearch(windows, *decoded, &built);
  const auto other = DecodePgmModel(input->Rest());
  CheckSearch(windows, built, other.ok() ? &*other : nullptr);
}

}  // namespace

// Byte 0 chooses: an encoded model, or windows to search.
void FuzzPgm(Slice bytes) {
  Input input(bytes);
  if (input.Byte() % 2 == 0) return DecodePgm(input.Rest());
  SearchPgm(&input);
}

}  // namespace seerdb::fuzz
