#include <algorithm>
#include <memory>

#include "base/status_macros.h"
#include "byte_text.h"
#include "compression_name.h"
#include "dump.h"
#include "output.h"
#include "sstable/table_format.h"
#include "sstable/table_reader.h"

namespace seerdb::cli {
namespace {

// Larger lists of meta blocks than this are not believed.
constexpr uint64_t kMaxMetaListBytes = 64 * 1024;

std::string MetaName(uint32_t id) {
  switch (id) {
    case kMetaProperties:
      return "properties";
    case kMetaIndex:
      return "index";
    case kMetaRangeTombstones:
      return "range tombstones";
    case kMetaExpiry:
      return "expiry";
    case kMetaGlobalSequence:
      return "global sequence";
    case kMetaPaddedBlocks:
      return "padded blocks";
    case kMetaFilter:
      return "filter";
    case kMetaBlockModel:
      return "block model";
    case kMetaTagIndex:
      return "tag index";
    case kMetaPgmModel:
      return "block model, PGM-index";
    case kMetaSplineModel:
      return "block model, RadixSpline";
    case kMetaAlexModel:
      return "block model, ALEX";
    default:
      return "meta " + std::to_string(id);
  }
}

Result<std::string> ReadAt(const RandomAccessFile& file, uint64_t offset, uint64_t bytes) {
  std::string text(bytes, '\0');
  SEERDB_ASSIGN_OR_RETURN(const Slice read, file.Read(offset, bytes, text.data()));
  return std::string(read);
}

// Prints footer and meta blocks; the footer's table number is needed to open the rest.
Result<TableFooter> DumpFrame(const RandomAccessFile& file, const std::string& path, uint64_t file_bytes) {
  if (file_bytes < kTableFooterBytes) {
    return TableCorruption(path, "footer", 0,
                           "found " + std::to_string(file_bytes) + " bytes, expected at least " +
                               std::to_string(kTableFooterBytes));
  }
  const uint64_t footer_offset = file_bytes - kTableFooterBytes;
  SEERDB_ASSIGN_OR_RETURN(const std::string tail, ReadAt(file, footer_offset, kTableFooterBytes));
  auto footer = DecodeTableFooter(tail, file_bytes);
  if (!footer.ok()) {
    return footer.status().WithContext("dump table " + path + " @" + std::to_string(footer_offset));
  }
  PrintField("table_number", footer->table_number);
  const uint64_t list_offset = footer->meta_list_offset;
  const uint64_t list_bytes = footer->meta_list_bytes;
  if (list_offset > footer_offset || list_bytes > std::min(footer_offset - list_offset, kMaxMetaListBytes)) {
    return TableCorruption(path, "footer", footer_offset,
                           "found a meta list of " + std::to_string(list_bytes) + " bytes at " +
                               std::to_string(list_offset) + ", expected one inside the file");
  }
  SEERDB_ASSIGN_OR_RETURN(const std::string list, ReadAt(file, list_offset, list_bytes));
  const uint32_t checksum = TableChecksum(footer->table_number, list_offset, list);
  if (checksum != footer->meta_list_checksum) {
    return TableCorruption(path, "meta list", list_offset,
                           ChecksumMismatch(checksum, footer->meta_list_checksum));
  }
  auto metas = DecodeMetaList(list, list_offset);
  if (!metas.ok())
    return metas.status().WithContext("dump table " + path + " @" + std::to_string(list_offset));
  for (const MetaBlock& meta : *metas) {
    Print("meta @" + std::to_string(meta.offset) + ": " + MetaName(meta.id) + ", " +
          std::to_string(meta.bytes) + " bytes\n");
  }
  return *footer;
}

const char* LookupName(LookupKind kind) {
  switch (kind) {
    case LookupKind::kUntold:
      return "filter and tags";
    case LookupKind::kTagIndex:
      return "tag index, learned over all keys";
    case LookupKind::kFewKeys:
      return "filter and tags: fewer keys than learned_index_min_keys";
    case LookupKind::kUnlearnable:
      return "filter and tags: models of the keys would be larger";
    case LookupKind::kPrefixes:
      return "filter and tags: the filter holds prefixes";
    case LookupKind::kNoFilter:
      return "tags: bloom_bits_per_key is 0";
    case LookupKind::kNotAsked:
      return "filter and tags: no tag index is asked for";
    case LookupKind::kFinerFilter:
      return "filter and tags: bloom_bits_per_key asks for more than tags give";
    case LookupKind::kMostlyAbsent:
      return "filter and tags: older runs hold most of what is asked for";
  }
  return "unknown";
}

void PrintProperties(const TableProperties& properties) {
  PrintField("entries", properties.entries);
  PrintField("tombstones", properties.tombstones);
  PrintField("data_blocks", properties.data_blocks);
  PrintField("data_bytes", properties.data_bytes);
  PrintField("raw_key_bytes", properties.raw_key_bytes);
  PrintField("raw_value_bytes", properties.raw_value_bytes);
  PrintField("compression", CompressionName(properties.compression));
  PrintField("smallest_key", EngineKeyText(properties.smallest_key));
  PrintField("largest_key", EngineKeyText(properties.largest_key));
  PrintField("smallest_sequence", properties.smallest_sequence);
  PrintField("largest_sequence", properties.largest_sequence);
  PrintField("index_bytes", properties.index_bytes);
  PrintField("filter_bytes", properties.filter_bytes);
  PrintField("column_bytes", properties.column_bytes);
  PrintField("prefix_filter_bytes", properties.prefix_filter_bytes);
  PrintField("lookup", LookupName(properties.lookup));
  if (properties.tag_index_bytes != 0 && properties.keys != 0 &&
      properties.tag_index_bytes < properties.file_bytes) {
    PrintField("tag_index_bytes", properties.tag_index_bytes);
    PrintField("tag_index_segments", properties.tag_index_segments);
    const auto bits =
        static_cast<double>(properties.tag_index_bytes * 8) / static_cast<double>(properties.keys);
    PrintField("tag_index_bits_per_key", static_cast<uint64_t>(bits + 0.5));
  }
  PrintField("block_model", ModelKindName(properties.block_model));
  PrintField("model_segments", properties.model_segments);
  PrintField("model_max_error", properties.model_max_error);
  for (const ValueBytes& values : properties.values) {
    PrintField("values",
               "segment " + std::to_string(values.segment) + ", " + std::to_string(values.bytes) + " bytes");
  }
}

Status DumpEntries(const TableReader& table) {
  TableReadFlags flags;
  flags.sequential_pread = true;
  const auto iterator = table.NewIterator(flags);
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    Print(EngineKeyText(iterator->key()) + "\t" + std::to_string(iterator->sequence()) + "\t" +
          ValueTypeName(static_cast<unsigned char>(iterator->type())) + "\t" +
          EntryText(static_cast<unsigned char>(iterator->type()), iterator->value()) + "\n");
  }
  return iterator->status();
}

}  // namespace

Status DumpTable(FileSystem& fs, const std::string& path, const DumpOptions& options) {
  SEERDB_ASSIGN_OR_RETURN(const auto file, fs.NewRandomAccessFile(path));
  SEERDB_ASSIGN_OR_RETURN(const uint64_t file_bytes, file->Size());
  PrintField("kind", "table");
  PrintField("file_bytes", file_bytes);
  SEERDB_ASSIGN_OR_RETURN(const TableFooter footer, DumpFrame(*file, path, file_bytes));
  TableOpenOptions open_options;
  open_options.access = TableAccess::kPread;
  open_options.table_number = footer.table_number;
  open_options.expected_bytes = file_bytes;
  SEERDB_ASSIGN_OR_RETURN(const auto table, TableReader::Open(fs, path, open_options));
  PrintProperties(table->properties());
  if (options.entries) SEERDB_RETURN_IF_ERROR(DumpEntries(*table));
  VerifyResult verified;
  SEERDB_RETURN_IF_ERROR(table->Verify(&verified));
  PrintField("verified_blocks", verified.blocks_verified);
  return Status::Ok();
}

}  // namespace seerdb::cli
