#include <map>

#include "base/assert.h"
#include "base/coding.h"
#include "format/keyspace_prefix.h"
#include "fuzz/hostile_files.h"
#include "fuzz/input.h"
#include "fuzz/manifest_ranges.h"
#include "fuzz/reseal.h"
#include "fuzz/targets.h"
#include "manifest/manifest_file.h"
#include "manifest/version_set.h"

namespace seerdb::fuzz {
namespace {

constexpr char kDirectory[] = "/db";
constexpr char kManifest[] = "/db/MANIFEST-000003";
constexpr uint64_t kNumber = 3;

// The sums are those of the tables, unless a sum is no number.
void CheckValues(const Version& version) {
  std::map<uint64_t, uint64_t> want;
  for (const Level& level : version.levels()) {
    for (const Run& run : level.runs) {
      for (const TableMetaPtr& table : run.tables) {
        for (const ValueBytes& values : table->values) {
          uint64_t& sum = want[values.segment];
          if (sum + values.bytes < sum) return;
          sum += values.bytes;
        }
      }
    }
  }
  SEERDB_ASSERT((version.values() == nullptr) == want.empty());
  if (want.empty()) return;
  ValueBytesList list;
  for (const auto& [segment, bytes] : want) list.push_back({segment, bytes});
  SEERDB_ASSERT(*version.values() == list);
}

// What later code relies on.
void CheckState(const ManifestState& state) {
  SEERDB_ASSERT(state.version != nullptr && state.version->levels().size() == state.num_levels);
  uint64_t last_log = 0;
  for (const VersionEdit::AddedLog& log : state.logs) {
    SEERDB_ASSERT(log.number >= state.log_number && (last_log == 0 || log.number > last_log));
    last_log = log.number;
  }
  uint64_t next_id = 0;
  for (const KeyspaceRecordPtr& keyspace : state.keyspaces) {
    SEERDB_ASSERT(keyspace->id >= next_id && keyspace->id < state.next_keyspace_id);
    next_id = uint64_t{keyspace->id} + 1;
  }
  for (const Level& level : state.version->levels()) {
    for (const Run& run : level.runs) {
      SEERDB_ASSERT(!run.tables.empty());
      const TableMeta* last = nullptr;
      for (const TableMetaPtr& table : run.tables) {
        SEERDB_ASSERT(table->smallest_key <= table->largest_key);
        SEERDB_ASSERT(last == nullptr || last->largest_key < table->smallest_key);
        SEERDB_ASSERT(table->largest_sequence <= state.last_sequence);
        last = table.get();
      }
    }
  }
  CheckValues(*state.version);
  CheckRanges(state);
}

// Applies `edit`, as a whole or not at all. Twice the same one behind another is as good as any other.
bool CheckApply(const VersionEdit& edit, ManifestState* state) {
  const ManifestState before = *state;
  if (!ApplyEdit(edit, state).ok()) return false;
  CheckState(*state);
  CheckRangesKept(before, edit, *state);
  ManifestState twice = *state;
  if (ApplyEdit(edit, &twice).ok()) CheckState(twice);
  return true;
}

// An edit that was decoded encodes to one that decodes to the same, and is applied as a whole or refused:
// true if it was applied.
bool CheckEdit(const VersionEdit& edit, ManifestState* state) {
  const auto again = VersionEdit::Decode(edit.Encode());
  SEERDB_ASSERT(again.ok() && *again == edit);
  SEERDB_ASSERT(!edit.ToString().empty() || edit == VersionEdit());
  return CheckApply(edit, state);
}

ManifestState EmptyState() {
  ManifestState state;
  state.num_levels = 7;
  state.version = std::make_shared<const Version>(7);
  return state;
}

// A range tombstone over keys such as DrawEdit gives to tables, or beside them.
RangeTombstone DrawRange(Input* input) {
  const uint8_t shape = input->Byte();
  RangeTombstone tombstone;
  tombstone.begin = input->Bytes(shape % 4);
  tombstone.end = shape >= 128 ? BehindPrefix(Slice(tombstone.begin).substr(0, 1))
                               : std::string(input->Bytes(shape / 4 % 4));
  tombstone.sequence = input->Byte();
  tombstone.since_s = shape / 16 % 8;
  return tombstone;
}

// An edit of small numbers, so that edits meet in logs, tables and levels.
VersionEdit DrawEdit(Input* input) {
  VersionEdit edit;
  const uint8_t fields = input->Byte();
  if ((fields & 1) != 0) edit.database_id = DatabaseId{input->Byte() % 3u, 0};
  if ((fields & 2) != 0) edit.num_levels = input->Byte() % 80;
  if ((fields & 4) != 0) edit.last_sequence = uint64_t{input->Byte()} << (fields / 64 * 20);
  if ((fields & 8) != 0) edit.next_file_number = input->Byte();
  if ((fields & 16) != 0) {
    edit.log_number = input->Byte() % 32;
    edit.log_first_record = input->Byte();
    // One without the other does not survive encoding; applying refuses it too.
    if (*edit.log_first_record == 255) edit.log_first_record.reset();
  }
  if ((fields & 32) != 0) edit.added_logs.push_back({input->Byte() % 32u, 1});
  for (uint8_t n = input->Byte() % 4; n > 0; --n) {
    VersionEdit::AddedTable table;
    const uint8_t place = input->Byte();
    table.level = place % 8;
    table.run = place / 64;
    table.meta.number = input->Byte() % 32;
    table.meta.smallest_key = input->Bytes(1);
    table.meta.largest_key = input->Bytes(1);
    table.meta.largest_sequence = place >= 128 ? uint64_t{input->Byte()} << 50 : 5;
    if (place % 16 >= 8) table.meta.values = {{1 + place % 3u, 1 + table.meta.number}, {5, 7}};
    edit.added_tables.push_back(table);
  }
  for (uint8_t n = input->Byte() % 4; n > 0; --n) {
    const uint8_t level = input->Byte() % 8;
    edit.deleted_tables.push_back({level, input->Byte() % 32u});
  }
  const uint8_t keyspaces = input->Byte();
  if ((keyspaces & 1) != 0) edit.next_keyspace_id = input->Byte() % 16;
  if ((keyspaces & 2) != 0) edit.dropped_keyspaces.push_back(input->Byte() % 16u);
  if ((keyspaces & 4) != 0) {
    const uint8_t id = input->Byte();
    const std::string name(input->Bytes(id / 128u));
    const std::string merge_operator(input->Bytes(1));
    edit.keyspaces.push_back({id % 16u, name, static_cast<uint8_t>(id / 64), merge_operator, id, 1});
  }
  if ((keyspaces & 8) != 0 && !edit.added_tables.empty()) edit.added_tables.back().meta.expires_us = 7;
  for (int n = keyspaces / 16 % 4; n > 0; --n) edit.added_ranges.push_back(DrawRange(input));
  if ((keyspaces & 64) != 0 && !edit.added_tables.empty()) {
    edit.added_tables.back().meta.ranges_applied = input->Byte();
  }
  return edit;
}

// Edits one after another, each with its length before it; a length of 0 stands before one to be drawn.
void ApplyEdits(Input* input) {
  ManifestState state = EmptyState();
  RangesFollower ranges;
  for (int i = 0; i < 100 && !input->empty(); ++i) {
    const uint8_t length = input->Byte();
    if (length == 0) {
      const VersionEdit edit = DrawEdit(input);
      if (edit.log_number.has_value() == edit.log_first_record.has_value()) {
        if (CheckEdit(edit, &state)) ranges.Follow(edit, state);
      } else {
        SEERDB_ASSERT(!VersionEdit::Decode(edit.Encode()).ok() && !ApplyEdit(edit, &state).ok());
      }
      continue;
    }
    const auto edit = VersionEdit::Decode(input->Bytes(length));
    if (edit.ok() && CheckEdit(*edit, &state)) ranges.Follow(*edit, state);
  }
}

// A manifest written from payloads gives them back, all but those from the first damaged one on.
void WriteAndRead(HostileFiles* files, Input* input, uint8_t fault) {
  const bool flip = input->Byte() % 2 == 1;
  const uint16_t place = input->Word();
  std::vector<std::string> payloads;
  {
    auto writer = ManifestWriter::Create(files->fs(), kManifest, kNumber);
    SEERDB_ASSERT(writer.ok());
    SEERDB_ASSERT(!(*writer)->Append("").ok());
    for (int i = 0; i < 100 && !input->empty(); ++i) {
      payloads.emplace_back(input->Bytes(input->Byte()));
      if (payloads.back().empty()) payloads.back() = "x";
      SEERDB_ASSERT((*writer)->Append(payloads.back()).ok());
    }
  }
  auto bytes = ReadFileToString(files->fs(), kManifest);
  SEERDB_ASSERT(bytes.ok());
  if (flip && !bytes->empty()) (*bytes)[place % bytes->size()] ^= static_cast<char>(1 << place % 8);
  files->Write(kManifest, *bytes);
  files->ArmFault(fault);
  size_t records = 0;
  const auto read = ReadManifestRecords(files->fs(), kManifest, kNumber, [&](uint64_t, Slice payload) {
    SEERDB_ASSERT(records < payloads.size() && payload == payloads[records]);
    ++records;
    return Status::Ok();
  });
  if (files->fired()) return;
  if (flip) {
    SEERDB_ASSERT(!read.ok() || records + 1 == payloads.size());
  } else {
    SEERDB_ASSERT(read.ok() == !payloads.empty() && records == payloads.size());
  }
}

// CURRENT and the manifest that it names, of any bytes.
void ReadFiles(HostileFiles* files, Input* input, uint8_t choice, uint8_t fault) {
  bool renamed = false;
  SEERDB_ASSERT(WriteCurrent(files->fs(), kDirectory, kNumber, &renamed).ok() && renamed);
  if ((choice & 8) != 0) files->Write("/db/CURRENT", input->Bytes(input->Byte()));
  std::string bytes(input->Rest());
  if ((choice & 4) != 0) ResealManifest(kNumber, &bytes);
  files->Write(kManifest, bytes);
  files->ArmFault(fault);
  ManifestState state = EmptyState();
  VisitManifest(files->fs(), kManifest, [&](uint64_t offset, const VersionEdit& edit) {
    SEERDB_ASSERT(offset <= bytes.size());
    CheckEdit(edit, &state);
  }).IgnoreError("any bytes may come");
  // Repair reads whatever is intact.
  VisitIntactManifestRecords(files->fs(), kManifest, kNumber, [](uint64_t, Slice payload) {
    Touch(payload);
    return Status::Ok();
  }).IgnoreError("any bytes may come");
  ManifestSource source;
  const auto read = ReadManifest(files->fs(), kDirectory, &source);
  if (!read.ok()) return;
  CheckState(*read);
  SEERDB_ASSERT(source.path == kManifest);
}

}  // namespace

// Byte 0 chooses: edits, a manifest written and damaged, or files as they come, resealed or not. Byte 1: a
// fault.
void FuzzManifest(Slice bytes) {
  Input input(bytes);
  const uint8_t choice = input.Byte();
  const uint8_t fault = input.Byte();
  if (choice % 4 == 0) return ApplyEdits(&input);
  HostileFiles files;
  SEERDB_ASSERT(files.fs().CreateDirectory(kDirectory).ok());
  if (choice % 4 == 1) return WriteAndRead(&files, &input, fault);
  ReadFiles(&files, &input, choice, fault);
}

}  // namespace seerdb::fuzz
