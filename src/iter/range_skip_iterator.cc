#include "iter/range_skip_iterator.h"

#include <utility>

namespace seerdb {
namespace {

constexpr int kStepsBeforeSeek = 4;
constexpr int kMostSeeks = 16;

class RangeSkippingIterator final : public InternalIterator {
 public:
  RangeSkippingIterator(std::unique_ptr<InternalIterator> source, RangeCover cover, SequenceNumber newest)
      : source_(std::move(source)), cover_(std::move(cover)), newest_(newest) {}

  void SeekToFirst() override {
    source_->SeekToFirst();
    SkipForward();
  }
  void SeekToLast() override {
    source_->SeekToLast();
    SkipBackward();
  }
  void Seek(Slice key, uint64_t trailer) override {
    source_->Seek(key, trailer);
    SkipForward();
  }
  void SeekForPrev(Slice key, uint64_t trailer) override {
    source_->SeekForPrev(key, trailer);
    SkipBackward();
  }
  void PrepareSeek(Slice key, int step) override { source_->PrepareSeek(key, step); }
  void Next() override {
    source_->Next();
    SkipForward();
  }
  void Prev() override {
    source_->Prev();
    SkipBackward();
  }
  Status status() const override { return source_->status(); }

 private:
  // No entry, but what stands where a table that cannot be read begins or ends: to step over it is its error.
  bool StandsForOthers() const {
    return source_->trailer() == kFirstTrailer || source_->trailer() == kLastTrailer;
  }
  bool Hidden(const CoveredStretch& stretch) const { return stretch.sequence > newest_; }

  // Short stretches are walked; a seek is worth several steps. After many stretches a hidden entry comes
  // through, so that whoever counts such entries is asked whether to go on.
  void SkipForward() {
    int steps = 0;
    for (int seeks = 0; source_->Valid();) {
      const CoveredStretch& stretch = cover_.At(source_->key());
      if (!Hidden(stretch)) return Publish();
      if (steps < kStepsBeforeSeek && !StandsForOthers()) {
        ++steps;
        source_->Next();
        continue;
      }
      if (!stretch.has_end) break;
      if (++seeks > kMostSeeks) return Publish();
      steps = 0;
      source_->Seek(stretch.end, kFirstTrailer);
    }
    shown_ = nullptr;
  }
  void SkipBackward() {
    int steps = 0;
    for (int seeks = 0; source_->Valid();) {
      const CoveredStretch& stretch = cover_.At(source_->key());
      if (!Hidden(stretch)) return Publish();
      if (steps < kStepsBeforeSeek && !StandsForOthers()) {
        ++steps;
        source_->Prev();
        continue;
      }
      if (++seeks > kMostSeeks) return Publish();
      steps = 0;
      const Slice begin = stretch.begin;
      source_->SeekForPrev(begin, kFirstTrailer);
      // What stands for a damaged table shows itself at the place asked for.
      if (source_->Valid() && source_->key() >= begin) return Publish();
    }
    shown_ = nullptr;
  }
  void Publish() { shown_ = source_->entry(); }

  const std::unique_ptr<InternalIterator> source_;
  RangeCover cover_;
  const SequenceNumber newest_;
};

}  // namespace

std::unique_ptr<InternalIterator> NewRangeSkippingIterator(std::unique_ptr<InternalIterator> source,
                                                           RangeCover cover, SequenceNumber newest) {
  return std::make_unique<RangeSkippingIterator>(std::move(source), std::move(cover), newest);
}

}  // namespace seerdb
