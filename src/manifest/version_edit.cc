#include "manifest/version_edit.h"

#include <cstdio>
#include <limits>

#include "base/coding.h"
#include "base/status_macros.h"

namespace seerdb {
namespace {

// Persistent: values are never reused. At or above kFirstSkippable a reader may skip what it does not know.
enum Tag : uint8_t {
  kDatabaseId = 1,
  kNumLevels = 2,
  kNextFileNumber = 3,
  kLastSequence = 4,
  kLogNumber = 5,
  kLogFirstRecord = 6,
  kEpoch = 7,
  kAddedLog = 8,
  kAddedTable = 9,
  kDeletedTable = 10,
  kKeyspace = 11,
  kDroppedKeyspace = 12,
  kNextKeyspaceId = 13,
  kRangeTombstone = 14,
  kTableValues = 15,
  kTombstonesSince = 128,
  kTableExpires = 129,
  kRangesApplied = 130,
};
constexpr uint8_t kFirstSkippable = 128;

Status Malformed(const std::string& what) {
  return Status::Corruption("decode manifest edit: " + what, StatusDetail::kManifestCorruption);
}

void AppendField(std::string* out, Tag tag, Slice field) {
  out->push_back(static_cast<char>(tag));
  AppendLengthPrefixed(out, field);
}

void AppendNumber(std::string* out, Tag tag, const std::optional<uint64_t>& number) {
  if (!number.has_value()) return;
  std::string field;
  AppendVarint(&field, *number);
  AppendField(out, tag, field);
}

std::string EncodeTable(const VersionEdit::AddedTable& table) {
  const TableMeta& meta = table.meta;
  std::string field;
  AppendVarint(&field, table.level);
  AppendVarint(&field, table.run);
  AppendVarint(&field, meta.number);
  AppendVarint(&field, meta.bytes);
  AppendLengthPrefixed(&field, meta.smallest_key);
  AppendLengthPrefixed(&field, meta.largest_key);
  AppendVarint(&field, meta.smallest_sequence);
  AppendVarint(&field, meta.largest_sequence);
  AppendVarint(&field, meta.entries);
  AppendVarint(&field, meta.tombstones);
  field.push_back(static_cast<char>(meta.tier));
  AppendU64(&field, meta.epoch);
  return field;
}

bool DecodeTable(Decoder* in, VersionEdit::AddedTable* table) {
  TableMeta& meta = table->meta;
  Slice smallest;
  Slice largest;
  uint8_t tier = 0;
  const bool read = in->ReadVarint32(&table->level) && in->ReadVarint(&table->run) &&
                    in->ReadVarint(&meta.number) && in->ReadVarint(&meta.bytes) &&
                    in->ReadLengthPrefixed(&smallest) && in->ReadLengthPrefixed(&largest) &&
                    in->ReadVarint(&meta.smallest_sequence) && in->ReadVarint(&meta.largest_sequence) &&
                    in->ReadVarint(&meta.entries) && in->ReadVarint(&meta.tombstones) && in->ReadU8(&tier) &&
                    in->ReadU64(&meta.epoch);
  if (!read || tier > static_cast<uint8_t>(TableTier::kRemote)) return false;
  meta.smallest_key = smallest;
  meta.largest_key = largest;
  meta.tier = static_cast<TableTier>(tier);
  return true;
}

// Belongs to the table added last before it.
std::string EncodeTableValues(const TableMeta& meta) {
  std::string field;
  AppendVarint(&field, meta.number);
  std::string list;
  AppendValueBytesList(&list, meta.values);
  AppendLengthPrefixed(&field, list);
  return field;
}

bool DecodeTableValues(Decoder* in, std::vector<VersionEdit::AddedTable>* tables) {
  uint64_t number = 0;
  Slice list;
  if (!in->ReadVarint(&number) || !in->ReadLengthPrefixed(&list) || tables->empty()) return false;
  TableMeta& meta = tables->back().meta;
  return meta.number == number && meta.values.empty() && ParseValueBytesList(list, &meta.values) &&
         !meta.values.empty();
}

std::string EncodeKeyspace(const KeyspaceRecord& keyspace) {
  std::string field;
  AppendVarint(&field, keyspace.id);
  AppendLengthPrefixed(&field, keyspace.name);
  field.push_back(static_cast<char>(keyspace.compression));
  AppendLengthPrefixed(&field, keyspace.merge_operator);
  AppendVarint(&field, keyspace.default_ttl_us);
  AppendVarint(&field, keyspace.separation_bytes);
  return field;
}

bool DecodeKeyspace(Decoder* in, KeyspaceRecord* keyspace) {
  Slice name;
  Slice merge_operator;
  const bool read = in->ReadVarint32(&keyspace->id) && in->ReadLengthPrefixed(&name) &&
                    in->ReadU8(&keyspace->compression) && in->ReadLengthPrefixed(&merge_operator) &&
                    in->ReadVarint(&keyspace->default_ttl_us) && in->ReadVarint(&keyspace->separation_bytes);
  keyspace->name = name;
  keyspace->merge_operator = merge_operator;
  return read;
}

std::string EncodeRange(const RangeTombstone& tombstone) {
  std::string field;
  AppendLengthPrefixed(&field, tombstone.begin);
  AppendLengthPrefixed(&field, tombstone.end);
  AppendVarint(&field, tombstone.sequence);
  AppendVarint(&field, tombstone.since_s);
  return field;
}

bool DecodeRange(Decoder* in, RangeTombstone* tombstone) {
  Slice begin;
  Slice end;
  const bool read = in->ReadLengthPrefixed(&begin) && in->ReadLengthPrefixed(&end) &&
                    in->ReadVarint(&tombstone->sequence) && in->ReadVarint(&tombstone->since_s);
  tombstone->begin = begin;
  tombstone->end = end;
  return read;
}

// What older readers need not know of a table; belongs to the one added last before it.
bool DecodeOfTable(Decoder* in, uint64_t TableMeta::*field, std::vector<VersionEdit::AddedTable>* tables) {
  uint64_t number = 0;
  uint64_t value = 0;
  if (!in->ReadVarint(&number) || !in->ReadVarint(&value)) return false;
  if (tables->empty() || tables->back().meta.number != number) return false;
  tables->back().meta.*field = value;
  return true;
}

void AppendOfTable(std::string* out, Tag tag, uint64_t number, uint64_t value) {
  if (value == 0) return;
  std::string field;
  AppendVarint(&field, number);
  AppendVarint(&field, value);
  AppendField(out, tag, field);
}

template <typename T>
bool DecodeNumber(Decoder* in, std::optional<T>* number) {
  uint64_t v = 0;
  if (number->has_value() || !in->ReadVarint(&v) || v > std::numeric_limits<T>::max()) return false;
  *number = static_cast<T>(v);
  return true;
}

bool DecodeDatabaseId(Decoder* in, std::optional<DatabaseId>* id) {
  DatabaseId v;
  if (id->has_value() || !in->ReadU64(&v.high) || !in->ReadU64(&v.low)) return false;
  *id = v;
  return true;
}

bool DecodeEpoch(Decoder* in, std::optional<uint64_t>* epoch) {
  uint64_t v = 0;
  if (epoch->has_value() || !in->ReadU64(&v)) return false;
  *epoch = v;
  return true;
}

// False if the field is malformed. `known` says whether this reader has a meaning for the tag.
bool DecodeField(uint8_t tag, Decoder* in, VersionEdit* edit, bool* known) {
  *known = true;
  switch (tag) {
    case kDatabaseId:
      return DecodeDatabaseId(in, &edit->database_id);
    case kNumLevels:
      return DecodeNumber(in, &edit->num_levels);
    case kNextFileNumber:
      return DecodeNumber(in, &edit->next_file_number);
    case kLastSequence:
      return DecodeNumber(in, &edit->last_sequence);
    case kLogNumber:
      return DecodeNumber(in, &edit->log_number);
    case kLogFirstRecord:
      return DecodeNumber(in, &edit->log_first_record);
    case kEpoch:
      return DecodeEpoch(in, &edit->epoch);
    case kAddedLog: {
      auto& log = edit->added_logs.emplace_back();
      return in->ReadVarint(&log.number) && in->ReadU64(&log.epoch);
    }
    case kAddedTable:
      return DecodeTable(in, &edit->added_tables.emplace_back());
    case kDeletedTable: {
      auto& table = edit->deleted_tables.emplace_back();
      return in->ReadVarint32(&table.level) && in->ReadVarint(&table.number);
    }
    case kKeyspace:
      return DecodeKeyspace(in, &edit->keyspaces.emplace_back());
    case kDroppedKeyspace:
      return in->ReadVarint32(&edit->dropped_keyspaces.emplace_back());
    case kNextKeyspaceId:
      return DecodeNumber(in, &edit->next_keyspace_id);
    case kRangeTombstone:
      return DecodeRange(in, &edit->added_ranges.emplace_back());
    case kTableValues:
      return DecodeTableValues(in, &edit->added_tables);
    case kTombstonesSince:
      return DecodeOfTable(in, &TableMeta::tombstones_since_s, &edit->added_tables);
    case kTableExpires:
      return DecodeOfTable(in, &TableMeta::expires_us, &edit->added_tables);
    case kRangesApplied:
      return DecodeOfTable(in, &TableMeta::ranges_applied, &edit->added_tables);
    default:
      *known = false;
      return true;
  }
}

std::string Hex(Slice bytes) {
  std::string out;
  for (const char c : bytes) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += digits;
  }
  return out;
}

std::string Hex(uint64_t v) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(v));
  return digits;
}

