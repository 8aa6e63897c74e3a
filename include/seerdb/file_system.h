// FileSystem: every file call of the engine goes through this interface, so that a test can replay a run,
// fail any call and simulate a crash at each of them, and a user can bring another file system.
//
// Durability vocabulary: bytes *appended* are in the kernel (they survive a process crash, not a power
// cut); bytes *synced* survive a power cut. A created, renamed or deleted name is durable only after
// SyncDirectory of its directory. kIoError/kNoResources from it says that no sync was tried.
//
// Errors: each names the operation and the path. kIoError with a detail (kNotFound, kNoSpace,
// kAlreadyExists, kPermission), kNotSupported where a file system lacks a call.
// Thread safety: a FileSystem and a RandomAccessFile may be used by many threads at once. A WritableFile
// has one appender at a time; Sync may run beside Append.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "seerdb/export.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

// Bytes of a file mapped (or held) in memory; readable for as long as this object lives, also after the
// file is deleted. Truncating the file from outside makes reads raise SIGBUS: see docs/concurrency.md.
class SEERDB_EXPORT MappedRegion {
 public:
  virtual ~MappedRegion() = default;
  virtual Slice bytes() const = 0;
  // Hint that bytes will be read here and there: what lies beside a page that is missing need not be loaded
  // with it. Never fails.
  virtual void ExpectRandomReads() const {}
  // Begins to load what of [offset, offset + bytes) is not in memory, without waiting for it. True if
  // something was not. Never fails; false where it is not known.
  virtual bool WillNeed(uint64_t /*offset*/, uint64_t /*bytes*/) const { return false; }
  // Brings [offset, offset + bytes) into memory and waits for it, so that reads right after it meet no page
  // that is missing. kIoError where a read would raise a signal; OK, having done nothing, where the system
  // has no such call.
  virtual Status Load(uint64_t /*offset*/, uint64_t /*bytes*/) const { return {}; }
};

class SEERDB_EXPORT RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  // Reads up to `n` bytes at `offset` into `scratch` (room for n bytes) and returns what was read: fewer
  // than n only at the end of the file. Never changes a file position.
  virtual Result<Slice> Read(uint64_t offset, size_t n, char* scratch) const = 0;
  virtual Result<uint64_t> Size() const = 0;
  // Maps the whole file as it is now. kNotSupported where the file system cannot.
  virtual Result<std::shared_ptr<const MappedRegion>> Map() const = 0;
  // Hint that [offset, offset + n) will be read soon. Never fails.
  virtual void ReadAhead(uint64_t /*offset*/, size_t /*n*/) const {}
  // Hint that what memory holds of the file, and does not have to write, be forgotten, so that reads meet
  // what the device has: after a sync that failed the two may differ. Never fails.
  virtual void ForgetClean() const {}
};

// How a log segment is written. A file has one mode for as long as it has its name.
enum class LogMode : unsigned char {
  kAuto = 0,      // Options only: the engine chooses for each segment
  kBuffered = 1,  // write calls; synced by fdatasync or fsync
  kMapped = 2,    // copied into a shared mapping of pages made ready beforehand; the kernel writes them back.
                  // Cheap where writes are not synced. A file system that fails under the mapping (the
                  // device is gone, the file was cut from outside) raises SIGBUS.
  kDirect = 3,    // O_DIRECT writes of whole 4 KiB blocks into space written before. Cheap where they are.
};
// "buffered", ...
SEERDB_EXPORT const char* LogModeName(LogMode mode);

