// ValueOutput: where the large values of tables that are being written go: to value segments of the job.
//
// A value that comes with its key and is large is taken apart; one that lies in a segment that is to be
// emptied is moved to another. Segments are durable when Finish returns, before the tables that point into
// them are; until a version lists such tables they are orphans that the next open removes. Thread safety:
// external synchronization.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/database_id.h"
#include "iter/value_source.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "vlog/value_writer.h"

namespace seerdb {

struct ValueOutputOptions {
  std::string directory;
  DatabaseId database;
  uint64_t epoch = 0;
  uint64_t segment_bytes = 0;
  std::function<Result<uint64_t>()> new_file_number;
  // Segments whose values are moved, and what reads them.
  std::set<uint64_t> empties;
  const ValueSource* source = nullptr;
  // Called with the bytes written; may take its time. Null: nobody cares.
  std::function<void(uint64_t bytes)> pace;
  // Called with the bytes of all segments when they are finished. Null: nobody counts.
  std::function<void(uint64_t bytes)> count;
};

class ValueOutput {
 public:
  ValueOutput(FileSystem& fs, ValueOutputOptions options) : fs_(fs), options_(std::move(options)) {}
  // Removes the segments unless Keep was called.
  ~ValueOutput();

  // What is stored of an entry: itself, or one that points to its value. Values of at least
  // `separation_bytes` go apart. A value that is damaged where it lies stays there. `*value` is good until
  // the next call.
  Status Place(Slice key, uint64_t separation_bytes, uint64_t* trailer, Slice* value);
  // Makes durable what has been placed so far, but for the names of the segments.
  Status Sync();
  // Makes all durable but for their names. No call may follow but Keep and the counts.
  Status Finish();
  void Keep() { kept_ = true; }
  const std::vector<uint64_t>& segments() const { return segments_; }
  bool empty() const { return segments_.empty(); }
  uint64_t bytes_written() const { return bytes_written_; }

 private:
  Status Write(Slice key, Slice value, ValuePointer* pointer);
  Status EndSegment();

  FileSystem& fs_;
  const ValueOutputOptions options_;
  std::unique_ptr<ValueWriter> writer_;
  std::vector<uint64_t> segments_;
  std::string payload_;
  uint64_t bytes_written_ = 0;
  bool kept_ = false;
};

}  // namespace seerdb