void PrintNumber(std::string* out, const char* name, const std::optional<uint64_t>& number) {
  if (number.has_value()) *out += std::string(name) + " " + std::to_string(*number) + "\n";
}

std::string PrintKeyspace(const KeyspaceRecord& keyspace) {
  std::string out = "keyspace " + std::to_string(keyspace.id) + " name " + Hex(Slice(keyspace.name));
  if (keyspace.compression != KeyspaceRecord::kCompressionByOptions) {
    out += " compression " + std::to_string(static_cast<int>(keyspace.compression));
  }
  if (!keyspace.merge_operator.empty()) out += " merge_operator " + Hex(Slice(keyspace.merge_operator));
  if (keyspace.default_ttl_us != 0) out += " default_ttl_us " + std::to_string(keyspace.default_ttl_us);
  if (keyspace.separation_bytes != 0) {
    out += " separation_bytes " + std::to_string(keyspace.separation_bytes);
  }
  return out + "\n";
}

}  // namespace

std::string VersionEdit::Encode() const {
  std::string out;
  if (database_id.has_value()) {
    std::string field;
    AppendU64(&field, database_id->high);
    AppendU64(&field, database_id->low);
    AppendField(&out, kDatabaseId, field);
  }
  AppendNumber(&out, kNumLevels, num_levels);
  AppendNumber(&out, kNextFileNumber, next_file_number);
  AppendNumber(&out, kLastSequence, last_sequence);
  AppendNumber(&out, kLogNumber, log_number);
  AppendNumber(&out, kLogFirstRecord, log_first_record);
  if (epoch.has_value()) {
    std::string field;
    AppendU64(&field, *epoch);
    AppendField(&out, kEpoch, field);
  }
  for (const AddedLog& log : added_logs) {
    std::string field;
    AppendVarint(&field, log.number);
    AppendU64(&field, log.epoch);
    AppendField(&out, kAddedLog, field);
  }
  for (const AddedTable& table : added_tables) {
    AppendField(&out, kAddedTable, EncodeTable(table));
    if (!table.meta.values.empty()) AppendField(&out, kTableValues, EncodeTableValues(table.meta));
    AppendOfTable(&out, kTombstonesSince, table.meta.number, table.meta.tombstones_since_s);
    AppendOfTable(&out, kTableExpires, table.meta.number, table.meta.expires_us);
    AppendOfTable(&out, kRangesApplied, table.meta.number, table.meta.ranges_applied);
  }
  for (const DeletedTable& table : deleted_tables) {
    std::string field;
    AppendVarint(&field, table.level);
    AppendVarint(&field, table.number);
    AppendField(&out, kDeletedTable, field);
  }
  for (const RangeTombstone& tombstone : added_ranges) {
    AppendField(&out, kRangeTombstone, EncodeRange(tombstone));
  }
  AppendNumber(&out, kNextKeyspaceId, next_keyspace_id);
  for (const uint32_t id : dropped_keyspaces) AppendNumber(&out, kDroppedKeyspace, id);
  for (const KeyspaceRecord& keyspace : keyspaces) AppendField(&out, kKeyspace, EncodeKeyspace(keyspace));
  return out;
}