class SEERDB_EXPORT WritableFile {
 public:
  virtual ~WritableFile() = default;  // closes without syncing
  // Writes all of `bytes` at the current end of writing, into the kernel. On error, part of them may have
  // been written, and the position is unspecified: the file must not be appended to again.
  virtual Status Append(Slice bytes) = 0;
  // As Append, of all parts one behind the other. Default: an Append for each that is not empty.
  virtual Status AppendParts(std::span<const Slice> parts);
  // Append, and makes these bytes durable (`all`: as SyncAll, else as Sync). Bytes appended before them stay
  // as durable as they were: Sync covers those. kNoSpace only if the append lacked space; what a sync of its
  // own met is kSyncFailed. Default: Append, then Sync or SyncAll.
  virtual Status AppendSynced(Slice bytes, bool all);
  // What the size of each append must be a multiple of: 1, or a block's bytes.
  virtual uint64_t append_unit_bytes() const { return 1; }
  // Makes all appended bytes durable, with the metadata needed to read them (fdatasync). After an error
  // nothing is known about what is durable; a retry that succeeds proves nothing.
  virtual Status Sync() = 0;
  // As Sync, with all metadata (fsync).
  virtual Status SyncAll() = 0;
  // Hint: begin to bring [offset, offset + bytes), which were appended, to the device, so that a later Sync
  // has less to wait for. Promises nothing of durability; an error that it meets is the next Sync's. Counts
  // as an append: one caller at a time. Default: does nothing.
  virtual void StartWriteback(uint64_t /*offset*/, uint64_t /*bytes*/) {}
  // Reserves disk space for [0, bytes). With `extend` the file grows to that size, and reads back as
  // zeros where nothing was appended; without, the size is unchanged. kNotSupported is harmless.
  virtual Status Allocate(uint64_t bytes, bool extend) = 0;
  // Cuts or extends the file to `bytes`. Does not move the append position.
  virtual Status Truncate(uint64_t bytes) = 0;
  // Closes the descriptor; reports what close reports. No call may follow. Does not sync.
  virtual Status Close() = 0;
};

// Holds an exclusive lock until destroyed.
class SEERDB_EXPORT FileLock {
 public:
  virtual ~FileLock() = default;
};

struct FileInfo {
  uint64_t bytes = 0;
  uint64_t links = 1;
  bool is_directory = false;
};

struct SpaceInfo {
  uint64_t available_bytes = 0;  // to an unprivileged user
  uint64_t total_bytes = 0;
};

enum class CreateMode : unsigned char {
  kTruncate,      // create, or empty an existing file
  kMustNotExist,  // kIoError/kAlreadyExists when the name exists
  kOverwrite,     // must exist; appending starts at offset 0 and overwrites, size unchanged
  kAppend,        // must exist; appending goes on at its end
};

class SEERDB_EXPORT FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path, CreateMode mode) = 0;
  // Opens an existing file to be overwritten from offset 0 on. kMapped and kDirect: the file has its full
  // size and its space, is not empty, and for kDirect has been written to its end before; appends behind that
  // size fail (kMapped), or are slow (kDirect). kNotSupported where the file system cannot do so; the default
  // can kBuffered alone.
  virtual Result<std::unique_ptr<WritableFile>> NewLogFile(const std::string& path, LogMode mode);
  virtual Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(const std::string& path) = 0;
  // Names in the directory, without "." and "..", in no order.
  virtual Result<std::vector<std::string>> ListDirectory(const std::string& path) = 0;
  // Creates the directory and its missing parents; an existing directory is fine. New entries are synced
  // into their parents.
  virtual Status CreateDirectory(const std::string& path) = 0;
  virtual Status DeleteFile(const std::string& path) = 0;
  // Removes an empty directory.
  virtual Status DeleteDirectory(const std::string& path) = 0;
  // Atomically gives `from` the name `to`, replacing what was there.
  virtual Status RenameFile(const std::string& from, const std::string& to) = 0;
  virtual Status SyncDirectory(const std::string& path) = 0;
  virtual Result<FileInfo> GetFileInfo(const std::string& path) = 0;
  virtual Result<SpaceInfo> GetSpaceInfo(const std::string& path) = 0;
  // Takes an exclusive lock on the file `path` (created if missing), across processes and within this
  // one, and writes `holder` (free text, one line) into it. kBusy/kLocked names the present holder's text.
  virtual Result<std::unique_ptr<FileLock>> LockFile(const std::string& path, const std::string& holder) = 0;
};

// The operating system's files. The same object for every call; never destroyed.
SEERDB_EXPORT std::shared_ptr<FileSystem> PosixFileSystem();

// Reads a whole file. For small files.
SEERDB_EXPORT Result<std::string> ReadFileToString(FileSystem& fs, const std::string& path);

}  // namespace seerdb
