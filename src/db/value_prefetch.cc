#include "db/value_prefetch.h"

#include <algorithm>

namespace seerdb {
namespace {

// A device takes longer than this, memory does not.
constexpr uint64_t kSlowReadUs = 30;
constexpr uint32_t kSlowReadsToBegin = 3;
constexpr uint32_t kSlowReadsRemembered = 16;
constexpr uint32_t kValuesAhead = 64;
constexpr uint64_t kBytesAhead = uint64_t{8} << 20;
// So little between two values is read along.
constexpr uint64_t kGapBytes = 16 << 10;

}  // namespace

void ValuePrefetch::NoteRead(Slice engine_key, bool forward, uint64_t read_us) {
  if (read_us >= kSlowReadUs) {
    slow_reads_ = std::min(slow_reads_ + 2, kSlowReadsRemembered);
  } else if (slow_reads_ > 0) {
    --slow_reads_;
  }
  if (forward != forward_) NoteJump();
  forward_ = forward;
  if (left_ > 0) --left_;
  const bool begin = parts_.always || slow_reads_ >= kSlowReadsToBegin;
  // Once begun it goes on while it helps: reads of what was asked for are fast.
  if ((!placed_ && !begin) || left_ > kValuesAhead / 2) return;
  if (!placed_) {
    if (ahead_ == nullptr) ahead_ = parts_.open();
    forward_ ? ahead_->Seek(engine_key, kLastTrailer) : ahead_->SeekForPrev(engine_key, kFirstTrailer);
    last_key_.assign(engine_key);
    placed_ = true;
  }
  Collect();
}

void ValuePrefetch::Step() { forward_ ? ahead_->Next() : ahead_->Prev(); }

void ValuePrefetch::Collect() {
  pointers_.clear();
  uint64_t bytes = 0;
  // Hidden entries count as well, so that a stretch of them is not walked at once.
  for (uint32_t entries = 0; ahead_->Valid() && entries < kValuesAhead && bytes < kBytesAhead;
       ++entries, Step()) {
    if (ahead_->sequence() > parts_.sequence) continue;
    // Backward the oldest version comes first, and the newest takes its place.
    const bool same_key = ahead_->key() == Slice(last_key_);
    if (same_key && forward_) continue;
    if (!same_key) last_key_.assign(ahead_->key());
    ValuePointer pointer;
    if (!ParsePointerPayload(ahead_->type(), ahead_->value(), &pointer)) continue;
    if (same_key && !pointers_.empty()) {
      pointers_.back() = pointer;
    } else {
      pointers_.push_back(pointer);
    }
    bytes += pointer.bytes;
  }
  left_ += static_cast<uint32_t>(pointers_.size());
  std::sort(pointers_.begin(), pointers_.end(), LiesBefore);
  for (size_t i = 0; i < pointers_.size();) {
    const ValuePointer& first = pointers_[i];
    uint64_t end = first.offset;
    for (; i < pointers_.size() && pointers_[i].segment == first.segment &&
           pointers_[i].offset <= end + kGapBytes;
         ++i) {
      end = std::max(end, pointers_[i].offset + pointers_[i].bytes + ChunkTableBytes(pointers_[i].bytes));
    }
    parts_.read_ahead(first.segment, first.offset, end - first.offset);
  }
}

}  // namespace seerdb
