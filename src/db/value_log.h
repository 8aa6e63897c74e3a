// ValueLog: where large values go when they are written: to segments of their own, once, before the log and
// the memtable hear of them.
//
// A writer borrows a segment, appends its values from where they lie, and gives it back; so each segment has
// one appender at a time, and writers do not wait for the bytes of others while there are segments to borrow.
// The values are in the kernel before the write that points to them is logged. What a writer has appended and
// then not committed is dead from the start. The idea is WiscKey's (FAST 2016): the value log is the log of
// values. Thread safety: all methods concurrently, a Writing by one thread. sync_mu_ is held during I/O; mu_
// is a leaf.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "db/value_file.h"
#include "manifest/version_set.h"
#include "metrics/statistics.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "vlog/value_writer.h"

namespace seerdb {

struct ValueLogOptions {
  std::string directory;
  DatabaseId database;
  uint64_t epoch = 0;
  // A segment that has so many is sealed.
  uint64_t segment_bytes = 0;
  // A smaller limit, as of now. Null: none.
  std::function<uint64_t()> limit_bytes;
  // So many segments are appended to at once.
  size_t max_active = 1;
};

class ValueLog {
 private:
  struct Active;
  class Place;

 public:
  ValueLog(std::shared_ptr<FileSystem> fs, ValueLogOptions options, VersionSet* versions, ValueFiles* files,
           std::shared_ptr<Statistics> statistics);
  ~ValueLog();

  // The values of one write on their way. Its segments stay until it is destroyed.
  class Writing {
   public:
    explicit Writing(ValueLog* log) : log_(log) {}
    ~Writing();
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;

    // Appends a value; the engine key comes in two parts.
    Status Add(Slice prefix, Slice key, Slice value, ValuePointer* pointer);
    // Everything added is in the kernel, and may be pointed to.
    Status Flush();
    // Of what was added, with what records take.
    uint64_t bytes() const { return bytes_; }
    const std::vector<ValueFilePtr>& files() const { return files_; }
    // The write may have been logged, and failed: a crash may bring it into force, so that its segments stay
    // until the next open.
    void KeepUntilReopen() { keep_ = true; }

   private:
    ValueLog* const log_;
    std::shared_ptr<Active> active_;  // borrowed
    std::vector<ValueFilePtr> files_;
    uint64_t bytes_ = 0;
    bool keep_ = false;
  };

  // Everything that a Flush has brought into the kernel before the call is durable after it.
  Status Sync() EXCLUDES(sync_mu_, mu_);

 private:
  uint64_t SegmentBytes() const {
    const uint64_t limit = options_.limit_bytes == nullptr ? UINT64_MAX : options_.limit_bytes();
    return std::min(options_.segment_bytes, limit);
  }
  Result<std::shared_ptr<Active>> Borrow() EXCLUDES(mu_);
  Result<std::shared_ptr<Active>> Create() EXCLUDES(mu_);
  void GiveBack(const std::shared_ptr<Active>& active) EXCLUDES(mu_);
  void GiveUpPlace() EXCLUDES(mu_);

  const std::shared_ptr<FileSystem> fs_;
  const ValueLogOptions options_;
  VersionSet* const versions_;
  ValueFiles* const files_;
  const std::shared_ptr<Statistics> statistics_;
  Mutex sync_mu_;  // before mu_
  Mutex mu_;
  CondVar returned_;
  size_t borrowed_ GUARDED_BY(mu_) = 0;
  size_t creating_ GUARDED_BY(mu_) = 0;  // of them, segments that are being created
  std::vector<std::shared_ptr<Active>> free_ GUARDED_BY(mu_);
  // All that may hold something that is not durable: those appended to, and sealed ones until a Sync. It has
  // room for those that are being created.
  std::vector<std::shared_ptr<Active>> unsynced_ GUARDED_BY(mu_);
};

}  // namespace seerdb
