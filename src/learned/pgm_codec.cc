#include "learned/pgm_codec.h"

#include <utility>
#include <vector>

#include "base/coding.h"
#include "learned/model_codec.h"

namespace seerdb {
namespace {

// Each level has at most half as many segments as the one below, rounded up.
constexpr uint32_t kMaxLevels = 33;

Status BadPgm(const char* what) { return Status::Corruption(std::string("pgm: ") + what); }

}  // namespace

void AppendPgmModel(const PgmModel& model, std::string* out) {
  AppendU32(out, static_cast<uint32_t>(model.level_count()));
  AppendU32(out, model.ranks());
  for (size_t level = 0; level < model.level_count(); ++level) {
    AppendU32(out, static_cast<uint32_t>(model.SegmentsOf(level).size()));
    AppendU32(out, model.ErrorOf(level));
  }
  for (size_t level = 0; level < model.level_count(); ++level) {
    AppendPlaSegments(model.SegmentsOf(level), out);
  }
}

Result<PgmModel> DecodePgmModel(Slice bytes) {
  Decoder decoder(bytes);
  uint32_t level_count = 0;
  uint32_t ranks = 0;
  if (!decoder.ReadU32(&level_count) || !decoder.ReadU32(&ranks)) return BadPgm("shorter than its header");
  if (level_count > kMaxLevels || (level_count == 0) != (ranks == 0))
    return BadPgm("number of levels out of range");
  if (ranks == UINT32_MAX) return BadPgm("number of ranks out of range");
  std::vector<uint32_t> counts(level_count);
  std::vector<PgmModel::Level> levels(level_count);
  uint64_t segments = 0;
  for (uint32_t i = 0; i < level_count; ++i) {
    if (!decoder.ReadU32(&counts[i]) || !decoder.ReadU32(&levels[i].error))
      return BadPgm("levels are cut off");
    const uint32_t most = i == 0 ? ranks : counts[i - 1] - counts[i - 1] / 2;
    const bool is_root = counts[i] == 1;
    if (counts[i] == 0 || counts[i] > most || is_root != (i + 1 == level_count)) {
      return BadPgm("number of segments out of range");
    }
    if (levels[i].error > (i == 0 ? ranks : counts[i - 1] - 1)) return BadPgm("error exceeds what is below");
    segments += counts[i];
  }
  if (decoder.remaining().size() != segments * kPlaSegmentBytes)
    return BadPgm("size does not fit its segments");
  for (uint32_t i = 0; i < level_count; ++i) {
    Slice encoded;
    if (!decoder.ReadBytes(counts[i] * kPlaSegmentBytes, &encoded)) return BadPgm("segments are cut off");
    auto decoded = DecodePlaSegments(encoded, i == 0 ? ranks : counts[i - 1] - 1);
    if (!decoded.ok()) return decoded.status();
    levels[i].segments = *std::move(decoded);
  }
  return PgmModel(levels, ranks);
}

}  // namespace seerdb
