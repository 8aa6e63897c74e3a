#include "wal/frame_scan.h"

#include <algorithm>

#include "base/coding.h"
#include "base/mutant.h"
#include "base/status_macros.h"

namespace seerdb {
namespace {

constexpr uint64_t kMinFrameBytes = kLogFrameHeadBytes + LogFileReader::kMinPayloadBytes;
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

Result<std::optional<DurabilityProof>> FrameScan::Run(const Range& range) {
  budget_bytes_ = followed_budget_bytes_ = 8 * file_.bytes() + kFreeBudgetBytes;
  const uint32_t first_low = static_cast<uint32_t>(range.first_record);
  for (uint64_t begin = range.begin; begin < file_.bytes();) {
    const size_t n =
        static_cast<size_t>(std::min<uint64_t>(LogFileReader::kWindowBytes, file_.bytes() - begin));
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
      if (record <= missing_) continue;
      SEERDB_ASSIGN_OR_RETURN(const auto proof, Examine(offset, head, record));
      if (proof.has_value()) return proof;
    }
    begin += limit;
  }
  return std::optional<DurabilityProof>();
}

Result<std::optional<DurabilityProof>> FrameScan::Examine(uint64_t offset, const LogFrameHead& head,
                                                          uint64_t record) {
  // A saturated lag says only that the durable record lies far back.
  const bool would_prove =
      head.lag != UINT32_MAX && head.lag <= record - 1 && record - 1 - head.lag >= missing_;
  if (!would_prove && saw_frame_) return std::optional<DurabilityProof>();

  SEERDB_ASSIGN_OR_RETURN(const bool followed, NextLooksWritten(offset, head));
  uint64_t& budget = followed ? followed_budget_bytes_ : budget_bytes_;
  if (budget < head.length) {
    if (!followed) return std::optional<DurabilityProof>();
    return Status::Corruption("replay " + file_.path() + " @" + std::to_string(offset) +
                                  ": found more frame-like bytes than can be checked, expected record " +
                                  std::to_string(missing_) + " or the end of the log",
                              StatusDetail::kWalCorruption);
  }
  SEERDB_ASSIGN_OR_RETURN(const bool intact, file_.FrameIsIntact(identity_, record, offset, head));
  if (!intact) {
    budget -= head.length;
    return std::optional<DurabilityProof>();
  }
  saw_frame_ = true;
  if (!would_prove || SEERDB_MUTANT("replay-ignores-durable-mark")) return std::optional<DurabilityProof>();
  return std::optional<DurabilityProof>({record, record - 1 - head.lag, offset});
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

Status FrameScan::LookForStaleFrames(uint64_t offset, const LogFrameHead& head) {
  const uint32_t back = static_cast<uint32_t>(missing_) - head.record;
  if (back == 0 || back >= std::min<uint64_t>(missing_, uint64_t{1} << 31)) return {};
  SEERDB_ASSIGN_OR_RETURN(saw_stale_frames_, NextFollows(offset + kLogFrameHeadBytes + head.length, head));
  return {};
}

}  // namespace seerdb
