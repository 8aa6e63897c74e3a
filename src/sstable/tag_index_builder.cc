#include "base/assert.h"
#include "learned/model_codec.h"
#include "learned/pla_builder.h"
#include "sstable/tag_index.h"

namespace seerdb {
namespace {

constexpr uint32_t kBlockEpsilon = 4;

}  // namespace

bool TagIndexBuilder::Fit() {
  if (fits_) sections_.Close(static_cast<uint32_t>(tags_.size()));
  return fits();
}

size_t TagIndexBuilder::segments() const {
  size_t segments = 0;
  for (const TagSection& section : sections_.sections()) segments += section.segments.size();
  return segments;
}

std::string TagIndexBuilder::Finish() const {
  SEERDB_ASSERT(fits());
  const size_t n = tags_.size();
  std::string out;
  out.reserve(bytes() + 256);
  AppendU32(&out, static_cast<uint32_t>(n));
  AppendU32(&out, static_cast<uint32_t>(first_ranks_.size()));
  AppendU32(&out, static_cast<uint32_t>(sections_.sections().size()));
  AppendU32(&out, equal_ ? kEqualRecords : 0);
  const size_t columns = out.size();
  out.resize(columns + n + (n + 1) / 2);
  char* const first = out.data() + columns;
  char* const more = first + n;
  for (size_t i = 0; i < n; ++i) first[i] = static_cast<char>(tags_[i]);
  for (size_t i = 0; i + 1 < n; i += 2)
    more[i / 2] = static_cast<char>(tags_[i] >> 8 | tags_[i + 1] >> 8 << 4);
  if (n % 2 != 0) more[n / 2] = static_cast<char>(tags_[n - 1] >> 8);
  PlaBuilder blocks(kBlockEpsilon);
  for (const uint32_t rank : first_ranks_) {
    AppendU32(&out, rank);
    blocks.Add(rank);
  }
  AppendU32(&out, static_cast<uint32_t>(n));
  const auto append_model = [&out](const PlaModel& model) {
    std::string bytes;
    AppendPlaModel(model, &bytes);
    AppendU32(&out, static_cast<uint32_t>(bytes.size()));
    out.append(bytes);
  };
  append_model(blocks.Finish());
  for (const TagSection& section : sections_.sections()) {
    AppendU32(&out, static_cast<uint32_t>(section.separator.size()));
    AppendU32(&out, static_cast<uint32_t>(section.prefix.size()));
    AppendU32(&out, static_cast<uint32_t>(section.projection));
    AppendU32(&out, section.first_rank);
    out.append(section.separator).append(section.prefix);
    append_model(PlaModel(section.segments, section.end_rank - section.first_rank, section.error));
  }
  return out;
}

}  // namespace seerdb
