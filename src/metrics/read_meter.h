// ReadMeter: counts one call that looks up keys and, if it is its turn, times it. On the caller's stack.
//
// shard() is where everything below the call counts: it belongs to the calling thread alone, so that a count
// is a plain addition. Null when nothing is counted. Thread safety: one thread.
#pragma once

#include "metrics/statistics.h"

namespace seerdb {

class ReadMeter {
 public:
  // `keys` are looked up. The call is one of those timed if `latency` is not kCount.
  ReadMeter(Statistics* statistics, uint64_t keys, Latency latency)
      : statistics_(statistics), latency_(latency) {
    if (!statistics->enabled()) return;
    shard_ = statistics->OwnShard();
    if (shard_ == nullptr) [[unlikely]] {
      shard_ = statistics->Borrow();
      if (shard_ != nullptr) begin_ns_ = kBorrowed;
    } else if (latency != Latency::kCount && shard_->TakeSample()) {
      begin_ns_ = statistics->Begin();
    }
    if (shard_ != nullptr) shard_->Add(Counter::total_gets, keys);
  }
  ~ReadMeter() {
    if (begin_ns_ != 0) [[unlikely]]
      Finish(statistics_, latency_, begin_ns_, shard_);
  }
  ReadMeter(const ReadMeter&) = delete;
  ReadMeter& operator=(const ReadMeter&) = delete;

  CounterShard* shard() const { return shard_; }

 private:
  static constexpr uint64_t kBorrowed = 1;
  static void Finish(Statistics* statistics, Latency latency, uint64_t begin_ns, CounterShard* shard) {
    if (begin_ns == kBorrowed) {
      statistics->GiveBack(shard);
    } else {
      statistics->End(latency, begin_ns);
    }
  }

  Statistics* const statistics_;
  const Latency latency_;
  CounterShard* shard_ = nullptr;
  uint64_t begin_ns_ = 0;
};

}  // namespace seerdb
