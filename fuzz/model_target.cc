#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "learned/bracket_search.h"
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

}  // namespace

// Byte 0 chooses: an encoded model, or windows to search.
void FuzzModel(Slice bytes) {
  Input input(bytes);
  if (input.Byte() % 2 == 0) {
    Decode(input.Rest());
  } else {
    Search(&input);
  }
}

}  // namespace seerdb::fuzz
