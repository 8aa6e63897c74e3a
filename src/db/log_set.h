// LogSet: the live segments of the log: where records go, what is durable, what may be reused.
//
// One segment is active. A memtable owns a run of segments; a full segment and every new memtable start the
// next one. A segment is prepared and listed in the manifest before its first record is acknowledged, in the
// background when there is time. A released segment is kept for reuse (never a mapped one) or deleted. Each
// segment has a mode for life, chosen when it is prepared; a change of mode starts the next segment early.
// A sync covers every earlier segment first, so what is durable is always a prefix of the log.
// Thread safety: Append, StartSegment and mark by the leader of the commit group; the rest concurrently.
// Lock order: prepare_mu_ (held during I/O), then sync_mu_ (held during I/O), then mu_ (leaf).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "db/read_view.h"
#include "manifest/version_set.h"
#include "metrics/statistics.h"
#include "seerdb/file_system.h"
#include "wal/log_file_maker.h"
#include "wal/log_mode_chooser.h"
#include "wal/log_segment.h"

namespace seerdb {

struct LogSetOptions {
  std::string directory;
  DatabaseId database;
  uint64_t epoch = 0;
  uint64_t segment_bytes = 0;
  LogMode mode = LogMode::kAuto;
  bool prepares_ahead = true;              // somebody calls PrepareSpare
  std::shared_ptr<MemoryAccount> account;  // of mapped segments; may be null
  // Makes what records refer to durable; called before they become so. Null: nothing.
  std::function<Status()> sync_values = nullptr;
  // By default all pages are large.
  std::shared_ptr<LargePageGauge> large_pages = std::make_shared<LargePageGauge>(nullptr);
  // Files of released logs may become new ones. What such a one has behind its last record may look torn.
  bool recycles = true;
};

// What a group of writes asks of the log.
enum class LogSync : unsigned char {
  kNone,  // in the kernel
  kData,  // durable, with everything logged before
  kAll,   // the same, with all metadata
};

class LogSet {
 public:
  LogSet(std::shared_ptr<FileSystem> fs, LogSetOptions options, VersionSet* versions,
         std::shared_ptr<Statistics> statistics);

  // Mode of the first segment: under kAuto one that costs little to prepare.
  static LogMode FirstMode(LogMode option) { return option == LogMode::kAuto ? LogMode::kBuffered : option; }
  // Takes the first segment: prepared, and listed in the manifest.
  void Start(PreparedLogFile prepared, uint64_t log_number, uint64_t next_record);

  // Logs one group in the active segment, after starting a new one if it is full or of the wrong mode, and
  // makes it as durable as asked. `apart`: it points to values apart. An error is sticky until the next
  // segment.
  Status Append(const std::vector<LogSegment::Record>& records, LogSync sync, bool apart)
      EXCLUDES(sync_mu_, mu_);
  // The next record goes to a fresh segment (the active one if it is still empty and has not failed).
  Status StartSegment();
  // An Append failed: the active segment may end in frames that nobody was promised. It takes no more
  // records, and must be released before any record of a later segment is acknowledged.
  bool active_failed() const { return abandoned_; }
  // Where the next record goes. Requires: StartSegment or Start was the last call.
  LogMark mark() const;

  // Makes everything appended before the call durable. `all` = with all metadata.
  Status Sync(bool all) EXCLUDES(sync_mu_, mu_);

  // Makes a spare segment unless there is one. For a background task.
  Status PrepareSpare() EXCLUDES(prepare_mu_);
  // True once for each segment: time to call PrepareSpare in the background. For the first one when it is
  // half full or its mode does not fit any more: little may ever be written. For later ones at once: a
  // memtable's last segment may end soon after it began.
  bool TakeSpareRequest();

  // Logs below `log_number` are released by a durable edit.
  void Release(uint64_t log_number) EXCLUDES(mu_);
  // Deletes every file: all logs are released. No call may follow.
  void DeleteAll() EXCLUDES(mu_);

  // Bytes of all log files: live ones as allocated, the spare one, those kept for reuse.
  uint64_t file_bytes() const EXCLUDES(mu_);
  // Bytes of live segments. The number the next record gets.
  uint64_t live_bytes() const EXCLUDES(mu_);
  uint64_t next_record() const { return active_->next_record(); }
  LogMode active_mode() const { return active_->mode(); }
  // Whether the active segment has no room for `bytes` more. For the leader.
  bool active_ends_within(uint64_t bytes) const { return !active_->HasRoom(bytes); }
  // Bytes appended since Start, padding included. For the leader.
  uint64_t appended_bytes() const { return appended_bytes_; }

 private:
  struct Live {
    std::shared_ptr<LogSegment> segment;
    bool synced_whole = false;  // sealed, and all of it is durable
  };
  struct Spare {
    uint64_t log_number = 0;
    PreparedLogFile file;
  };
  struct Recyclable {
    std::string path;
    LogMode mode;
    uint64_t bytes;
  };
  Result<Spare> MakeSpareLocked(uint64_t bytes, LogMode mode) REQUIRES(prepare_mu_);
  Status NextSegment(uint64_t frame_bytes) EXCLUDES(prepare_mu_);
  void Activate(Spare spare, uint64_t next_record) EXCLUDES(mu_);
  LogMode HurriedMode() const;
  bool ShouldRotate(uint64_t frame_bytes) const;
  // What is synced must not lie in large pages.
  bool LeavesLargePages() const { return active_->large_pages() && synced_.load(std::memory_order_relaxed); }
  Status Write(const std::vector<LogSegment::Record>& records, LogSync sync) EXCLUDES(sync_mu_, mu_);
  void RaiseDurable(uint64_t record);
  Status SyncValues() const { return options_.sync_values == nullptr ? Status() : options_.sync_values(); }
  std::string TakeRecyclable(LogMode mode) EXCLUDES(mu_);

  const std::shared_ptr<FileSystem> fs_;
  const LogSetOptions options_;
  VersionSet* const versions_;
  const std::shared_ptr<Statistics> statistics_;
  std::shared_ptr<LogSegment> active_;  // replaced by the leader only
  std::atomic<uint64_t> durable_record_{0};
  // The leader's:
  LogModeChooser chooser_;
  MemoryCharge active_charge_;
  bool has_rotated_ = false;      // the active segment is not the first
  bool spare_requested_ = false;  // for the active segment
  bool abandoned_ = false;        // so is the active segment
  uint64_t appended_bytes_ = 0;
  // What the leader wants, for PrepareSpare; what the spare segment is and what was refused, for the leader.
  std::atomic<LogMode> wanted_mode_;
  std::atomic<bool> synced_{false};                  // at any time: then no segment has large pages any more
  std::atomic<LogMode> spare_mode_{LogMode::kAuto};  // kAuto: there is none
  std::atomic<uint64_t> spare_bytes_{0};             // of its file
  std::atomic<LogMode> refused_mode_{LogMode::kAuto};
  Mutex prepare_mu_;
  std::optional<Spare> spare_ GUARDED_BY(prepare_mu_);
  MemoryCharge spare_charge_ GUARDED_BY(prepare_mu_);
  Mutex sync_mu_;
  mutable Mutex mu_;
  std::vector<Live> live_ GUARDED_BY(mu_);              // ascending; the last one is active
  std::vector<Recyclable> recyclable_ GUARDED_BY(mu_);  // released files kept for reuse
};

}  // namespace seerdb
