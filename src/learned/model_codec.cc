#include "learned/model_codec.h"

#include <utility>
#include <vector>

#include "base/coding.h"

namespace seerdb {
namespace {

constexpr size_t kModelHeaderBytes = 16;

Status BadModel(const char* what) { return Status::Corruption(std::string("model: ") + what); }

}  // namespace

void AppendPlaModel(const PlaModel& model, std::string* out) {
  AppendU32(out, static_cast<uint32_t>(model.segments().size()));
  AppendU32(out, model.ranks());
  AppendU32(out, model.max_error());
  AppendU32(out, 0);
  AppendPlaSegments(model.segments(), out);
}

Result<PlaModel> DecodePlaModel(Slice bytes) {
  if (bytes.size() < kModelHeaderBytes) return BadModel("shorter than its header");
  const uint64_t count = LoadU32(bytes.data());
  const uint32_t ranks = LoadU32(bytes.data() + 4);
  const uint32_t max_error = LoadU32(bytes.data() + 8);
  if (LoadU32(bytes.data() + 12) != 0) return BadModel("reserved field is not zero");
  if (bytes.size() - kModelHeaderBytes != count * kPlaSegmentBytes)
    return BadModel("size does not fit its segments");
  if (max_error > ranks) return BadModel("error exceeds the number of ranks");
  if (count > ranks || (count == 0) != (ranks == 0)) return BadModel("number of segments out of range");
  auto segments = DecodePlaSegments(bytes.substr(kModelHeaderBytes), ranks);
  if (!segments.ok()) return segments.status();
  return PlaModel(*std::move(segments), ranks, max_error);
}

void AppendPlaSegments(std::span<const PlaSegment> segments, std::string* out) {
  for (const PlaSegment& segment : segments) {
    AppendU64(out, segment.first_window);
    AppendU64(out, segment.mantissa);
    AppendU32(out, segment.first_rank);
    AppendU32(out, segment.shift);
  }
}

Result<std::vector<PlaSegment>> DecodePlaSegments(Slice bytes, uint32_t max_rank) {
  std::vector<PlaSegment> segments(bytes.size() / kPlaSegmentBytes);
  const char* p = bytes.data();
  for (size_t i = 0; i < segments.size(); ++i, p += kPlaSegmentBytes) {
    segments[i] = {LoadU64(p), LoadU64(p + 8), LoadU32(p + 16), LoadU32(p + 20)};
    if (segments[i].shift >= 128) return BadModel("shift out of range");
    if (segments[i].first_rank > max_rank) return BadModel("rank out of range");
    if (i == 0) continue;
    if (segments[i].first_window <= segments[i - 1].first_window) return BadModel("windows do not ascend");
    if (segments[i].first_rank < segments[i - 1].first_rank) return BadModel("ranks do not ascend");
  }
  return segments;
}

}  // namespace seerdb
