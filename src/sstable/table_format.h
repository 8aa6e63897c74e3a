// The frame of a table file: checksums, block trailers, the list of meta blocks and the footer.
//
// Format: docs/format/table.md. Thread safety: free functions and plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "learned/model_kind.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"
#include "seerdb/types.h"

namespace seerdb {

inline constexpr uint32_t kTableFormatVersion = 1;
inline constexpr uint64_t kTableMagic = 0x31454c4241544453;  // "SDTABLE1"
inline constexpr size_t kTableFooterBytes = 48;
// Behind the stored bytes of a data block: u8 compression, u32 checksum.
inline constexpr size_t kBlockTrailerBytes = 5;
// Where blocks are padded, they end with pages of so many bytes.
inline constexpr uint64_t kTablePageBytes = 4096;
// Meta blocks start at multiples of this in the file.
inline constexpr uint64_t kMetaAlignment = 64;
// A meta list holds at most this many: its checks compare every two.
inline constexpr uint32_t kMaxMetaBlocks = 1024;
// A data block, uncompressed, is at most this large.
inline constexpr uint64_t kMaxBlockBytes = UINT32_MAX;

// Meta blocks. Persistent, never reused. A reader that does not know an id below kFirstOptionalMeta must
// not read the table; it skips unknown ids from there on.
inline constexpr uint32_t kMetaProperties = 1;
inline constexpr uint32_t kMetaIndex = 2;
inline constexpr uint32_t kMetaRangeTombstones = 3;  // reserved
inline constexpr uint32_t kMetaExpiry = 4;           // reserved: records carry an expiry time
inline constexpr uint32_t kMetaGlobalSequence = 5;
inline constexpr uint32_t kMetaPaddedBlocks = 6;  // its content is empty but for one byte, zero
inline constexpr uint32_t kFirstOptionalMeta = 128;
inline constexpr uint32_t kMetaFilter = 128;
inline constexpr uint32_t kMetaBlockModel = 129;
inline constexpr uint32_t kMetaTagIndex = 130;
// In place of kMetaBlockModel: models of blocks of other kinds.
inline constexpr uint32_t kMetaPgmModel = 131;
inline constexpr uint32_t kMetaSplineModel = 132;
inline constexpr uint32_t kMetaAlexModel = 133;

// Which meta block holds a model of blocks. Requires: kind is not kNone.
uint32_t MetaOfModel(ModelKind kind);

// Checksum of bytes that belong at `offset` of table `table_number`; it fails for bytes of another place.
uint32_t TableChecksum(uint64_t table_number, uint64_t offset, Slice bytes);
// Of a data block: stored bytes and the type byte behind them.
inline uint32_t BlockChecksum(uint64_t table_number, uint64_t offset, Slice stored_and_type) {
  return TableChecksum(table_number, offset, stored_and_type);
}

struct MetaBlock {
  uint32_t id = 0;
  uint32_t checksum = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

void AppendMetaList(const std::vector<MetaBlock>& list, std::string* out);
// Checks that they are not too many, that all lie, in order and without overlap, in the first `limit` bytes,
// and that required ids are known (else kNotSupported). Messages lack the file's name.
Result<std::vector<MetaBlock>> DecodeMetaList(Slice bytes, uint64_t limit);

// The meta block kMetaGlobalSequence: entries are stored with sequence 0 and all have this one, which was not
// known yet when they were written.
std::string EncodeGlobalSequence(SequenceNumber sequence);
// kCorruption unless it is a sequence that an entry can have. Messages lack the file's name.
Result<SequenceNumber> DecodeGlobalSequence(Slice bytes);

struct TableFooter {
  uint64_t meta_list_offset = 0;
  uint32_t meta_list_bytes = 0;
  uint32_t meta_list_checksum = 0;
  uint64_t table_number = 0;
  uint64_t file_bytes = 0;
};

void AppendTableFooter(const TableFooter& footer, std::string* out);
// `bytes` are the last kTableFooterBytes of a file of `file_bytes`. Messages lack the file's name.
Result<TableFooter> DecodeTableFooter(Slice bytes, uint64_t file_bytes);

// kCorruption/kTableCorruption: "table <path> <part> @<offset>: <what>".
Status TableCorruption(Slice path, const char* part, uint64_t offset, Slice what);
// "crc found 0x<found> expected 0x<expected>".
std::string ChecksumMismatch(uint32_t found, uint32_t expected);
std::string FoundExpected(const char* what, uint64_t found, uint64_t expected);

}  // namespace seerdb