Result<VersionEdit> VersionEdit::Decode(Slice bytes) {
  VersionEdit edit;
  Decoder in(bytes);
  while (!in.empty()) {
    uint8_t tag = 0;
    Slice bytes_of_field;
    const size_t position = bytes.size() - in.remaining().size();
    if (!in.ReadU8(&tag) || !in.ReadLengthPrefixed(&bytes_of_field)) {
      return Malformed("found a cut off field at byte " + std::to_string(position));
    }
    Decoder field(bytes_of_field);
    bool known = false;
    const bool whole = DecodeField(tag, &field, &edit, &known);
    if (!known) {
      if (tag >= kFirstSkippable) continue;
      return Status::NotSupported("decode manifest edit: found field " + std::to_string(tag) +
                                  ", written by a later version");
    }
    if (!whole || !field.empty()) {
      return Malformed("found malformed field " + std::to_string(tag) + " at byte " +
                       std::to_string(position));
    }
  }
  if (edit.log_number.has_value() != edit.log_first_record.has_value()) {
    return Malformed("found one of log_number and log_first_record, expected both or none");
  }
  return edit;
}

std::string VersionEdit::ToString() const {
  std::string out;
  if (database_id.has_value()) out += "database_id " + Hex(database_id->high) + Hex(database_id->low) + "\n";
  PrintNumber(&out, "num_levels", num_levels);
  PrintNumber(&out, "next_file_number", next_file_number);
  PrintNumber(&out, "last_sequence", last_sequence);
  PrintNumber(&out, "log_number", log_number);
  PrintNumber(&out, "log_first_record", log_first_record);
  if (epoch.has_value()) out += "epoch " + Hex(*epoch) + "\n";
  for (const AddedLog& log : added_logs) {
    out += "add log " + std::to_string(log.number) + " epoch " + Hex(log.epoch) + "\n";
  }
  for (const AddedTable& table : added_tables) {
    const TableMeta& meta = table.meta;
    out += "add table " + std::to_string(meta.number) + " L" + std::to_string(table.level) + " run " +
           std::to_string(table.run) + " bytes " + std::to_string(meta.bytes) + " keys " +
           Hex(meta.smallest_key) + " .. " + Hex(meta.largest_key) + " sequences " +
           std::to_string(meta.smallest_sequence) + " .. " + std::to_string(meta.largest_sequence) +
           " entries " + std::to_string(meta.entries) + " tombstones " + std::to_string(meta.tombstones) +
           " tier " + std::to_string(static_cast<int>(meta.tier)) + " epoch " + Hex(meta.epoch);
    if (meta.tombstones_since_s != 0) out += " tombstones_since " + std::to_string(meta.tombstones_since_s);
    if (meta.expires_us != 0) out += " expires_us " + std::to_string(meta.expires_us);
    if (meta.ranges_applied != 0) out += " ranges_applied " + std::to_string(meta.ranges_applied);
    for (const ValueBytes& values : meta.values) {
      out += " values " + std::to_string(values.segment) + ":" + std::to_string(values.bytes);
    }
    out += "\n";
  }
  for (const DeletedTable& table : deleted_tables) {
    out += "delete table " + std::to_string(table.number) + " L" + std::to_string(table.level) + "\n";
  }
  for (const RangeTombstone& tombstone : added_ranges) {
    out += "add range tombstone " + Hex(tombstone.begin) + " .. " + Hex(tombstone.end) + " sequence " +
           std::to_string(tombstone.sequence) + " since " + std::to_string(tombstone.since_s) + "\n";
  }
  PrintNumber(&out, "next_keyspace_id", next_keyspace_id);
  for (const uint32_t id : dropped_keyspaces) out += "drop keyspace " + std::to_string(id) + "\n";
  for (const KeyspaceRecord& keyspace : keyspaces) out += PrintKeyspace(keyspace);
  return out;
}

}  // namespace seerdb
