// LogSet: the live segments of the log: where records go, what is durable, what may be reused.
//
// One segment is active. A memtable owns a run of segments; a full segment and every new memtable start the
// next one. A segment is prepared and listed in the manifest before its first record is acknowledged, in the
// background when there is time. A released segment is kept for reuse or deleted.
// A sync covers every earlier segment first, so what is durable is always a prefix of the log.
// Thread safety: Append, StartSegment and mark by the leader of the commit group; the rest concurrently.
// Lock order: prepare_mu_ (held during I/O), then sync_mu_ (held during I/O), then mu_ (leaf).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "db/read_view.h"
#include "manifest/version_set.h"
#include "metrics/statistics.h"
#include "seerdb/file_system.h"
#include "wal/log_segment.h"

namespace seerdb {

struct LogSetOptions {
  std::string directory;
  DatabaseId database;
  uint64_t epoch = 0;
  uint64_t segment_bytes = 0;
};

class LogSet {
 public:
  LogSet(std::shared_ptr<FileSystem> fs, LogSetOptions options, VersionSet* versions,
         std::shared_ptr<Statistics> statistics);

  // Opens the first segment: prepared, and listed in the manifest.
  Status Start(uint64_t log_number, uint64_t next_record);

  // Appends records to the active segment, after starting a new one if it is full. kernel-safe when OK.
  Status Append(const std::vector<LogSegment::Record>& records);
  // The next record goes to a fresh segment (the active one if it is still empty).
  Status StartSegment();
  // Where the next record goes. Requires: StartSegment or Start was the last call.
  LogMark mark() const;

  // Makes everything appended before the call durable. `all` = with all metadata.
  Status Sync(bool all) EXCLUDES(sync_mu_, mu_);

  // Makes a spare segment unless there is one. For a background task.
  Status PrepareSpare() EXCLUDES(prepare_mu_);
  // True once for each segment, when it is half full: time to call PrepareSpare in the background.
  bool TakeSpareRequest();

  // Logs below `log_number` are released by a durable edit.
  void Release(uint64_t log_number) EXCLUDES(mu_);
  // Deletes every file: all logs are released. No call may follow.
  void DeleteAll() EXCLUDES(mu_);

  // Bytes of live segments. The number the next record gets.
  uint64_t live_bytes() const EXCLUDES(mu_);
  uint64_t next_record() const { return active_->next_record(); }

 private:
  struct Live {
    std::shared_ptr<LogSegment> segment;
    bool synced_whole = false;  // sealed, and all of it is durable
  };
  struct Spare {
    uint64_t log_number = 0;
    std::string path;
  };
  Result<Spare> MakeSpareLocked(uint64_t bytes) REQUIRES(prepare_mu_);
  Status NextSegment(uint64_t bytes) EXCLUDES(prepare_mu_);

  const std::shared_ptr<FileSystem> fs_;
  const LogSetOptions options_;
  VersionSet* const versions_;
  const std::shared_ptr<Statistics> statistics_;
  std::shared_ptr<LogSegment> active_;  // replaced by the leader only
  std::atomic<uint64_t> durable_record_{0};
  bool spare_requested_ = false;  // for the active segment; the leader's
  Mutex prepare_mu_;
  std::optional<Spare> spare_ GUARDED_BY(prepare_mu_);
  Mutex sync_mu_;
  mutable Mutex mu_;
  std::vector<Live> live_ GUARDED_BY(mu_);               // ascending; the last one is active
  std::vector<std::string> recyclable_ GUARDED_BY(mu_);  // released files kept for reuse
};

}  // namespace seerdb
