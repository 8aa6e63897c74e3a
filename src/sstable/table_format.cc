#include "sstable/table_format.h"

#include <algorithm>
#include <utility>

#include "base/coding.h"
#include "base/crc32c.h"

namespace seerdb {
namespace {

constexpr size_t kMetaEntryBytes = 24;

std::string Hex(uint32_t v) {
  std::string out = "0x00000000";
  for (size_t i = 0; i < 8; ++i) out[9 - i] = "0123456789abcdef"[(v >> (4 * i)) & 15];
  return out;
}

Status Bad(std::string what) { return Status::Corruption(std::move(what), StatusDetail::kTableCorruption); }

}  // namespace

uint32_t TableChecksum(uint64_t table_number, uint64_t offset, Slice bytes) {
  char seed[16];
  StoreU64(seed, table_number);
  StoreU64(seed + 8, offset);
  return crc32c::Extend(crc32c::Extend(0, seed, sizeof seed), bytes);
}

void AppendMetaList(const std::vector<MetaBlock>& list, std::string* out) {
  AppendU32(out, static_cast<uint32_t>(list.size()));
  AppendU32(out, 0);
  for (const MetaBlock& meta : list) {
    AppendU32(out, meta.id);
    AppendU32(out, meta.checksum);
    AppendU64(out, meta.offset);
    AppendU64(out, meta.bytes);
  }
}

uint32_t MetaOfModel(ModelKind kind) {
  switch (kind) {
    case ModelKind::kNone:
    case ModelKind::kPla:
      break;
    case ModelKind::kPgm:
      return kMetaPgmModel;
    case ModelKind::kRadixSpline:
      return kMetaSplineModel;
    case ModelKind::kAlex:
      return kMetaAlexModel;
  }
  return kMetaBlockModel;
}

Result<std::vector<MetaBlock>> DecodeMetaList(Slice bytes, uint64_t limit) {
  Decoder in(bytes);
  uint32_t count = 0;
  uint32_t reserved = 0;
  if (!in.ReadU32(&count) || !in.ReadU32(&reserved) || reserved != 0 ||
      in.remaining().size() != uint64_t{count} * kMetaEntryBytes) {
    return Bad("meta list does not fit its size");
  }
  if (count > kMaxMetaBlocks) return Bad(FoundExpected("meta blocks", count, kMaxMetaBlocks) + " at most");
  std::vector<MetaBlock> list(count);
  std::vector<uint32_t> ids;
  ids.reserve(count);
  uint64_t end = 0;
  for (MetaBlock& meta : list) {
    in.ReadU32(&meta.id);
    in.ReadU32(&meta.checksum);
    in.ReadU64(&meta.offset);
    in.ReadU64(&meta.bytes);
    if (meta.offset < end || meta.offset > limit || meta.bytes > limit - meta.offset) {
      return Bad("meta block " + std::to_string(meta.id) + " lies outside the file or over another");
    }
    end = meta.offset + meta.bytes;
    const bool known = meta.id == kMetaProperties || meta.id == kMetaIndex ||
                       meta.id == kMetaGlobalSequence || meta.id == kMetaPaddedBlocks;
    if (meta.id < kFirstOptionalMeta && !known) {
      return Status::NotSupported("meta block " + std::to_string(meta.id) + " is required and unknown");
    }
    ids.push_back(meta.id);
  }
  // Sorted: the list of a hostile file may be long.
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice != ids.end()) return Bad("meta block " + std::to_string(*twice) + " is listed twice");
  return list;
}

std::string EncodeGlobalSequence(SequenceNumber sequence) {
  std::string bytes;
  AppendU64(&bytes, sequence);
  return bytes;
}

Result<SequenceNumber> DecodeGlobalSequence(Slice bytes) {
  if (bytes.size() != sizeof(uint64_t)) return Bad(FoundExpected("bytes", bytes.size(), sizeof(uint64_t)));
  const SequenceNumber sequence = LoadU64(bytes.data());
  if (sequence == 0 || sequence > kMaxSequence) return Bad("sequence is out of range");
  return sequence;
}

void AppendTableFooter(const TableFooter& footer, std::string* out) {
  const size_t begin = out->size();
  AppendU64(out, footer.meta_list_offset);
  AppendU32(out, footer.meta_list_bytes);
  AppendU32(out, footer.meta_list_checksum);
  AppendU64(out, footer.table_number);
  AppendU64(out, footer.file_bytes);
  AppendU32(out, kTableFormatVersion);
  AppendU32(out, crc32c::Value(Slice(*out).substr(begin)));
  AppendU64(out, kTableMagic);
}

Result<TableFooter> DecodeTableFooter(Slice bytes, uint64_t file_bytes) {
  if (bytes.size() != kTableFooterBytes) return Bad("too short for a table");
  if (LoadU64(bytes.data() + 40) != kTableMagic) return Bad("magic number is not a table's");
  const uint32_t found = crc32c::Value(bytes.substr(0, 36));
  const uint32_t expected = LoadU32(bytes.data() + 36);
  if (found != expected) return Bad(ChecksumMismatch(found, expected));
  const uint32_t version = LoadU32(bytes.data() + 32);
  if (version != kTableFormatVersion) {
    return Status::NotSupported(FoundExpected("format version", version, kTableFormatVersion));
  }
  TableFooter footer;
  footer.meta_list_offset = LoadU64(bytes.data());
  footer.meta_list_bytes = LoadU32(bytes.data() + 8);
  footer.meta_list_checksum = LoadU32(bytes.data() + 12);
  footer.table_number = LoadU64(bytes.data() + 16);
  footer.file_bytes = LoadU64(bytes.data() + 24);
  if (footer.file_bytes != file_bytes) return Bad(FoundExpected("file bytes", file_bytes, footer.file_bytes));
  if (file_bytes < kTableFooterBytes + footer.meta_list_bytes ||
      footer.meta_list_offset != file_bytes - kTableFooterBytes - footer.meta_list_bytes) {
    return Bad("meta list does not end where the footer starts");
  }
  return footer;
}

Status TableCorruption(Slice path, const char* part, uint64_t offset, Slice what) {
  std::string message = "table ";
  message.append(path).append(" ").append(part).append(" @").append(std::to_string(offset));
  message.append(": ").append(what);
  return Status::Corruption(std::move(message), StatusDetail::kTableCorruption);
}

std::string ChecksumMismatch(uint32_t found, uint32_t expected) {
  return "crc found " + Hex(found) + " expected " + Hex(expected);
}

std::string FoundExpected(const char* what, uint64_t found, uint64_t expected) {
  return std::string(what) + " found " + std::to_string(found) + " expected " + std::to_string(expected);
}

}  // namespace seerdb
