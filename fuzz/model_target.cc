#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "learned/bracket_search.h"
#include "learned/key_projection.h"
#include "learned/model_codec.h"
#include "learned/pla_builder.h"

namespace seerdb::fuzz {
namespace {

void CheckRange(const PlaModel& model, uint64_t window) {
  const ApproxRange range = model.Find(window);
  SEERDB_ASSERT(range.lo <= range.pos && range.pos <= range.hi && range.hi <= model.ranks());
}

// A model that was decoded encodes to the same bytes, and predicts within its ranks.
void Decode(Slice bytes) {
  const auto model = DecodePlaModel(bytes);
  if (!model.ok()) return;
  std::string again;
  AppendPlaModel(*model, &again);
  SEERDB_ASSERT(again == bytes);
  SEERDB_ASSERT(model->memory_bytes() <= 2 * bytes.size());
  if (model->empty()) return;
  uint64_t window = 1;
  for (int i = 0; i < 64; ++i) {
    CheckRange(*model, window);
    window = window * 6364136223846793005u + 1442695040888963407u;
  }
  for (const PlaSegment& segment : model->segments()) {
    for (const uint64_t step : {0, 1, 100}) {
      CheckRange(*model, segment.first_window + step);
      CheckRange(*model, segment.first_window - step);
    }
  }
  CheckRange(*model, UINT64_MAX);
}

// Searching windows gives the right rank with a model of them, and with any other.
void Search(Input* input) {
  const uint32_t epsilon = input->Byte() % 8;
  std::vector<uint64_t> windows;
  uint64_t window = 0;
  const size_t own = input->Byte();
  for (size_t i = 0; i < own && !input->empty(); ++i) {
    const uint16_t step = input->Word();
    window += uint64_t{step} << (step % 32);
    windows.push_back(window);
  }
  if (windows.empty()) return;
  std::sort(windows.begin(), windows.end());
  PlaBuilder builder(epsilon);
  for (const uint64_t w : windows) builder.Add(w);
  const PlaModel built = builder.Finish();
  std::string encoded;
  AppendPlaModel(built, &encoded);
  SEERDB_ASSERT(DecodePlaModel(encoded).ok());
  const auto other = DecodePlaModel(input->Rest());
  for (const uint64_t center : windows) {
    for (const uint64_t probe : {center - 1, center, center + 1}) {
      const auto rank =
          static_cast<size_t>(std::lower_bound(windows.begin(), windows.end(), probe) - windows.begin());
      const ApproxRange range = built.Find(probe);
      SEERDB_ASSERT(range.lo <= rank && rank <= range.hi);
      const auto search = [&](const PlaModel& model) {
        return BracketSearch(
            model, windows.size(), probe, [&](size_t i) { return windows[i]; }, [](size_t) { return false; });
      };
      SEERDB_ASSERT(search(built).rank == rank && search(built).bracketed);
      if (other.ok()) SEERDB_ASSERT(search(*other).rank == rank);
    }
  }
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
      return Decode(input.Rest());
    case 1:
      return Search(&input);
    default:
      return Windows(&input);
  }
}

}  // namespace seerdb::fuzz
