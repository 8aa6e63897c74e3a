#include "fuzz/table_script.h"

#include <algorithm>
#include <vector>

#include "base/assert.h"
#include "base/coding.h"
#include "env/memory_file_system.h"
#include "format/entry_payload.h"
#include "format/value_pointer.h"
#include "sstable/block_index.h"
#include "sstable/properties_codec.h"
#include "sstable/table_builder.h"
#include "sstable/table_format.h"

namespace seerdb::fuzz {
namespace {

constexpr uint8_t kDataBlock = 0, kUnaligned = 7;  // other kinds: the meta block kIds[kind]
constexpr uint32_t kIds[] = {0,
                             kMetaProperties,
                             kMetaIndex,
                             kMetaBlockModel,
                             kMetaFilter,
                             200,
                             kMetaRangeTombstones,
                             0,
                             kMetaGlobalSequence,
                             kMetaTagIndex,
                             kMetaPgmModel,
                             kMetaSplineModel,
                             kMetaAlexModel,
                             kMetaPaddedBlocks};
constexpr size_t kPartsMax = 64;

// What the parts so far make the rest look like.
struct Assembly {
  std::string file;
  std::vector<uint64_t> block_ends = {0};
  std::vector<MetaBlock> metas;
  bool aligned = true;
};

void AddDataBlock(Slice stored_and_type, Assembly* to) {
  if (!to->metas.empty()) return;
  const uint32_t crc = BlockChecksum(kFuzzTableNumber, to->file.size(), stored_and_type);
  to->file.append(stored_and_type);
  AppendU32(&to->file, crc);
  to->block_ends.push_back(to->file.size());
}

// Writes the places of the blocks over those that the index has.
std::string PlacedIndex(Slice bytes, const Assembly& assembly) {
  std::string index(bytes);
  if (index.size() < 16) return index;
  const uint64_t blocks = LoadU32(index.data());
  const bool wide = (LoadU32(index.data() + 4) & 1) != 0;
  for (uint64_t i = 0; i <= blocks; ++i) {
    const uint64_t at = 16 + blocks * 8 + i * (wide ? 8 : 4);
    if (at + (wide ? 8 : 4) > index.size() || i >= assembly.block_ends.size()) break;
    if (wide) {
      StoreU64(index.data() + at, assembly.block_ends[i]);
    } else {
      StoreU32(index.data() + at, static_cast<uint32_t>(assembly.block_ends[i]));
    }
  }
  return index;
}

std::string AgreeingProperties(Slice bytes, const Assembly& assembly) {
  auto properties = DecodeTableProperties(bytes);
  if (!properties.ok()) return std::string(bytes);
  properties->table_number = kFuzzTableNumber;
  properties->data_blocks = assembly.block_ends.size() - 1;
  properties->data_bytes = assembly.block_ends.back();
  std::string out;
  AppendTableProperties(*properties, &out);
  return out;
}

void AddMeta(uint32_t id, Slice given, Assembly* to) {
  std::string bytes(given);
  if (id == kMetaIndex) bytes = PlacedIndex(given, *to);
  if (id == kMetaProperties) bytes = AgreeingProperties(given, *to);
  std::string& file = to->file;
  if (to->aligned) file.resize((file.size() + kMetaAlignment - 1) / kMetaAlignment * kMetaAlignment, '\0');
  to->metas.push_back({id, TableChecksum(kFuzzTableNumber, file.size(), bytes), file.size(), bytes.size()});
  file.append(bytes);
}

void AppendPart(uint8_t kind, Slice bytes, std::string* out) {
  out->push_back(static_cast<char>(kind));
  AppendU16(out, static_cast<uint16_t>(bytes.size()));
  out->append(bytes.substr(0, UINT16_MAX));
}

std::string BytesOf(MemoryFileSystem& fs, const std::string& path) {
  auto bytes = ReadFileToString(fs, path);
  SEERDB_ASSERT(bytes.ok());
  return *std::move(bytes);
}

// A value, or a pointer to one, of a byte of the input.
KnownEntry DrawValue(uint8_t byte, uint64_t place, ValueType* type) {
  constexpr uint8_t kFirstPointer = 224;
  KnownEntry entry;
  if (byte < kFirstPointer) {
    *type = ValueType::kValue;
    entry.value.assign(byte / 4 * 3u, static_cast<char>('a' + byte % 4));
    return entry;
  }
  const uint64_t expires_us = byte % 2 == 0 ? kNeverExpires : place;
  *type = PointerTypeFor(expires_us);
  const uint64_t segment = 1 + byte % 8 * 100;
  AppendPointerPayload(&entry.value, expires_us, {segment, place << (byte % 16), place * byte, byte * 3u});
  return entry;
}

}  // namespace

std::string AssembleTable(Input* input) {
  Assembly assembly;
  for (size_t i = 0; i < kPartsMax && !input->empty(); ++i) {
    const uint8_t kind = input->Byte() % std::size(kIds);
    const Slice bytes = input->Bytes(input->Word());
    if (kind == kUnaligned) {
      assembly.aligned = false;
    } else if (kind == kDataBlock) {
      AddDataBlock(bytes, &assembly);
    } else {
      AddMeta(kIds[kind], bytes, &assembly);
    }
  }
  std::string list;
  AppendMetaList(assembly.metas, &list);
  TableFooter footer;
  footer.meta_list_offset = assembly.file.size();
  footer.meta_list_bytes = static_cast<uint32_t>(list.size());
  footer.meta_list_checksum = TableChecksum(kFuzzTableNumber, footer.meta_list_offset, list);
  footer.table_number = kFuzzTableNumber;
  footer.file_bytes = assembly.file.size() + list.size() + kTableFooterBytes;
  assembly.file.append(list);
  AppendTableFooter(footer, &assembly.file);
  return assembly.file;
}

std::string DisassembleTable(Slice file) {
  if (file.size() < kTableFooterBytes) return "";
  const auto footer = DecodeTableFooter(file.substr(file.size() - kTableFooterBytes), file.size());
  if (!footer.ok()) return "";
  const auto metas = DecodeMetaList(file.substr(footer->meta_list_offset, footer->meta_list_bytes),
                                    footer->meta_list_offset);
  if (!metas.ok()) return "";
  std::string out;
  for (const MetaBlock& meta : *metas) {
    if (meta.id != kMetaIndex) continue;
    const auto index = BlockIndex::Decode(file.substr(meta.offset, meta.bytes), footer->meta_list_offset);
    if (!index.ok()) return "";
    for (uint32_t block = 0; block < index->blocks(); ++block) {
      const BlockPlace place = index->Place(block);
      AppendPart(kDataBlock, file.substr(place.offset, place.bytes + 1), &out);
    }
  }
  for (const MetaBlock& meta : *metas) {
    const auto id = std::find(std::begin(kIds), std::end(kIds), meta.id);
    if (id == std::end(kIds)) continue;
    AppendPart(static_cast<uint8_t>(id - std::begin(kIds)), file.substr(meta.offset, meta.bytes), &out);
  }
  return out;
}

std::string BuildTable(Input* input, std::map<std::string, KnownEntry>* entries) {
  TableBuilderOptions options;
  options.compression = static_cast<CompressionType>(input->Byte() % 3);
  const uint8_t block = input->Byte();
  options.block_bytes = 64u << block % 5;
  options.learned_index_min_keys = block / 5 % 8;
  options.index_kind = static_cast<IndexKind>(block / 40 % 6);
  const uint8_t filter = input->Byte();
  options.bloom_bits_per_key = filter % 16;
  options.ends_with_pages = filter / 16 % 2 != 0;
  if (options.ends_with_pages) options.block_bytes = kTablePageBytes << block % 2;
  const SequenceNumber global_sequence = filter >= 128 ? 1 + filter % 64u : 0;  // 0: entries have their own
  options.table_number = kFuzzTableNumber;
  struct Version {
    std::string key;
    uint64_t trailer;
    KnownEntry entry;
  };
  std::vector<Version> versions;
  std::string last;
  for (uint64_t i = 1; i < 200 && !input->empty(); ++i) {
    // The low bits say how much of the last key is kept, a deletion, and how the key goes on.
    const uint8_t shape = input->Byte();
    last.resize(std::min<size_t>(last.size(), shape % 16));
    last.append(input->Bytes(shape / 16 % 4));
    ValueType type = ValueType::kDeletion;
    KnownEntry entry = shape >= 192 ? KnownEntry{true, ""} : DrawValue(input->Byte(), i, &type);
    versions.push_back({last, PackTrailer(i, type), entry});
    entries->insert_or_assign(last, std::move(entry));
  }
  if (versions.empty()) return "";
  std::sort(versions.begin(), versions.end(), [](const Version& a, const Version& b) {
    return CompareInternal(a.key, a.trailer, b.key, b.trailer) < 0;
  });
  if (global_sequence != 0) {
    const auto same = [](const Version& a, const Version& b) { return a.key == b.key; };
    versions.erase(std::unique(versions.begin(), versions.end(), same), versions.end());
    for (Version& version : versions) version.trailer = PackTrailer(0, TrailerType(version.trailer));
  }
  MemoryFileSystem fs;
  auto file = fs.NewWritableFile("/t", CreateMode::kTruncate);
  SEERDB_ASSERT(file.ok());
  TableBuilder builder(options, file->get());
  for (const Version& version : versions) {
    SEERDB_ASSERT(builder.Add(version.key, version.trailer, version.entry.value).ok());
  }
  if (global_sequence == 0) {
    SEERDB_ASSERT(builder.Finish().ok());
  } else {
    auto endless = builder.FinishWithoutEnd();
    SEERDB_ASSERT(endless.ok() && AppendTableEnd(*std::move(endless), global_sequence, file->get()).ok());
  }
  return BytesOf(fs, "/t");
}

}  // namespace seerdb::fuzz
