#include "db/repair_inventory.h"

#include <algorithm>
#include <cstdio>

#include "base/crc32c.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "format/file_name.h"
#include "manifest/manifest_file.h"
#include "manifest/manifest_salvage.h"
#include "vlog/value_format.h"

namespace seerdb {
namespace {

std::string MarkerContents(uint64_t first_number) {
  const std::string line = "first number " + std::to_string(first_number) + "\n";
  char crc[32];
  std::snprintf(crc, sizeof crc, "crc32c %08x\n", static_cast<unsigned>(crc32c::Value(line)));
  return line + crc;
}

// The number in an intact marker. One that is not was cut before anything else had been written.
Result<std::optional<uint64_t>> ReadMarker(FileSystem& fs, const std::string& directory) {
  SEERDB_ASSIGN_OR_RETURN(const std::string text, ReadFileToString(fs, RepairMarkerPath(directory)));
  unsigned long long number = 0;
  if (std::sscanf(text.c_str(), "first number %llu\n", &number) != 1) return std::optional<uint64_t>();
  if (text != MarkerContents(number)) return std::optional<uint64_t>();
  return std::optional<uint64_t>(number);
}

class InventoryTaker {
 public:
  InventoryTaker(FileSystem& fs, const std::string& directory) : fs_(fs), directory_(directory) {}

  Result<RepairInventory> Take() {
    SEERDB_RETURN_IF_ERROR(ListFiles());
    if (inventory_.finished) return std::move(inventory_);
    SEERDB_RETURN_IF_ERROR(ReadManifests());
    SEERDB_RETURN_IF_ERROR(ReadLogHeaders());
    SEERDB_RETURN_IF_ERROR(ReadValueHeaders());
    if (chosen_.has_value() && chosen_->whole) {
      SEERDB_ASSIGN_OR_RETURN(const bool lost, MayHaveLostEdits(chosen_->state));
      inventory_.manifest_kept = !lost;
      inventory_.state = std::move(chosen_->state);
    }
    if (!inventory_.has_marker) inventory_.first_number = inventory_.next_file_number;
    return std::move(inventory_);
  }

 private:
  Status ListFiles() {
    SEERDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.ListDirectory(directory_));
    std::optional<uint64_t> own;
    if (std::find(names.begin(), names.end(), "REPAIR") != names.end()) {
      SEERDB_ASSIGN_OR_RETURN(own, ReadMarker(fs_, directory_));
    }
    inventory_.has_marker = own.has_value();
    inventory_.first_number = own.value_or(1);
    if (own.has_value()) SEERDB_RETURN_IF_ERROR(SeeWhetherFinished(*own, names));
    bool ours = false;
    for (const std::string& name : names) {
      uint64_t number = 0;
      const FileKind kind = ParseFileName(name, &number);
      if (kind == FileKind::kUnknown || kind == FileKind::kLock || kind == FileKind::kRepair) continue;
      if (kind != FileKind::kTemporary) ours = true;
      inventory_.has_current |= kind == FileKind::kCurrent;
      inventory_.next_file_number = std::max(inventory_.next_file_number, number + 1);
      if (own.has_value() && number >= *own) {
        inventory_.leftovers.push_back(name);
      } else if (kind == FileKind::kTable) {
        inventory_.tables.insert(number);
      } else if (kind == FileKind::kLog) {
        inventory_.logs[number] = 0;
      } else if (kind == FileKind::kManifest) {
        manifests_.push_back(number);
      } else if (kind == FileKind::kValues) {
        value_segments_.push_back(number);
      }
    }
    if (ours) return {};
    return Status::InvalidArgument("repair " + directory_ + ": found no file of a database");
  }

  Status SeeWhetherFinished(uint64_t own, const std::vector<std::string>& names) {
    const Result<uint64_t> current = ReadCurrent(fs_, directory_);
    const bool gone = current.status().IsCorruption() || current.status().detail() == StatusDetail::kNotFound;
    if (gone) return SEERDB_MUTANT("repair-begins-anew") ? Status() : SeeWhatWasUnnamed(own, names);
    SEERDB_RETURN_IF_ERROR(current.status());  // it may be there the next time
    if (*current < own) return {};
    SEERDB_ASSIGN_OR_RETURN(inventory_.state, ReadManifest(fs_, directory_, nullptr));
    inventory_.finished = true;
    return {};
  }

  // A repair's manifest is one snapshot, of all that it has made: where it is whole, the repair had come so
  // far that CURRENT may have named it, and what was there before may have been moved away since.
  Status SeeWhatWasUnnamed(uint64_t own, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      uint64_t number = 0;
      if (ParseFileName(name, &number) != FileKind::kManifest || number < own) continue;
      SEERDB_ASSIGN_OR_RETURN(ManifestSalvage salvage,
                              SalvageManifest(fs_, ManifestFilePath(directory_, number), number));
      if (!salvage.whole) continue;
      inventory_.state = std::move(salvage.state);
      inventory_.unnamed_manifest = number;
      inventory_.finished = true;
    }
    return {};
  }

  Status ReadManifests() {
    const Result<uint64_t> current = ReadCurrent(fs_, directory_);
    if (current.status().IsNotSupported()) return current.status();
    for (const uint64_t number : manifests_) {
      SEERDB_ASSIGN_OR_RETURN(ManifestSalvage salvage,
                              SalvageManifest(fs_, ManifestFilePath(directory_, number), number));
      Learn(salvage);
      // Without CURRENT, the one that has counted farthest is the newest.
      const bool named = current.ok() && *current == number;
      const bool newer = !chosen_.has_value() || salvage.next_file_number >= chosen_->next_file_number;
      if (named || (newer && !(chosen_.has_value() && current.ok() && chosen_->number == *current))) {
        chosen_ = std::move(salvage);
      }
    }
    // What CURRENT names and is not there may have said more than any other.
    if (current.ok() && chosen_.has_value() && chosen_->number != *current) chosen_->whole = false;
    return {};
  }

