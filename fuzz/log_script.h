// LogScript: log segments made by a list of small instructions, with what is known about them: so that a few
// bytes of input reach gaps, many segments, long frames, leftovers and damage.
//
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "wal/log_format.h"

namespace seerdb::fuzz {

class LogScript {
 public:
  struct Segment {
    LogIdentity identity;
    std::string bytes;
  };

  // Runs the instructions in `input`.
  explicit LogScript(Input* input);

  const std::vector<Segment>& segments() const { return segments_; }
  // The payload of record `number` as written, or null.
  const std::string* payload(uint64_t number) const;
  // Number behind the last record.
  uint64_t next_record() const { return next_record_; }
  // Nothing but whole frames, dense, and gaps: every record must come back.
  bool whole() const { return whole_; }
  // The last segment has a frame, not only a header, which looks like a write cut off.
  bool last_segment_used() const {
    return !frames_.empty() && frames_.back().segment + 1 == segments_.size();
  }
  // False if the input has bytes of its own in a segment, which may be a frame by design of the fuzzer.
  bool own_frames_only() const { return own_frames_only_; }
  // True if record `missing` was durable, as a frame says that still lies where it was written. Always false
  // when numbers have holes: then the distance of a frame from the end of the log may be implausible.
  bool WasDurable(uint64_t missing) const;

 private:
  struct Frame {
    size_t segment;
    size_t offset;
    std::string bytes;
    uint64_t record;
    uint64_t durable_record;
  };

  void Run(uint8_t instruction, Input* input);
  void StartSegment();
  void AppendFrame(const LogIdentity& identity, std::string payload, uint64_t lag);
  // Changes one byte of any segment / cuts one off.
  void Flip(uint16_t at, uint8_t with);
  void Cut(uint16_t at);

  std::string& bytes() { return segments_.back().bytes; }

  std::vector<Segment> segments_;
  std::map<uint64_t, std::string> payloads_;
  std::vector<Frame> frames_;
  uint64_t next_record_ = 1;
  size_t flips_left_ = 2;
  size_t long_frames_left_ = 1;
  bool whole_ = true;
  bool own_frames_only_ = true;
  bool dense_ = true;
  bool shortened_ = false;  // the last segment: what it gets now lies too near to its beginning
};

}  // namespace seerdb::fuzz
