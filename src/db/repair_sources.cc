#include "db/repair_sources.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/status_macros.h"
#include "compaction/table_output.h"
#include "db/keyspaces.h"
#include "db/table_file.h"
#include "format/batch_codec.h"
#include "format/file_name.h"
#include "format/keyspace_prefix.h"
#include "sstable/block_finder.h"
#include "sstable/table_reader.h"
#include "sstable/table_salvage.h"
#include "wal/log_salvage.h"

namespace seerdb {
namespace {

constexpr char kUnfinished[] = "an unfinished record at the end, as a crash leaves it";

// The user's part of an engine key.
std::optional<std::string> UserKey(const std::optional<std::string>& engine_key) {
  uint32_t keyspace = 0;
  Slice user_key;
  if (!engine_key.has_value() || !ParseEngineKey(*engine_key, &keyspace, &user_key)) return std::nullopt;
  return std::string(user_key);
}

// Worth a look at what else there is. Other errors, of permission or space, say nothing about the bytes.
bool IsDamage(const Status& status) { return status.IsCorruption() || IsUnreadable(status); }

SalvageBounds BoundsOf(const TableMeta* listed) {
  if (listed == nullptr) return {};
  const bool one_sequence = listed->smallest_sequence == listed->largest_sequence;
  return {listed->smallest_key, listed->largest_key, listed->entries,
          one_sequence ? listed->largest_sequence : 0};
}

}  // namespace

TableOutputOptions RepairOutput(const std::string& directory, const Options& options, uint64_t epoch,
                                uint64_t* next_file_number) {
  TableOutputOptions output;
  output.directory = directory;
  output.table = TableOptionsOf(options);
  output.epoch = epoch;
  output.new_file_number = [next_file_number]() -> Result<uint64_t> { return (*next_file_number)++; };
  return output;
}

Status RepairSources::CheckWhole(const std::string& path, uint64_t number, const TableMeta* listed,
                                 TableMeta* meta) {
  TableOpenOptions open;
  open.access = TableAccess::kPread;
  open.table_number = number;
  open.expected_bytes = listed != nullptr ? listed->bytes : 0;
  SEERDB_ASSIGN_OR_RETURN(const std::shared_ptr<TableReader> reader, TableReader::Open(fs_, path, open));
  VerifyResult verified;
  SEERDB_RETURN_IF_ERROR(reader->Verify(&verified));
  SEERDB_RETURN_IF_ERROR(CheckValues(*reader));
  *meta = MetaOf(reader->properties(), 0);
  if (listed == nullptr) return {};
  *meta = *listed;
  return CheckAsListed(*reader, *listed);
}

Status RepairSources::CheckValues(const TableReader& table) {
  if (table.properties().values.empty()) return {};
  TableReadFlags flags;
  flags.sequential_pread = true;
  flags.fill_cache = false;
  const std::unique_ptr<InternalIterator> entries = table.NewIterator(flags);
  RepairLoss loss;
  uint64_t lost = 0;
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    if (!IsPointer(entries->type())) continue;
    const Status status = values_.CheckEntry(entries->type(), entries->value());
    if (status.ok()) continue;
    if (!IsDamage(status)) return status;
    if (lost++ == 0) {
      loss = {table.path(),
              0,
              0,
              UserKey(std::string(entries->key())),
              std::nullopt,
              std::string(status.message())};
    }
    loss.largest_key = UserKey(std::string(entries->key()));
  }
  SEERDB_RETURN_IF_ERROR(entries->status());
  if (lost == 0) return {};
  loss.reason = std::to_string(lost) + " values that lie apart cannot be read, the first: " + loss.reason;
  report_.losses.push_back(std::move(loss));
  return {};
}

Result<std::optional<TableMeta>> RepairSources::TakeTable(uint64_t number, const TableMeta* listed) {
  const std::string path = TableFilePath(directory_, number);
  TableMeta meta;
  const Status whole = CheckWhole(path, number, listed, &meta);
  if (whole.ok()) {
    ++report_.tables_intact;
    last_sequence_ = std::max(last_sequence_, meta.largest_sequence);
    return std::optional<TableMeta>(std::move(meta));
  }
  if (whole.detail() == StatusDetail::kNotFound) {
    ++report_.tables_lost;
    RepairLoss loss{path, 0, 0, std::nullopt, std::nullopt, "the file is missing"};
    if (listed != nullptr) {
      loss.bytes = listed->bytes;
      loss.smallest_key = UserKey(listed->smallest_key);
      loss.largest_key = UserKey(listed->largest_key);
    }
    report_.losses.push_back(std::move(loss));
    return std::optional<TableMeta>();
  }
  if (!IsDamage(whole)) return whole;
  return Rewrite(path, number, listed);
}

