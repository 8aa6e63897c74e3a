#include "sstable/tag_index.h"

#include <algorithm>
#include <utility>

#include "base/key_window.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "learned/bracket_search.h"
#include "learned/model_codec.h"

namespace seerdb {
namespace {

constexpr size_t kTagHeaderBytes = 16;

Status Bad(const char* what) { return Status::Corruption(std::string("tag index: ") + what); }

Result<PlaModel> ReadModel(Decoder* in) {
  uint32_t bytes = 0;
  Slice encoded;
  if (!in->ReadU32(&bytes) || !in->ReadBytes(bytes, &encoded)) return Bad("model is cut off");
  return DecodePlaModel(encoded);
}

}  // namespace

Result<TagIndex> TagIndex::Decode(Slice bytes, uint32_t blocks, uint64_t entries) {
  if (bytes.size() < kTagHeaderBytes) return Bad("shorter than its header");
  TagIndex index;
  index.entries_ = LoadU32(bytes.data());
  index.blocks_ = LoadU32(bytes.data() + 4);
  const uint32_t sections = LoadU32(bytes.data() + 8);
  const uint32_t flags = LoadU32(bytes.data() + 12);
  if (flags > kEqualRecords) return Status::NotSupported("tag index: unknown flags");
  index.equal_records_ = flags == kEqualRecords;
  if (index.entries_ != entries || index.blocks_ != blocks) return Bad("it is of another table");
  if (index.entries_ == 0 || index.entries_ > UINT32_MAX / 2 || index.blocks_ == 0 || sections == 0) {
    return Bad("header out of range");
  }
  const uint64_t more_at = kTagHeaderBytes + uint64_t{index.entries_};
  const uint64_t ranks_at = more_at + (uint64_t{index.entries_} + 1) / 2;
  const uint64_t models_at = ranks_at + (uint64_t{index.blocks_} + 1) * sizeof(uint32_t);
  // A search of tags reads up to kStep of them, and what stands behind them.
  if (models_at + kStep > bytes.size()) return Bad("columns exceed its size");
  index.tags_ = bytes.data() + kTagHeaderBytes;
  index.more_tags_ = bytes.data() + more_at;
  index.first_ranks_ = bytes.data() + ranks_at;
  if (const char* error = index.CheckFirstRanks(); error != nullptr) return Bad(error);
  Decoder in(bytes.substr(models_at));
  SEERDB_ASSIGN_OR_RETURN(index.block_model_, ReadModel(&in));
  if (!index.block_model_.IsOf(index.blocks_)) return Bad("model of other blocks");
  SEERDB_RETURN_IF_ERROR(index.DecodeSections(&in, sections));
  if (!in.empty()) return Bad("bytes behind its sections");
  return index;
}

const char* TagIndex::CheckFirstRanks() const {
  if (FirstRank(0) != 0 || FirstRank(blocks_) != entries_) return "first ranks do not span the entries";
  for (uint32_t block = 0; block < blocks_; ++block) {
    if (FirstRank(block + 1) <= FirstRank(block)) return "first ranks do not ascend";
  }
  return nullptr;
}

Status TagIndex::DecodeSections(Decoder* in, uint32_t count) {
  uint32_t next_rank = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t separator_bytes = 0;
    uint32_t prefix_bytes = 0;
    uint32_t projection = 0;
    Section section;
    Slice separator;
    Slice prefix;
    if (!in->ReadU32(&separator_bytes) || !in->ReadU32(&prefix_bytes) || !in->ReadU32(&projection) ||
        !in->ReadU32(&section.first_rank) || !in->ReadBytes(separator_bytes, &separator) ||
        !in->ReadBytes(prefix_bytes, &prefix)) {
      return Bad("sections are cut off");
    }
    if (projection > KeyProjection::kMaxKind)
      return Status::NotSupported("tag index: unknown projection of keys");
    section.projection = KeyProjection(prefix, static_cast<KeyProjection::Kind>(projection));
    SEERDB_ASSIGN_OR_RETURN(section.model, ReadModel(in));
    if (section.first_rank < next_rank || section.first_rank > entries_) return Bad("sections do not ascend");
    if (section.model.empty() || section.model.ranks() > entries_ - section.first_rank)
      return Bad("sections run out of the table");
    if (section.model.max_error() > TagSectionBuilder::kMaxError) return Bad("error out of range");
    next_rank = section.first_rank + section.model.ranks();
    if (i > 0) {
      if (i > 1 && separator <= separators_.back()) return Bad("separators do not ascend");
      separators_.push_back(separator);
    }
    sections_.push_back(std::move(section));
  }
  if (separators_.empty()) return Status::Ok();
  const Slice first = separators_.front();
  separator_projection_ = KeyProjection(first.substr(0, CommonPrefixBytes(first, separators_.back())));
  for (const Slice separator : separators_)
    separator_windows_.push_back(separator_projection_.WindowWithin(separator));
  return Status::Ok();
}

uint64_t TagIndex::memory_bytes() const {
  uint64_t bytes = block_model_.memory_bytes() + separators_.size() * (sizeof(Slice) + sizeof(uint64_t));
  for (const Section& section : sections_) bytes += sizeof(Section) + section.model.memory_bytes();
  return bytes;
}

const TagIndex::Section& TagIndex::SectionOf(Slice key) const {
  if (separators_.empty()) return sections_.front();
  if (!BeginsWith(key, separator_projection_.prefix())) [[unlikely]] {
    return key < separator_projection_.prefix() ? sections_.front() : sections_.back();
  }
  const BracketResult found = BracketSearch(
      static_cast<const ApproxRange*>(nullptr), separators_.size(), separator_projection_.WindowWithin(key),
      [this](size_t i) { return separator_windows_[i]; }, [&](size_t i) { return separators_[i] <= key; });
  return sections_[found.rank];
}

RankRange TagIndex::Find(Slice key) const {
  const Section& section = SectionOf(key);
  if (!BeginsWith(key, section.projection.prefix())) return {};
  const ApproxRange range = section.model.Find(section.projection.WindowWithin(key));
  return {section.first_rank + range.lo, section.first_rank + range.hi};
}

EntryPlace TagIndex::Locate(uint32_t rank) const {
  // A model proposes a block near the one that holds the rank.
  const uint32_t guess = block_model_.Predict(rank);
  uint32_t block = guess < blocks_ ? guess : blocks_ - 1;
  while (FirstRank(block) > rank) --block;
  while (FirstRank(block + 1) <= rank) ++block;
  return {block, rank - FirstRank(block)};
}

}  // namespace seerdb
