#include "sstable/table_end.h"

#include <utility>

#include "base/status_macros.h"
#include "sstable/properties_codec.h"
#include "sstable/table_builder.h"
#include "sstable/table_format.h"

namespace seerdb {
namespace {

// Appends a meta block to `out`, which stands at `begin` of the file.
MetaBlock AppendMetaBlock(uint64_t table_number, uint32_t id, Slice bytes, uint64_t begin, std::string* out) {
  out->append((kMetaAlignment - (begin + out->size()) % kMetaAlignment) % kMetaAlignment, '\0');
  const uint64_t offset = begin + out->size();
  out->append(bytes);
  return {id, TableChecksum(table_number, offset, bytes), offset, bytes.size()};
}

}  // namespace

void AppendTableEnd(TableEnd end, uint64_t begin, std::string* out) {
  TableProperties& properties = *end.properties;
  const uint64_t number = properties.table_number;
  std::string bytes;
  AppendTableProperties(properties, &bytes);
  end.metas->push_back(AppendMetaBlock(number, kMetaProperties, bytes, begin, out));
  if (properties.global_sequence != 0) {
    bytes = EncodeGlobalSequence(properties.global_sequence);
    end.metas->push_back(AppendMetaBlock(number, kMetaGlobalSequence, bytes, begin, out));
  }
  std::string list;
  AppendMetaList(*end.metas, &list);
  TableFooter footer;
  footer.meta_list_offset = begin + out->size();
  footer.meta_list_bytes = static_cast<uint32_t>(list.size());
  footer.meta_list_checksum = TableChecksum(number, footer.meta_list_offset, list);
  out->append(list);
  footer.table_number = number;
  footer.file_bytes = begin + out->size() + kTableFooterBytes;
  AppendTableFooter(footer, out);
  properties.file_bytes = footer.file_bytes;
}

Result<TableProperties> AppendTableEnd(EndlessTable table, SequenceNumber sequence, WritableFile* file) {
  TableProperties& properties = table.properties;
  properties.global_sequence = sequence;
  properties.smallest_sequence = sequence;
  properties.largest_sequence = sequence;
  std::string end;
  AppendTableEnd({&properties, &table.metas}, properties.file_bytes, &end);
  SEERDB_RETURN_IF_ERROR(file->Append(end));
  return std::move(properties);
}

}  // namespace seerdb
