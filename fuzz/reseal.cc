#include "fuzz/reseal.h"

#include <algorithm>

#include "base/coding.h"
#include "base/crc32c.h"
#include "manifest/manifest_file.h"
#include "sstable/block_index.h"
#include "sstable/table_format.h"
#include "wal/log_file_reader.h"

namespace seerdb::fuzz {
namespace {

// Reseals the frame at `at` and returns its bytes; 0 if none fits there.
size_t ResealFrame(const LogIdentity& identity, uint64_t* record, bool renumber, char* at, size_t room) {
  if (room < kLogFrameHeadBytes) return 0;
  const LogFrameHead head = DecodeLogFrameHead(at);
  if (head.length < LogFileReader::kMinPayloadBytes || head.length > room - kLogFrameHeadBytes) return 0;
  if (renumber) {
    StoreU32(at + 8, static_cast<uint32_t>(*record));
  } else {
    *record = head.record;
  }
  StoreU32(at, LogFrameCrc(identity, *record, at, Slice(at + kLogFrameHeadBytes, head.length)));
  ++*record;
  return kLogFrameHeadBytes + head.length;
}

void ResealBlocks(uint64_t table_number, Slice index_bytes, uint64_t limit, std::string* bytes) {
  const auto index = BlockIndex::Decode(index_bytes, limit);
  if (!index.ok()) return;
  for (uint32_t block = 0; block < index->blocks(); ++block) {
    const BlockPlace place = index->Place(block);
    const Slice covered = Slice(*bytes).substr(place.offset, place.bytes + 1);
    StoreU32(bytes->data() + place.offset + covered.size(),
             BlockChecksum(table_number, place.offset, covered));
  }
}

}  // namespace

uint64_t ResealLog(const LogIdentity& identity, uint64_t record, bool renumber, std::string* bytes) {
  if (bytes->size() < kLogHeaderBytes) return record;
  EncodeLogHeader({identity, record, kLogFormatVersion}, bytes->data());
  for (size_t at = kLogHeaderBytes; at < bytes->size();) {
    const size_t frame = ResealFrame(identity, &record, renumber, bytes->data() + at, bytes->size() - at);
    const size_t next = frame != 0 ? at + frame : NextLogBlock(at);
    if (next == at) break;
    at = next;
  }
  return record;
}

void ResealManifest(uint64_t number, std::string* bytes) {
  if (bytes->size() < kManifestHeaderBytes) return;
  char* const p = bytes->data();
  StoreU64(p, 0x314e414d42445253);
  StoreU64(p + 16, number);
  StoreU32(p + 60, crc32c::Value(Slice(p, 60)));
  uint64_t index = 0;
  for (size_t at = kManifestHeaderBytes; at + kManifestRecordHeadBytes <= bytes->size(); ++index) {
    const size_t room = bytes->size() - at - kManifestRecordHeadBytes;
    const uint32_t length = LoadU32(p + at + 4);
    if (length == 0 || length > room) return;
    StoreU64(p + at + 8, index);
    char seed[8];
    StoreU64(seed, number);
    StoreU32(p + at, crc32c::Extend(crc32c::Value(Slice(seed, sizeof seed)), p + at + 4,
                                    kManifestRecordHeadBytes - 4 + length));
    at += kManifestRecordHeadBytes + length;
  }
}

void ResealTable(uint64_t table_number, std::string* bytes) {
  constexpr uint64_t kMetaListHeadBytes = 8;
  constexpr uint64_t kMetaEntryBytes = 24;
  if (bytes->size() < kTableFooterBytes) return;
  const uint64_t footer_at = bytes->size() - kTableFooterBytes;
  TableFooter footer;
  footer.meta_list_bytes =
      static_cast<uint32_t>(std::min<uint64_t>(LoadU32(bytes->data() + footer_at + 8), footer_at));
  footer.meta_list_offset = footer_at - footer.meta_list_bytes;
  footer.table_number = table_number;
  footer.file_bytes = bytes->size();
  if (footer.meta_list_bytes >= kMetaListHeadBytes) {
    char* const list = bytes->data() + footer.meta_list_offset;
    const uint64_t count = (footer.meta_list_bytes - kMetaListHeadBytes) / kMetaEntryBytes;
    uint64_t data_limit = footer.meta_list_offset;
    Slice index;
    for (uint64_t i = 0; i < count; ++i) {
      char* const entry = list + kMetaListHeadBytes + i * kMetaEntryBytes;
      const uint64_t offset = LoadU64(entry + 8);
      const uint64_t size = LoadU64(entry + 16);
      if (offset > footer.meta_list_offset || size > footer.meta_list_offset - offset) continue;
      const Slice meta = Slice(*bytes).substr(offset, size);
      StoreU32(entry + 4, TableChecksum(table_number, offset, meta));
      if (LoadU32(entry) == kMetaIndex) index = meta;
      data_limit = std::min(data_limit, offset);
    }
    // Blocks lie before every meta block, so their checksums change no other.
    ResealBlocks(table_number, index, data_limit, bytes);
    footer.meta_list_checksum =
        TableChecksum(table_number, footer.meta_list_offset, Slice(list, footer.meta_list_bytes));
  }
  const uint32_t version = LoadU32(bytes->data() + footer_at + 32);
  std::string sealed;
  AppendTableFooter(footer, &sealed);
  StoreU32(sealed.data() + 32, version);
  StoreU32(sealed.data() + 36, crc32c::Value(Slice(sealed).substr(0, 36)));
  bytes->replace(footer_at, kTableFooterBytes, sealed);
}

}  // namespace seerdb::fuzz
