#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/input.h"
#include "fuzz/rank_models.h"
#include "fuzz/targets.h"
#include "learned/radix_spline.h"
#include "learned/radix_spline_codec.h"

namespace seerdb::fuzz {
namespace {

// A model that was decoded encodes to the same bytes, takes little memory, and predicts within its ranks.
void DecodeSpline(Slice bytes) {
  const auto model = DecodeRadixSpline(bytes);
  if (!model.ok()) return;
  std::string again;
  AppendRadixSpline(*model, &again);
  SEERDB_ASSERT(again == bytes);
  SEERDB_ASSERT(model->memory_bytes() <= 8 * bytes.size());
  if (model->empty()) return;
  CheckRanges(*model);
  for (size_t i = 0; i < model->knot_count(); ++i) CheckRangesAround(*model, model->Knot(i).window);
}

// Searching windows gives the right rank with a model of them, and with any other.
void SearchSpline(Input* input) {
  const uint32_t epsilon = input->Byte() % 8;
  const uint32_t radix_bits = input->Byte() % 16;
  const std::vector<uint64_t> windows = DrawWindows(input);
  if (windows.empty()) return;
  RadixSplineBuilder builder(epsilon, radix_bits);
  for (const uint64_t window : windows) builder.Add(window);
  const RadixSpline built = builder.Finish();
  std::string encoded;
  AppendRadixSpline(built, &encoded);
  const auto decoded = DecodeRadixSpline(encoded);
  SEERDB_ASSERT(decoded.ok());
  CheckSearch(windows, *decoded, &built);
  const auto other = DecodeRadixSpline(input->Rest());
  CheckSearch(windows, built, other.ok() ? &*other : nullptr);
}

}  // namespace

// Byte 0 chooses: an encoded model, or windows to search.
void FuzzSpline(Slice bytes) {
  Input input(bytes);
  if (input.Byte() % 2 == 0) return DecodeSpline(input.Rest());
  SearchSpline(&input);
}

}  // namespace seerdb::fuzz