Result<std::optional<TableMeta>> RepairSources::Rewrite(const std::string& path, uint64_t number,
                                                        const TableMeta* listed) {
  // One table, whatever its size: it takes the place of the other.
  TableOutput output(fs_, RepairOutput(directory_, options_, epoch_, &next_file_number_));
  std::string last_key;
  bool first = true;
  bool writing = false;  // the error is of the new table, not of the damaged one
  const SalvageBounds bounds = BoundsOf(listed);
  Result<TableSalvage> salvage =
      SalvageTable(fs_, path, number, bounds, [&](Slice key, uint64_t trailer, Slice value) -> Status {
        const bool starts_key = first || key != Slice(last_key);
        if (starts_key) last_key.assign(key);
        first = false;
        const Status added = output.Add(key, trailer, value, starts_key);
        writing = !added.ok();
        return added;
      });
  if (!salvage.ok()) {
    if (writing || !IsDamage(salvage.status())) return salvage.status();
    const LostBlocks all{0, 0, std::nullopt, std::nullopt, std::string(salvage.status().message())};
    salvage = TableSalvage{0, 0, 0, {all}};
  }
  SEERDB_ASSIGN_OR_RETURN(std::vector<TableMeta> tables, output.Finish());
  last_sequence_ = std::max(last_sequence_, salvage->largest_sequence);
  for (const LostBlocks& lost : salvage->lost) {
    report_.losses.push_back({path, lost.offset, lost.bytes,
                              UserKey(lost.key_before.has_value() ? lost.key_before : bounds.smallest_key),
                              UserKey(lost.key_behind.has_value() ? lost.key_behind : bounds.largest_key),
                              lost.reason});
  }
  ++(tables.empty() ? report_.tables_lost : report_.tables_salvaged);
  if (tables.empty()) return std::optional<TableMeta>();
  return std::optional<TableMeta>(std::move(tables.front()));
}

Result<std::vector<TableMeta>> RepairSources::TakeListedLogs(const RepairInventory& inventory) {
  const ManifestState& state = inventory.state;
  std::vector<ReplayLog> logs;
  for (const VersionEdit::AddedLog& log : state.logs) {
    logs.push_back({LogFilePath(directory_, log.number), {state.database_id, log.number, log.epoch}});
  }
  ReplayedTables tables(fs_, directory_, options_, &next_file_number_,
                        {epoch_, KeyspacesOf(state, options_, 0), &values_, UINT64_MAX});
  tables.set_last_sequence(std::max(state.last_sequence, last_sequence_));
  const auto apply = [&](SequenceNumber base, Slice operations) { return tables.Apply(base, operations); };
  SEERDB_ASSIGN_OR_RETURN(
      const SalvageSummary salvage,
      SalvageLogs(fs_, logs, {state.log_first_record, tables.last_sequence(), MayBeOperations},
                  SalvageExtent::kWhateverIsLeft, {apply, nullptr}));
  report_.log_records += salvage.replay.records;
  for (const LogGap& gap : salvage.gaps) {
    const RecoveryLoss loss{gap.path, gap.offset, gap.first_record, gap.records, gap.reason};
    report_.losses.push_back({gap.path, gap.offset, 0, std::nullopt, std::nullopt, loss.ToString()});
  }
  if (salvage.replay.torn) {
    report_.losses.push_back(
        {salvage.replay.end_path, salvage.replay.end_offset, 0, std::nullopt, std::nullopt, kUnfinished});
  }
  tables.TakeSequences(0, salvage.unread_bytes);
  last_sequence_ = std::max(last_sequence_, tables.last_sequence());
  next_record_ = std::max(next_record_, salvage.next_record + salvage.unread_bytes);
  unknown_keyspaces_ = tables.unknown_keyspaces();
  SEERDB_RETURN_IF_ERROR(tables.Finish());
  SEERDB_RETURN_IF_ERROR(values_.Sync(tables.tables()));
  ranges_ = std::move(tables.ranges());
  return std::move(tables.tables());
}

