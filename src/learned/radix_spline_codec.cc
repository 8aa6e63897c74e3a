#include "learned/radix_spline_codec.h"

#include <vector>

#include "base/coding.h"

namespace seerdb {
namespace {

constexpr size_t kHeaderBytes = 16;
constexpr size_t kKnotBytes = 12;

Status Bad(const char* what) { return Status::Corruption(std::string("spline: ") + what); }

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
  if (bytes.size() < kHeaderBytes) return Bad("shorter than its header");
  const size_t count = LoadU32(bytes.data());
  const uint32_t ranks = LoadU32(bytes.data() + 4);
  const uint32_t max_error = LoadU32(bytes.data() + 8);
  const uint32_t radix_bits = LoadU32(bytes.data() + 12);
  if (bytes.size() - kHeaderBytes != count * kKnotBytes) return Bad("size does not fit its knots");
  // A rank has at most two points: its window, and what lies behind the run before it.
  if (ranks == UINT32_MAX || count > 2 * size_t{ranks}) return Bad("number of knots out of range");
  if (max_error > ranks) return Bad("error exceeds the number of ranks");
  if (count == 0) {
    if (ranks != 0 || radix_bits != 0) return Bad("no knots");
    return RadixSpline();
  }
  if (radix_bits == 0 || radix_bits > RadixSpline::MaxRadixBits(count)) return Bad("radix bits out of range");
  const char* windows = bytes.data() + kHeaderBytes;
  const char* knot_ranks = windows + count * sizeof(uint64_t);
  std::vector<RankPoint> knots(count);
  for (size_t i = 0; i < count; ++i) {
    knots[i] = {LoadU64(windows + i * sizeof(uint64_t)), LoadU32(knot_ranks + i * sizeof(uint32_t))};
    if (i == 0) continue;
    if (knots[i].window <= knots[i - 1].window) return Bad("windows do not ascend");
    if (knots[i].rank < knots[i - 1].rank) return Bad("ranks do not ascend");
  }
  if (knots[0].rank != 0 || knots.back().rank > ranks) return Bad("rank out of range");
  return RadixSpline(knots, ranks, max_error, radix_bits);
}

}  // namespace seerdb
