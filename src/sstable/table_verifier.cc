#include "sstable/table_verifier.h"

#include <algorithm>

#include "base/hash.h"
#include "base/status_macros.h"
#include "sstable/sequential_blocks.h"
#include "sstable/table_format.h"

namespace seerdb {
namespace {

constexpr uint64_t kReadBytes = 1 << 20;

}  // namespace

Status TableVerifier::Run(VerifyResult* result) {
  SequentialBlocks blocks(source_, kReadBytes, nullptr);
  SEERDB_RETURN_IF_ERROR(blocks.Open(fs_));
  counted_.smallest_sequence = kMaxSequence;
  for (uint32_t number = 0; number < source_.index().blocks(); ++number) {
    Slice bytes;
    SEERDB_RETURN_IF_ERROR(blocks.Fetch(number, &bytes));
    SEERDB_RETURN_IF_ERROR(CheckBlock(number, source_.View(bytes)));
    ++result->blocks_verified;
  }
  SEERDB_RETURN_IF_ERROR(CheckProperties());
  ++result->sstables_verified;
  result->sstable_bytes_verified += properties_.file_bytes;
  return Status::Ok();
}

Status TableVerifier::Corrupt(uint32_t number, Slice what) const {
  return TableCorruption(source_.path(), "block", source_.index().Place(number).offset, what);
}

Status TableVerifier::CheckBlock(uint32_t number, const TagBlock& block) {
  if (!tags_.empty() &&
      (tags_.FirstRank(number) != counted_.entries || tags_.EntriesOf(number) != block.entries())) {
    return Corrupt(number, "the tag index has other entries in it");
  }
  for (uint32_t i = 0; i < block.entries(); ++i) {
    TagRecord record;
    block.Parse(block.RecordStart(i), &record);
    const std::string key = std::string(block.prefix()).append(record.suffix);
    if (counted_.entries > 0 && CompareInternal(key_, trailer_, key, record.trailer) >= 0) {
      return Corrupt(number, "entries are out of order");
    }
    if (counted_.entries == 0) counted_.smallest_key = key;
    const bool newest = counted_.entries == 0 || key != key_;
    if (newest) ++counted_.keys;
    key_ = key;
    trailer_ = record.trailer;
    SEERDB_RETURN_IF_ERROR(CheckLookup(number, block, i, newest));
    SEERDB_RETURN_IF_ERROR(CheckEntry(number, record));
  }
  return Status::Ok();
}

Status TableVerifier::CheckLookup(uint32_t number, const TagBlock& block, uint32_t entry, bool newest) const {
  const uint64_t hash = Hash64(key_);
  if (block.has_tags() && block.Tag(entry) != TagOfHash(hash))
    return Corrupt(number, FoundExpected("tag", block.Tag(entry), TagOfHash(hash)));
  if (!filter_.MayContain(hash)) return Corrupt(number, "a key is missing in the filter");
  if (const Slice prefix = FilterPrefix(key_, properties_.prefix_filter_bytes);
      properties_.prefix_filter_bytes != 0 && !prefix.empty() && !filter_.MayContain(PrefixHash(prefix))) {
    return Corrupt(number, "a prefix is missing in the filter");
  }
  if (tags_.empty()) return Status::Ok();
  const auto rank = static_cast<uint32_t>(counted_.entries);
  if (tags_.Match({rank, rank + 1}, RankTag::Of(hash)) != rank)
    return Corrupt(number, "the tag index has another tag for a key");
  const RankRange ranks = tags_.Find(key_);
  if (newest && (rank < ranks.begin || rank >= ranks.end))
    return Corrupt(number, "a key is out of the reach of the tag index");
  return Status::Ok();
}

Status TableVerifier::CheckEntry(uint32_t number, const TagRecord& record) {
  const ValueType type = TrailerType(record.trailer);
  ++counted_.entries;
  if (type == ValueType::kDeletion) ++counted_.tombstones;
  EntryPayload payload;
  if (Expires(type) && !ParsePayload(type, record.value, &payload))
    return Corrupt(number, "an entry that expires has no time");
  counted_.raw_key_bytes += key_.size();
  counted_.raw_value_bytes += record.value.size();
  ValuePointer pointer;
  if (ParsePointerPayload(type, record.value, &pointer)) {
    value_bytes_[pointer.segment] += ValueRecordBytes(key_.size(), pointer.bytes);
  }
  const SequenceNumber sequence = TrailerSequence(record.trailer);
  counted_.smallest_sequence = std::min(counted_.smallest_sequence, sequence);
  counted_.largest_sequence = std::max(counted_.largest_sequence, sequence);
  return Status::Ok();
}

Status TableVerifier::CheckProperties() const {
  const auto check = [&](const char* what, uint64_t found, uint64_t expected) {
    if (found == expected) return Status::Ok();
    return TableCorruption(source_.path(), "properties", 0, FoundExpected(what, found, expected));
  };
  SEERDB_RETURN_IF_ERROR(check("entries", counted_.entries, properties_.entries));
  SEERDB_RETURN_IF_ERROR(check("tombstones", counted_.tombstones, properties_.tombstones));
  SEERDB_RETURN_IF_ERROR(check("keys", counted_.keys, properties_.keys));
  SEERDB_RETURN_IF_ERROR(check("key bytes", counted_.raw_key_bytes, properties_.raw_key_bytes));
  SEERDB_RETURN_IF_ERROR(check("value bytes", counted_.raw_value_bytes, properties_.raw_value_bytes));
  SEERDB_RETURN_IF_ERROR(
      check("smallest sequence", counted_.smallest_sequence, properties_.smallest_sequence));
  SEERDB_RETURN_IF_ERROR(check("largest sequence", counted_.largest_sequence, properties_.largest_sequence));
  SEERDB_RETURN_IF_ERROR(
      check("model segments", source_.index().model().pieces(), properties_.model_segments));
  ValueBytesList values;
  for (const auto& [segment, bytes] : value_bytes_) values.push_back({segment, bytes});
  if (values != properties_.values) {
    return TableCorruption(source_.path(), "properties", 0, "they name other values than the entries");
  }
  if (counted_.smallest_key != properties_.smallest_key || key_ != properties_.largest_key) {
    return TableCorruption(source_.path(), "properties", 0, "smallest or largest key is not the table's");
  }
  return Status::Ok();
}

}  // namespace seerdb