Result<uint64_t> RepairSources::TakeFoundLog(const FoundLog& log, SequenceNumber held,
                                             ReplayedTables* tables) {
  uint64_t applied = 0;
  const auto lose = [&](uint64_t offset, std::string reason) {
    report_.losses.push_back({log.path, offset, 0, std::nullopt, std::nullopt, std::move(reason)});
  };
  const auto apply = [&](SequenceNumber base, Slice operations) -> Status {
    const SequenceNumber last = ReplayedTables::LastSequenceOf(base, operations);
    if (last != 0 && last <= held) {  // in a table, or overwritten since; but for range deletions
      tables->TakeRanges(base, operations);
      return {};
    }
    const SequenceNumber expected = tables->last_sequence() + 1;
    const Status taken = tables->Apply(base, operations);
    if (taken.IsCorruption()) lose(0, std::string(taken.message()));
    SEERDB_RETURN_IF_ERROR(taken);
    ++applied;
    if (base > expected) {
      lose(0, "operations " + std::to_string(expected) + " to " + std::to_string(base - 1) +
                  " are in no table and no log");
    }
    return {};
  };
  SEERDB_ASSIGN_OR_RETURN(
      const SalvageSummary salvage,
      SalvageLogs(fs_, {{log.path, log.identity}}, {log.first_record, std::nullopt, MayBeOperations},
                  SalvageExtent::kWhateverIsLeft, {apply, nullptr}));
  if (salvage.replay.records == 0) {
    if (log.sure && salvage.replay.torn) lose(salvage.replay.end_offset, kUnfinished);
    return uint64_t{0};
  }
  report_.log_records += applied;
  if (!salvage.gaps.empty() || salvage.replay.torn) unread_bytes_ += salvage.unread_bytes + 1;
  if (salvage.replay.torn) lose(salvage.replay.end_offset, kUnfinished);
  return salvage.next_record;
}

Result<std::vector<TableMeta>> RepairSources::TakeFoundLogs(const RepairInventory& inventory,
                                                            SequenceNumber held) {
  ReplayedTables tables(fs_, directory_, options_, &next_file_number_,
                        {epoch_, nullptr, &values_, UINT64_MAX});
  tables.set_last_sequence(held);
  // An epoch is that of a whole life: a log whose header is lost mostly has that of another one.
  std::set<uint64_t> all_epochs;
  for (const auto& [number, epoch] : inventory.epochs) all_epochs.insert(epoch);
  uint64_t next_record = inventory.log_first_record;
  for (const auto& [number, first_record] : inventory.logs) {
    if (number < inventory.log_number || !inventory.database.has_value()) continue;
    const auto known = inventory.epochs.find(number);
    const bool sure = known != inventory.epochs.end();
    bool taken = false;
    for (const uint64_t epoch : sure ? std::set<uint64_t>{known->second} : all_epochs) {
      const FoundLog log{LogFilePath(directory_, number),
                         {*inventory.database, number, epoch},
                         first_record != 0 ? first_record : next_record,
                         sure};
      SEERDB_ASSIGN_OR_RETURN(const uint64_t next, TakeFoundLog(log, held, &tables));
      if (next == 0) continue;
      next_record = std::max(next_record, next);
      taken = true;
      break;
    }
    if (!taken && inventory.headless_logs.contains(number)) {
      report_.losses.push_back({LogFilePath(directory_, number), 0, 0, std::nullopt, std::nullopt,
                                "the header is damaged, and no record was found behind it"});
    }
  }
  tables.TakeSequences(inventory.last_sequence, unread_bytes_);
  last_sequence_ = std::max(last_sequence_, tables.last_sequence());
  next_record_ = std::max(inventory.next_record, next_record) + unread_bytes_;
  unknown_keyspaces_ = tables.unknown_keyspaces();
  SEERDB_RETURN_IF_ERROR(tables.Finish());
  SEERDB_RETURN_IF_ERROR(values_.Sync(tables.tables()));
  ranges_ = std::move(tables.ranges());
  return std::move(tables.tables());
}

}  // namespace seerdb
