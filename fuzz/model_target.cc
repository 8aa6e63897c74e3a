#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/input.h"
#include "fuzz/rank_models.h"
#include "fuzz/targets.h"
#include "learned/key_projection.h"
#include "learned/model_codec.h"
#include "learned/pla_builder.h"

namespace seerdb::fuzz {
namespace {

// A model that was decoded encodes to the same bytes, and predicts within its ranks.
void DecodeModel(Slice bytes) {
  const auto model = DecodePlaModel(bytes);
  if (!model.ok()) return;
  std::string again;
  AppendPlaModel(*model, &again);
  SEERDB_ASSERT(again == bytes);
  SEERDB_ASSERT(model->memory_bytes() <= 2 * bytes.size());
  if (model->empty()) return;
  CheckRanges(*model);
  for (const PlaSegment& segment : model->segments()) CheckRangesAround(*model, segment.first_window);
}

// Searching windows gives the right rank with a model of them, and with any other.
void SearchModel(Input* input) {
  const uint32_t epsilon = input->Byte() % 8;
  const std::vector<uint64_t> windows = DrawWindows(input);
  if (windows.empty()) return;
  PlaBuilder builder(epsilon);
  for (const uint64_t w : windows) builder.Add(w);
  const PlaModel built = builder.Finish();
  std::string encoded;
  AppendPlaModel(built, &encoded);
  SEERDB_ASSERT(DecodePlaModel(encoded).ok());
  const auto other = DecodePlaModel(input->Rest());
  CheckSearch(windows, built, other.ok() ? &*other : nullptr);
}

// Suffixes of digits come back from their windows, and nothing else is taken for digits.
void Windows(Input* input) {
  for (const auto kind :
       {KeyProjection::Kind::kBytes, KeyProjection::Kind::kDecimal, KeyProjection::Kind::kHex}) {
    const Slice key = input->Bytes(input->Byte() % 24);
    const Slice other = input->Bytes(input->Byte() % 24);
    const KeyProjection projection(Slice(), kind);
    const uint64_t window = projection.WindowWithin(key);
    if (key <= other) SEERDB_ASSERT(window <= projection.WindowWithin(other));
    const size_t bytes = std::min(key.size(), KeyProjection::WindowBytes(kind));
    uint64_t digits = 0;
    if (kind != KeyProjection::Kind::kBytes && !KeyProjection::LoadDigits(kind, key, 0, &digits)) continue;
    SEERDB_ASSERT(KeyProjection::IsWindowOf(kind, window, bytes));
    char told[24];
    KeyProjection::SuffixOfWindow(kind, window, bytes, told);
    SEERDB_ASSERT(Slice(told, bytes) == key.substr(0, bytes));
  }
}

}  // namespace

// Byte 0 chooses: an encoded model, windows to search, or windows of keys.
void FuzzModel(Slice bytes) {
  Input input(bytes);
  switch (input.Byte() % 4) {
    case 0:
    case 2:
      return DecodeModel(input.Rest());
    case 1:
      return SearchModel(&input);
    default:
      return Windows(&input);
  }
}

}  // namespace seerdb::fuzz
