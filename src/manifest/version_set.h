// VersionSet: the current Version and the counters, kept durable in a manifest file.
//
// Open reads CURRENT and the manifest it names; Create starts a database. Both leave a *new* manifest file
// that begins with a snapshot of the state, synced and named by CURRENT (written as CURRENT.tmp, synced,
// renamed, directory synced). Apply appends one edit, syncs it, and only then installs the new Version.
// A failed append or sync is sticky: every later Apply returns the first error. After one for want of
// something that may be there again (Status::MayPass) Resume starts over in a new file; after any other only
// reopening helps. A manifest whose last record is cut off was cut by a crash and that record never took
// effect; damage anywhere else is kCorruption/kManifestCorruption. Thread safety: all methods concurrently.
// mu_ is held during I/O; reads and writes of the database never take it (docs/concurrency.md).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "manifest/version.h"
#include "manifest/version_edit.h"
#include "metrics/statistics.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"

namespace seerdb {

class ManifestWriter;

// The state a manifest describes.
struct ManifestState {
  DatabaseId database_id;
  uint32_t num_levels = 0;
  uint64_t next_file_number = 1;
  SequenceNumber last_sequence = 0;
  uint64_t log_number = 0;        // logs below are released
  uint64_t log_first_record = 1;  // number of the first record of the oldest live log
  uint64_t epoch = 0;
  std::vector<VersionEdit::AddedLog> logs;  // live, ascending by number
  uint32_t next_keyspace_id = 1;
  std::vector<KeyspaceRecordPtr> keyspaces;  // ascending by id
  VersionPtr version;
};

// True if the edit sets everything that the first record of a manifest must.
bool IsSnapshot(const VersionEdit& edit);

// Applies `edit` to `state`. kCorruption if it deletes a table that is not there, adds one twice, names a
// level out of range, overlaps ranges within a run, moves a counter back, or drops a keyspace that is not
// there.
Status ApplyEdit(const VersionEdit& edit, ManifestState* state);

// Reads CURRENT and its manifest; changes nothing. kIoError/kNotFound if there is no CURRENT.
struct ManifestSource {
  std::string path;         // of the manifest read
  uint64_t torn_bytes = 0;  // of an unfinished record at its end
};
// `source` may be null.
Result<ManifestState> ReadManifest(FileSystem& fs, const std::string& directory, ManifestSource* source);

// Hands every edit of one manifest file to `visit`, in order (for `seerdb dump`).
Status VisitManifest(FileSystem& fs, const std::string& path,
                     const std::function<void(uint64_t offset, const VersionEdit& edit)>& visit);

class VersionSet {
 public:
  // A database in an existing directory without CURRENT.
  static Result<std::unique_ptr<VersionSet>> Create(FileSystem& fs, const std::string& directory,
                                                    const ManifestState& initial,
                                                    std::shared_ptr<Statistics> statistics);
  // Continues `state` (from ReadManifest) in a new manifest file; `state.next_file_number` must be above
  // every number seen in the directory.
  static Result<std::unique_ptr<VersionSet>> Continue(FileSystem& fs, const std::string& directory,
                                                      const ManifestState& state,
                                                      std::shared_ptr<Statistics> statistics);
  ~VersionSet();

  // Makes `edit` durable and current. next_file_number is filled in by this call. After an error a crash may
  // bring the edit into force or not: the files it names stay, and belong to this object, as do
  // `new_segments`, the value segments that only its tables point into.
  Status Apply(VersionEdit edit, const std::vector<uint64_t>& new_segments = {});

  // After a failed Apply: writes the state in force to a new manifest, and removes the files that only failed
  // edits name, once CURRENT can no longer lead to those. OK if nothing has failed. An error that
  // is not Status::MayPass is there to stay; the state and the old manifest are as before.
  Status Resume();
  // Why no edit can be applied before Resume; OK if there is no reason. An Apply that succeeds may leave one:
  // its edit is durable, and the manifest that should have followed may be the one that CURRENT names, or
  // not.
  Status failure() const;

  // A number never handed out before, in this life or an earlier one. Durable reservations are made in
  // blocks, by Apply and when a block runs out.
  Result<uint64_t> NewFileNumber();

  VersionPtr current() const;
  ManifestState state() const;
  uint64_t manifest_number() const { return manifest_number_.load(std::memory_order_relaxed); }
  uint64_t manifest_bytes() const;

 private:
  class Writer;
  VersionSet(FileSystem& fs, std::string directory, std::shared_ptr<Statistics> statistics);
  // Continues in a new manifest file and deletes the old one.
  Status StartManifestLocked() REQUIRES(mu_);
  Result<std::unique_ptr<ManifestWriter>> CreateManifestLocked(uint64_t* number) REQUIRES(mu_);
  Status AppendLocked(const VersionEdit& edit, const std::vector<uint64_t>& new_segments) REQUIRES(mu_);
  Result<uint64_t> TakeManifestNumberLocked() REQUIRES(mu_);
  void NoteDoubtfulLocked(const VersionEdit& edit, const std::vector<uint64_t>& new_segments) REQUIRES(mu_);
  // False if all durably reserved numbers are handed out.
  bool TakeReserved(uint64_t* number);
  // What next_file_number the next edit carries.
  uint64_t ReservationLimit() const;

  FileSystem& fs_;
  const std::string directory_;
  const std::shared_ptr<Statistics> statistics_;
  std::atomic<uint64_t> next_file_number_{1};
  std::atomic<uint64_t> reserved_file_number_{1};  // numbers below are durably taken
  std::atomic<uint64_t> manifest_number_{0};
  mutable Mutex mu_;
  ManifestState state_ GUARDED_BY(mu_);
  std::unique_ptr<Writer> writer_ GUARDED_BY(mu_);
  Status failure_ GUARDED_BY(mu_);
  // Named by failed edits and by nothing else: a crash may bring them into force.
  std::vector<std::string> doubtful_files_ GUARDED_BY(mu_);
};

}  // namespace seerdb
