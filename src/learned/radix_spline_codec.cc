#include "learned/radix_spline_codec.h"

#include <vector>

#include "base/coding.h"

namespace seerdb {
namespace {

constexpr size_t kSplineHeaderBytes = 16;
constexpr size_t kKnotBytes = 12;

Status BadSpline(const char* what) { return Status::Corruption(std::string("spline: ") + what); }

}  // namespace

void AppendRadixSpline(const RadixSpline& model, std::string* out) {
  AppendU32(out, static_cast<uint32_t>(model.knot_count()));
  AppendU32(out, model.ranks());
  AppendU32(out, model.max_error());
  AppendU32(out, model.radix_bits());
  for (size_t i = 0; i < model.knot_count(); ++i) AppendU64(out, model.Knot(i).window);
  for (size_t i = 0; i < model.knot_count(); ++i) AppendU32(out, model.Knot(i).rank);
}

Result<RadixSpline> DecodeRadixSpline(Slice bytes) {
  if (bytes.size() < kSplineHeaderBytes) return BadSpline("shorter than its header");
  const size_t count = LoadU32(bytes.data());
  const uint32_t ranks = LoadU32(bytes.data() + 4);
  const uint32_t max_error = LoadU32(bytes.data() + 8);
  const uint32_t radix_bits = LoadU32(bytes.data() + 12);
  if (bytes.size() - kSplineHeaderBytes != count * kKnotBytes)
    return BadSpline("size does not fit its knots");
  // A rank has at most two points: its window, and what lies behind the run before it.
  if (ranks == UINT32_MAX || count > 2 * size_t{ranks}) return BadSpline("number of knots out of range");
  if (max_error > ranks) return BadSpline("error exceeds the number of ranks");
  if (count == 0) {
    if (ranks != 0 || radix_bits != 0) return BadSpline("no knots");
    return RadixSpline();
  }
  if (radix_bits == 0 || radix_bits > RadixSpline::MaxRadixBits(count))
    return BadSpline("radix bits out of range");
  const char* windows = bytes.data() + kSplineHeaderBytes;
  const char* knot_ranks = windows + count * sizeof(uint64_t);
  std::vector<RankPoint> knots(count);
  for (size_t i = 0; i < count; ++i) {
    knots[i] = {LoadU64(windows + i * sizeof(uint64_t)), LoadU32(knot_ranks + i * sizeof(uint32_t))};
    if (i == 0) continue;
    if (knots[i].window <= knots[i - 1].window) return BadSpline("windows do not ascend");
    if (knots[i].rank < knots[i - 1].rank) return BadSpline("ranks do not ascend");
  }
  if (knots[0].rank != 0 || knots.back().rank > ranks) return BadSpline("rank out of range");
  return RadixSpline(knots, ranks, max_error, radix_bits);
}

}  // namespace seerdb
