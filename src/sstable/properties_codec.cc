#include "sstable/properties_codec.h"

#include "base/coding.h"
#include "base/key_sketch.h"
#include "sstable/prefix_filter.h"

namespace seerdb {
namespace {

// Persistent, never reused.
enum PropertyId : uint32_t {
  kTableNumber = 1,
  kEntries = 2,
  kTombstones = 3,
  kDataBlocks = 4,
  kDataBytes = 5,
  kRawKeyBytes = 6,
  kRawValueBytes = 7,
  kSmallestKey = 8,
  kLargestKey = 9,
  kSmallestSequence = 10,
  kLargestSequence = 11,
  kCompression = 12,
  kIndexBytes = 13,
  kFilterBytes = 14,
  kModelSegments = 15,
  kModelMaxError = 16,
  kKeys = 17,
  // From here on optional.
  kKeySketch = 19,
  kValues = 20,
  kColumnBytes = 21,
  kPrefixFilterBytes = 22,
  kLookup = 23,
  kTagIndexBytes = 24,
  kTagIndexSegments = 25,
};
constexpr uint32_t kLastRequired = kKeys;
constexpr uint32_t kLastProperty = kTagIndexSegments;

// The field of an id that is a number, or null.
uint64_t* NumberField(TableProperties* p, uint32_t id) {
  switch (id) {
    case kTableNumber:
      return &p->table_number;
    case kEntries:
      return &p->entries;
    case kTombstones:
      return &p->tombstones;
    case kDataBlocks:
      return &p->data_blocks;
    case kDataBytes:
      return &p->data_bytes;
    case kRawKeyBytes:
      return &p->raw_key_bytes;
    case kRawValueBytes:
      return &p->raw_value_bytes;
    case kSmallestSequence:
      return &p->smallest_sequence;
    case kLargestSequence:
      return &p->largest_sequence;
    case kIndexBytes:
      return &p->index_bytes;
    case kFilterBytes:
      return &p->filter_bytes;
    case kModelSegments:
      return &p->model_segments;
    case kModelMaxError:
      return &p->model_max_error;
    case kKeys:
      return &p->keys;
    case kColumnBytes:
      return &p->column_bytes;
    case kPrefixFilterBytes:
      return &p->prefix_filter_bytes;
    case kTagIndexBytes:
      return &p->tag_index_bytes;
    case kTagIndexSegments:
      return &p->tag_index_segments;
    default:
      return nullptr;
  }
}

bool DecodeProperty(uint32_t id, Slice value, TableProperties* properties) {
  if (id == kSmallestKey) {
    properties->smallest_key = value;
    return true;
  }
  if (id == kLargestKey) {
    properties->largest_key = value;
    return true;
  }
  if (id == kKeySketch) {
    properties->key_sketch = value;
    return KeySketch().Unite(value);
  }
  if (id == kValues) return ParseValueBytesList(value, &properties->values);
  Decoder in(value);
  uint64_t number = 0;
  if (!in.ReadVarint(&number) || !in.empty()) return false;
  if (id == kCompression) {
    if (number > static_cast<uint64_t>(CompressionType::kZstd)) return false;
    properties->compression = static_cast<CompressionType>(number);
    return true;
  }
  if (id == kLookup) {
    // It explains and decides nothing, so a later version's reason does no harm.
    properties->lookup = number <= kMaxLookupKind ? static_cast<LookupKind>(number) : LookupKind::kUntold;
    return true;
  }
  *NumberField(properties, id) = number;
  return id != kPrefixFilterBytes || number <= kMaxPrefixFilterBytes;
}

}  // namespace

void AppendTableProperties(const TableProperties& properties, std::string* out) {
  TableProperties copy = properties;
  for (uint32_t id = 1; id <= kLastRequired; ++id) {
    AppendVarint(out, id);
    if (id == kSmallestKey) {
      AppendLengthPrefixed(out, properties.smallest_key);
    } else if (id == kLargestKey) {
      AppendLengthPrefixed(out, properties.largest_key);
    } else {
      std::string number;
      AppendVarint(&number, id == kCompression ? static_cast<uint64_t>(properties.compression)
                                               : *NumberField(&copy, id));
      AppendLengthPrefixed(out, number);
    }
  }
  if (!properties.key_sketch.empty()) {
    AppendVarint(out, kKeySketch);
    AppendLengthPrefixed(out, properties.key_sketch);
  }
  if (!properties.values.empty()) {
    std::string list;
    AppendValueBytesList(&list, properties.values);
    AppendVarint(out, kValues);
    AppendLengthPrefixed(out, list);
  }
  for (const uint32_t id : {kColumnBytes, kPrefixFilterBytes, kLookup, kTagIndexBytes, kTagIndexSegments}) {
    const uint64_t value = id == kLookup ? static_cast<uint64_t>(properties.lookup) : *NumberField(&copy, id);
    if (value == 0) continue;
    std::string number;
    AppendVarint(&number, value);
    AppendVarint(out, id);
    AppendLengthPrefixed(out, number);
  }
}

Result<TableProperties> DecodeTableProperties(Slice bytes) {
  TableProperties properties;
  Decoder in(bytes);
  uint32_t seen = 0;
  while (!in.empty()) {
    uint32_t id = 0;
    Slice value;
    if (!in.ReadVarint32(&id) || !in.ReadLengthPrefixed(&value)) {
      return Status::Corruption("properties are cut off");
    }
    if (id == 0 || id > kLastProperty || (id > kLastRequired && id < kKeySketch)) continue;
    if ((seen >> id & 1) != 0 || !DecodeProperty(id, value, &properties)) {
      return Status::Corruption("property " + std::to_string(id) + " is malformed or repeated");
    }
    seen |= uint32_t{1} << id;
  }
  if (!in.ok()) return Status::Corruption("properties are cut off");
  constexpr uint32_t kRequired = (uint32_t{1} << (kLastRequired + 1)) - 2;
  if ((seen & kRequired) != kRequired) return Status::Corruption("a property is missing");
  return properties;
}

}  // namespace seerdb