  void Learn(const ManifestSalvage& salvage) {
    RepairInventory& known = inventory_;
    if (!known.database.has_value()) known.database = salvage.database_id;
    known.next_file_number = std::max(known.next_file_number, salvage.next_file_number);
    known.last_sequence = std::max(known.last_sequence, salvage.last_sequence);
    known.next_record = std::max(known.next_record, salvage.log_first_record);
    known.log_first_record = std::max(known.log_first_record, salvage.log_first_record);
    known.log_number = std::max(known.log_number, salvage.log_number);
    for (const VersionEdit::AddedLog& log : salvage.logs) known.epochs[log.number] = log.epoch;
    for (const auto& [number, meta] : salvage.tables) known.metas[number] = meta;
    known.next_keyspace_id = std::max(known.next_keyspace_id, salvage.next_keyspace_id);
    known.ranges.insert(known.ranges.end(), salvage.ranges.begin(), salvage.ranges.end());
    for (const auto& [id, keyspace] : salvage.keyspaces) known.keyspaces[id] = keyspace;
    known.dropped_keyspaces.insert(salvage.dropped_keyspaces.begin(), salvage.dropped_keyspaces.end());
    known.obsolete.insert(salvage.deleted.begin(), salvage.deleted.end());
  }

  Status ReadLogHeaders() {
    for (auto& [number, first_record] : inventory_.logs) {
      SEERDB_ASSIGN_OR_RETURN(const auto file, fs_.NewRandomAccessFile(LogFilePath(directory_, number)));
      char scratch[kLogHeaderBytes];
      SEERDB_ASSIGN_OR_RETURN(const Slice bytes, file->Read(0, sizeof scratch, scratch));
      LogHeader header;
      if (bytes.size() < kLogHeaderBytes || !DecodeLogHeader(bytes, &header)) {
        if (std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != 0; }))
          inventory_.headless_logs.insert(number);
        continue;
      }
      // Of an earlier life, under another name.
      if (header.identity.log_number != number) continue;
      if (!inventory_.database.has_value()) inventory_.database = header.identity.database;
      if (header.identity.database != *inventory_.database) continue;
      inventory_.epochs[number] = header.identity.epoch;
      written_logs_.insert(number);
      if (header.first_record <= kMaxFileNumber) {
        first_record = header.first_record;
        inventory_.next_record = std::max(inventory_.next_record, header.first_record);
      }
    }
    return {};
  }

  // Where nothing else says which database it is.
  Status ReadValueHeaders() {
    for (const uint64_t number : value_segments_) {
      if (inventory_.database.has_value()) break;
      SEERDB_ASSIGN_OR_RETURN(const auto file, fs_.NewRandomAccessFile(ValueFilePath(directory_, number)));
      char scratch[kValueSegmentHeaderBytes];
      SEERDB_ASSIGN_OR_RETURN(const Slice bytes, file->Read(0, sizeof scratch, scratch));
      ValueSegmentHeader header;
      if (DecodeValueSegmentHeader(bytes, &header) && header.segment == number) {
        inventory_.database = header.database;
      }
    }
    return {};
  }

  // A log that was written to and is not listed shows that an edit is lost. A listed file that is missing may
  // show the same, if there are tables that are not listed and could have replaced it.
  Result<bool> MayHaveLostEdits(const ManifestState& state) const {
    std::set<uint64_t> listed_logs;
    for (const VersionEdit::AddedLog& log : state.logs) listed_logs.insert(log.number);
    for (const uint64_t number : written_logs_) {
      if (number >= state.log_number && !listed_logs.contains(number)) return true;
    }
    bool missing = false;
    for (const uint64_t number : listed_logs) missing |= !inventory_.logs.contains(number);
    std::set<uint64_t> listed_tables;
    for (const Level& level : state.version->levels()) {
      for (const Run& run : level.runs) {
        for (const TableMetaPtr& table : run.tables) {
          listed_tables.insert(table->number);
          missing |= !inventory_.tables.contains(table->number);
        }
      }
    }
    if (!missing) return false;
    return std::any_of(inventory_.tables.begin(), inventory_.tables.end(), [&](uint64_t number) {
      return !listed_tables.contains(number) && !inventory_.obsolete.contains(number);
    });
  }

  FileSystem& fs_;
  const std::string& directory_;
  std::vector<uint64_t> manifests_;
  std::vector<uint64_t> value_segments_;
  std::optional<ManifestSalvage> chosen_;
  std::set<uint64_t> written_logs_;
  RepairInventory inventory_;
};

}  // namespace

Result<RepairInventory> TakeInventory(FileSystem& fs, const std::string& directory) {
  return InventoryTaker(fs, directory).Take();
}

Status WriteRepairMarker(FileSystem& fs, const std::string& directory, uint64_t first_number) {
  SEERDB_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                          fs.NewWritableFile(RepairMarkerPath(directory), CreateMode::kTruncate));
  SEERDB_RETURN_IF_ERROR(file->Append(MarkerContents(first_number)));
  SEERDB_RETURN_IF_ERROR(file->SyncAll());
  SEERDB_RETURN_IF_ERROR(file->Close());
  return fs.SyncDirectory(directory);
}

}  // namespace seerdb
