#include "table_memory.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace seerdb::bench {
namespace {

// Of docs/format/table.md; what is not as it says is taken for a file that is being written or removed.
constexpr uint64_t kFooterBytes = 48;
constexpr uint64_t kMetaEntryBytes = 24;
constexpr uint32_t kProperties = 1;
constexpr uint32_t kIndex = 2;
constexpr uint32_t kFilter = 128;
constexpr uint32_t kModel = 129;
constexpr uint32_t kTagIndex = 130;
constexpr uint32_t kPgmModel = 131;
constexpr uint32_t kSplineModel = 132;
constexpr uint64_t kEntriesProperty = 2;
constexpr uint64_t kColumnBytesProperty = 21;

template <typename Number>
Number At(const std::string& bytes, uint64_t offset) {
  Number number = 0;
  if (offset + sizeof(number) <= bytes.size()) std::memcpy(&number, bytes.data() + offset, sizeof(number));
  return number;
}

// Empty unless all of it is there.
std::string ReadAt(std::ifstream* file, uint64_t offset, uint64_t bytes) {
  std::string text(bytes, '\0');
  file->seekg(static_cast<std::streamoff>(offset));
  file->read(text.data(), static_cast<std::streamsize>(bytes));
  return file->good() ? text : std::string();
}

uint64_t Varint(const std::string& bytes, uint64_t* at) {
  uint64_t number = 0;
  for (int shift = 0; shift < 64 && *at < bytes.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes[(*at)++]);
    number |= static_cast<uint64_t>(byte & 127) << shift;
    if (byte < 128) break;
  }
  return number;
}

// A number of a list of id, length, value; 0 if it is not there.
uint64_t PropertyOf(const std::string& properties, uint64_t wanted) {
  for (uint64_t at = 0; at < properties.size();) {
    const uint64_t id = Varint(properties, &at);
    const uint64_t bytes = Varint(properties, &at);
    if (id == wanted) return Varint(properties, &at);
    at += bytes;
  }
  return 0;
}

void AddTable(const std::string& path, TableMemory* memory) {
  std::error_code error;
  const uint64_t bytes = std::filesystem::file_size(path, error);
  if (error || bytes < kFooterBytes) return;
  std::ifstream file(path, std::ios::binary);
  const std::string footer = ReadAt(&file, bytes - kFooterBytes, kFooterBytes);
  if (std::string_view(footer).substr(footer.empty() ? 0 : 40) != "SDTABLE1") return;
  const auto list_offset = At<uint64_t>(footer, 0);
  const std::string list = ReadAt(&file, list_offset, bytes - kFooterBytes - list_offset);
  TableMemory table;
  for (uint64_t at = 8; at + kMetaEntryBytes <= list.size(); at += kMetaEntryBytes) {
    const auto id = At<uint32_t>(list, at);
    const auto offset = At<uint64_t>(list, at + 8);
    const auto meta_bytes = At<uint64_t>(list, at + 16);
    if (id == kFilter) table.filter_bytes += meta_bytes;
    const bool model = id == kModel || id == kPgmModel || id == kSplineModel;
    if (id == kIndex || model || id == kTagIndex) table.index_bytes += meta_bytes;
    if (id != kProperties) continue;
    const std::string properties = ReadAt(&file, offset, meta_bytes);
    table.entries = PropertyOf(properties, kEntriesProperty);
    table.column_bytes = PropertyOf(properties, kColumnBytesProperty);
  }
  if (table.entries == 0) return;
  memory->entries += table.entries;
  memory->filter_bytes += table.filter_bytes;
  memory->index_bytes += table.index_bytes;
  memory->column_bytes += table.column_bytes;
}

}  // namespace

TableMemory MeasureTables(const std::string& path) {
  TableMemory memory;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".sst") AddTable(entry.path().string(), &memory);
  }
  return memory;
}

}  // namespace seerdb::bench
