#include "wal/frame_scan.h"

#include <algorithm>

#include "base/coding.h"
#include "base/mutant.h"
#include "base/status_macros.h"

namespace seerdb {
namespace {

constexpr uint64_t kMinFrameBytes = kLogFrameHeadBytes + LogFileReader::kMinPayloadBytes;
constexpr size_t kFirstStepBytes = 4096;
// Of a payload: more than a length of two bytes leads past.
constexpr size_t kBytesLookedAt = 20 << 10;
constexpr uint64_t kFreeBudgetBytes = uint64_t{256} << 20;

// The number of leading zero bytes of [p, p + n), rounded down to whole words.
size_t LeadingZeros(const char* p, size_t n) {
  size_t i = 0;
  while (i + 32 <= n &&
         (LoadU64(p + i) | LoadU64(p + i + 8) | LoadU64(p + i + 16) | LoadU64(p + i + 24)) == 0) {
    i += 32;
  }
  while (i + 8 <= n && LoadU64(p + i) == 0) i += 8;
  return i;
}

// How many offsets from p + 1 on can be passed over: a frame's second word is not zero.
size_t SkippableZeros(const char* p, size_t n) {
  const size_t zeros = LeadingZeros(p, n);
  return zeros > 8 ? zeros - 8 : 0;
}

bool AnyByteSet(Slice bytes) {
  bytes.remove_prefix(LeadingZeros(bytes.data(), bytes.size()));
  return std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != 0; });
}

}  // namespace

FrameScan::FrameScan(LogFileReader* file, const LogIdentity& identity, const Missing& missing)
    : file_(*file),
      identity_(identity),
      missing_(missing),
      budget_bytes_(8 * file->bytes() + kFreeBudgetBytes),
      plausible_budget_bytes_(budget_bytes_) {}

Result<std::optional<FoundFrame>> FrameScan::FindProof(const Range& range) {
  return Search(Goal::kProof, range, range.begin, missing_.record + 1);
}

Result<std::optional<FoundFrame>> FrameScan::FindFrame(const Range& range, uint64_t from, uint64_t at_least) {
  return Search(Goal::kFrame, range, from, at_least);
}

Result<std::optional<FoundFrame>> FrameScan::Search(Goal goal, const Range& range, uint64_t from,
                                                    uint64_t at_least) {
  const uint32_t first_low = static_cast<uint32_t>(range.first_record);
  // The next frame mostly lies near; small steps stay within what the reader already holds.
  size_t step_bytes = goal == Goal::kFrame ? kFirstStepBytes : LogFileReader::kWindowBytes;
  for (uint64_t begin = from; begin < file_.bytes();) {
    const size_t n = static_cast<size_t>(std::min<uint64_t>(step_bytes, file_.bytes() - begin));
    step_bytes = std::min(2 * step_bytes, LogFileReader::kWindowBytes);
    SEERDB_ASSIGN_OR_RETURN(const Slice window, file_.Read(begin, n));
    if (!saw_bytes_) saw_bytes_ = AnyByteSet(window);
    if (n < kMinFrameBytes) break;
    const size_t limit = n - kLogFrameHeadBytes + 1;
    // No frame of this window can be longer. A length below the minimum wraps around.
    const uint64_t longest = file_.bytes() - begin - kLogFrameHeadBytes;
    for (size_t i = 0; i < limit; ++i) {
      const char* p = window.data() + i;
      const uint32_t length = LoadU32(p + 4);
      if (length - LogFileReader::kMinPayloadBytes > longest) [[likely]] {
        if (length == 0) i += SkippableZeros(p, n - i);
        continue;
      }
      const uint64_t offset = begin + i;
      if (!file_.LengthFits(offset, length)) continue;
      const LogFrameHead head = DecodeLogFrameHead(p);
      if (!saw_stale_frames_) SEERDB_RETURN_IF_ERROR(LookForStaleFrames(offset, head));
      const uint32_t ahead = head.record - first_low;  // modulo 2^32
      if (ahead > range.slack + (offset - range.begin) / kMinFrameBytes) continue;
      const uint64_t record = range.first_record + ahead;
      if (record < at_least) continue;
      SEERDB_ASSIGN_OR_RETURN(const auto found, Examine(goal, offset, head, record));
      if (found.has_value()) return found;
    }
    begin += limit;
  }
  return std::optional<FoundFrame>();
}

Result<std::optional<FoundFrame>> FrameScan::Examine(Goal goal, uint64_t offset, const LogFrameHead& head,
                                                     uint64_t record) {
  // A saturated lag says only that the durable record lies far back.
  const bool would_prove =
      head.lag != UINT32_MAX && head.lag <= record - 1 && record - 1 - head.lag >= missing_.record;
  const bool wanted = goal == Goal::kFrame || would_prove;
  if (!wanted && saw_frame_) return std::optional<FoundFrame>();

  SEERDB_ASSIGN_OR_RETURN(const bool fits, SequenceFits(offset));
  if (!fits) return std::optional<FoundFrame>();
  SEERDB_ASSIGN_OR_RETURN(const bool readable, OperationsFit(offset, head));
  if (!readable) return std::optional<FoundFrame>();
  SEERDB_ASSIGN_OR_RETURN(const bool followed, NextLooksWritten(offset, head));
  const bool plausible = followed && (wanted || SEERDB_MUTANT("stale-bytes-refuse-open"));
  uint64_t& budget = plausible ? plausible_budget_bytes_ : budget_bytes_;
  if (budget < head.length) {
    // Passed over unseen, it could be the proof.
    if (!plausible || goal == Goal::kFrame) return std::optional<FoundFrame>();
    return Status::Corruption("replay " + file_.path() + " @" + std::to_string(offset) +
                                  ": found more frame-like bytes than can be checked, expected record " +
                                  std::to_string(missing_.record) + " or the end of the log",
                              StatusDetail::kWalCorruption);
  }
  SEERDB_ASSIGN_OR_RETURN(const bool intact, file_.FrameIsIntact(identity_, record, offset, head));
  if (!intact) {
    budget -= head.length;
    return std::optional<FoundFrame>();
  }
  saw_frame_ = true;
  if (!wanted) return std::optional<FoundFrame>();
  if (goal == Goal::kProof && SEERDB_MUTANT("replay-ignores-durable-mark")) {
    return std::optional<FoundFrame>();
  }
  return std::optional<FoundFrame>({record, would_prove ? record - 1 - head.lag : 0, offset});
}

// True if the base sequence is one that a frame of this log may have.
Result<bool> FrameScan::SequenceFits(uint64_t offset) {
  if (SEERDB_MUTANT("stale-bytes-refuse-open")) return true;
  SEERDB_ASSIGN_OR_RETURN(const SequenceNumber base, file_.PeekBase(offset));
  if (base > kMaxSequence) return false;
  if (base < missing_.least_sequence && !SEERDB_MUTANT("zeros-taken-for-sequences")) return false;
  const SequenceNumber near = missing_.near_sequence.value_or(base);
  return std::max(base, near) - std::min(base, near) <= kMostSequencesAway;
}

// True if the payload may be what it should be. Frames of an earlier life, seen a byte or two too early, have
// heads that pass for those of later and longer ones.
Result<bool> FrameScan::OperationsFit(uint64_t offset, const LogFrameHead& head) {
  if (missing_.may_be_operations == nullptr || SEERDB_MUTANT("payload-not-looked-at")) return true;
  const uint64_t bytes = head.length - LogFileReader::kMinPayloadBytes;
  const auto seen = static_cast<size_t>(std::min<uint64_t>(bytes, kBytesLookedAt));
  if (first_bytes_ == nullptr) first_bytes_ = std::make_unique_for_overwrite<char[]>(kBytesLookedAt);
  SEERDB_ASSIGN_OR_RETURN(const Slice first, file_.PeekOperations(offset, seen, first_bytes_.get()));
  return missing_.may_be_operations(first, bytes);
}

// True if behind the frame there is what stands behind every frame but a torn or overwritten one's: the
// next frame, or nothing.
Result<bool> FrameScan::NextLooksWritten(uint64_t offset, const LogFrameHead& head) {
  const uint64_t end = offset + kLogFrameHeadBytes + head.length;
  SEERDB_ASSIGN_OR_RETURN(const std::optional<LogFrameHead> next, file_.PeekHead(end));
  if (!next.has_value()) return true;
  if (next->crc == 0 && next->length == 0 && next->record == 0 && next->lag == 0) return true;
  return NextFollows(end, head);
}

// True if the head of the next record stands at `end`, or at the block behind it.
Result<bool> FrameScan::NextFollows(uint64_t end, const LogFrameHead& head) {
  for (const uint64_t offset : {end, NextLogBlock(end)}) {
    SEERDB_ASSIGN_OR_RETURN(const std::optional<LogFrameHead> next, file_.PeekHead(offset));
    if (next.has_value() && next->record == head.record + 1 && file_.LengthFits(offset, next->length)) {
      return true;
    }
  }
  return false;
}

Result<bool> FrameScan::LooksTorn(uint64_t offset) {
  // The head of the next record is what a write cut short leaves first.
  for (const uint64_t place : {offset, NextLogBlock(offset)}) {
    SEERDB_ASSIGN_OR_RETURN(const std::optional<LogFrameHead> head, file_.PeekHead(place));
    if (head.has_value() && head->length >= LogFileReader::kMinPayloadBytes &&
        head->record == static_cast<uint32_t>(missing_.record)) {
      return true;
    }
  }
  SEERDB_ASSIGN_OR_RETURN(const std::optional<LogHeader> header, file_.ReadHeader());
  if (offset == kLogHeaderBytes) {
    // Header and first frame are written together.
    if (header.has_value()) return header->identity == identity_;
    const size_t n = static_cast<size_t>(std::min<uint64_t>(kLogHeaderBytes, file_.bytes()));
    SEERDB_ASSIGN_OR_RETURN(const Slice bytes, file_.Read(0, n));
    if (std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != 0; })) return true;
  }
  return saw_bytes_ && !saw_stale_frames_;
}

Status FrameScan::LookForStaleFrames(uint64_t offset, const LogFrameHead& head) {
  const uint32_t back = static_cast<uint32_t>(missing_.record) - head.record;
  if (back == 0 || back >= std::min<uint64_t>(missing_.record, uint64_t{1} << 31)) return {};
  SEERDB_ASSIGN_OR_RETURN(saw_stale_frames_, NextFollows(offset + kLogFrameHeadBytes + head.length, head));
  return {};
}

}  // namespace seerdb
