#include "db/db_iterator.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "format/entry_payload.h"
#include "iter/merge_chain.h"

namespace seerdb {
namespace {

// Versions of one key that are stepped over before the iterator seeks past the rest of them. A hot key has
// thousands in a memtable; a seek costs about as much as a few steps.
constexpr uint32_t kMaxSkips = 16;
// An iterator that is used again and again tells what it was used for this often.
constexpr uint64_t kSeeksBetweenCounts = 64;

class ErrorIterator final : public Iterator {
 public:
  explicit ErrorIterator(Status status) : status_(std::move(status)) {}
  bool Valid() const override { return false; }
  Status status() const override { return status_; }
  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(Slice) override {}
  void SeekForPrev(Slice) override {}
  void Next() override {}
  void Prev() override {}
  Slice key() const override { return {}; }
  Slice value() const override { return {}; }

 private:
  const Status status_;
};

// Forward, the input stands at the entry returned; or, if merged_, somewhere among the versions of the key
// returned or at the next key. Backward, it stands just before all versions of the key returned. Merged or
// backward, key and value are copied into saved_key_ and saved_value_.
class DbIterator final : public Iterator {
 public:
  explicit DbIterator(DbIteratorOptions options)
      : options_(std::move(options)),
        cover_(options_.cover),
        input_(options_.view->NewIterator(options_.flags, options_.bounds, options_.cover)) {}
  ~DbIterator() override {
    ReportUnobserved();
    Count();
  }

  bool Valid() const override { return valid_; }
  Status status() const override {
    observed_ = true;
    return status_;
  }

  void SeekToFirst() override {
    const SampledTimer timer(options_.statistics.get(), Latency::seek_latency);
    Start(true);
    input_->Seek(options_.bounds.lower, kFirstTrailer);
    FindForward(false);
  }
  void SeekToLast() override {
    const SampledTimer timer(options_.statistics.get(), Latency::seek_latency);
    Start(false);
    input_->SeekForPrev(options_.bounds.upper, kFirstTrailer);
    FindBackward();
  }
  void Seek(Slice target) override {
    const SampledTimer timer(options_.statistics.get(), Latency::seek_latency);
    SetTarget(target);
    Start(true);
    if (Slice(target_) < Slice(options_.bounds.lower)) target_ = options_.bounds.lower;
    input_->Seek(target_, kFirstTrailer);
    FindForward(false);
  }
  void SeekForPrev(Slice target) override {
    const SampledTimer timer(options_.statistics.get(), Latency::seek_latency);
    SetTarget(target);
    Start(false);
    if (Slice(target_) >= Slice(options_.bounds.upper)) {
      input_->SeekForPrev(options_.bounds.upper, kFirstTrailer);
    } else {
      input_->SeekForPrev(target_, kLastTrailer);
    }
    FindBackward();
  }

  void Next() override {
    if (paused_ && forward_) return GoOn();
    if (!valid_) return;
    if (forward_) {
      if (!merged_) {
        saved_key_.assign(input_->key());
        input_->Next();
      }
    } else {
      // The input stands before the versions of saved_key_; FindForward skips them.
      forward_ = true;
      input_->Seek(saved_key_, kFirstTrailer);
    }
    FindForward(true);
  }
  void Prev() override {
    if (paused_ && !forward_) return GoOn();
    if (!valid_) return;
    if (forward_) {
      forward_ = false;
      if (!merged_) saved_key_.assign(input_->key());
      input_->SeekForPrev(saved_key_, kFirstTrailer);
    }
    FindBackward();
  }

  Slice key() const override {
    const Slice engine_key = InPlace() ? input_->key() : Slice(saved_key_);
    return engine_key.substr(options_.prefix_bytes);
  }
  Slice value() const override {
    if (options_.keys_only) return {};
    return InPlace() ? input_->value().substr(value_skip_) : Slice(saved_value_);
  }

 private:
  // What a version of a key means to a reader.
  enum class Shown { kNothing, kValue, kMerge };

  // The entry returned is that of the input.
  bool InPlace() const { return forward_ && !merged_; }

  void ReportUnobserved() {
    if (status_.ok() || observed_ || options_.unobserved == nullptr) return;
    options_.unobserved->Add(status_);
    options_.statistics->Add(Counter::unobserved_iterator_errors);
  }

  // Hands over what was counted here.
  void Count() {
    options_.statistics->Add(Counter::total_seeks, seeks_);
    options_.statistics->Add(Counter::total_scan_entries, entries_);
    options_.statistics->Add(Counter::scan_entries_skipped, passed_);
    passed_ = 0;
    seeks_ = 0;
    entries_ = 0;
  }

  void Start(bool forward) {
    ReportUnobserved();
    if (++seeks_ == kSeeksBetweenCounts) Count();
    status_ = Status();
    observed_ = false;
    valid_ = false;
    paused_ = false;
    forward_ = forward;
  }

  // Goes on where the limit of entries passed over has stopped it.
  void GoOn() {
    status_ = Status();
    paused_ = false;
    if (forward_) {
      FindForward(skip_saved_);
    } else {
      FindBackward();
    }
  }

  // Counts entries passed over; true if the limit is reached, and the iterator stopped.
  bool Pass(uint64_t entries = 1) {
    passed_ += entries;
    skipped_ += entries;
    if (options_.max_skipped == 0 || skipped_ < options_.max_skipped) [[likely]]
      return false;
    paused_ = true;
    observed_ = false;
    status_ = Status::Busy(
        "scan: passed " + std::to_string(skipped_) + " hidden entries, as many as max_skipped allows",
        StatusDetail::kSkipLimit);
    return true;
  }

  // True if a range tombstone hides the input's entry.
  bool HiddenByRange() {
    return !cover_.empty() && cover_.HiddenBelow(input_->key()) > input_->sequence() &&
           !SEERDB_MUTANT("scan-ignores-range-tombstones");
  }

  // What the input's entry, the newest visible version of its key, means. Sets value_skip_ for a value.
  Shown Look() {
    value_skip_ = 0;
    const ValueType type = input_->type();
    if (HiddenByRange()) [[unlikely]]
      return Shown::kNothing;
    if (type == ValueType::kValue) [[likely]]
      return Shown::kValue;
    if (type == ValueType::kDeletion) return Shown::kNothing;
    EntryPayload payload;
    const bool known = type == ValueType::kExpiringValue || IsMerge(type);
    if (!known || !ParsePayload(type, input_->value(), &payload)) {
      broken_ = Status::Corruption("scan: an entry of kind " + std::to_string(static_cast<int>(type)) +
                                   " is malformed or of a later version");
      return Shown::kNothing;
    }
    if (payload.expires_us <= options_.now_us) return Shown::kNothing;
    if (IsMerge(type)) return options_.keys_only ? Shown::kValue : Shown::kMerge;
    value_skip_ = sizeof(uint64_t);
    return Shown::kValue;
  }

  // From the newest visible version of saved_key_, a merge operand, over all that it rests on. True if the
  // key has a value, in saved_value_ then; otherwise broken_ may say why not.
  bool MergeForward() {
    chain_.Begin(options_.now_us);
    // What a range tombstone hides ends the chain, as nothing does.
    while (input_->Valid() && input_->key() == Slice(saved_key_) && !HiddenByRange() &&
           chain_.Add(input_->trailer(), input_->value())) {
      input_->Next();
    }
    if (!input_->Valid() && !input_->status().ok()) return false;
    Result<std::optional<std::string>> merged =
        chain_.Merge(options_.merge_operator.get(), options_.merge_operator_name,
                     Slice(saved_key_).substr(options_.prefix_bytes));
    broken_ = merged.status();
    if (!merged.ok() || !merged->has_value()) return false;
    saved_value_.swap(**merged);
    return true;
  }

  // Stops on what Look or MergeForward has found wrong; false if nothing was.
  bool StopIfBroken() {
    if (broken_.ok()) [[likely]]
      return false;
    status_ = std::exchange(broken_, Status());
    observed_ = false;
    return true;
  }

  void SetTarget(Slice user_key) {
    target_.assign(options_.bounds.lower, 0, options_.prefix_bytes);
    target_.append(user_key);
  }

  void TakeInputError() {
    if (SEERDB_MUTANT("iterator-error-is-end")) return;
    status_ = input_->status();
    observed_ = false;
  }

  // From the input's position to the newest visible version of the next key. `skip_saved`: saved_key_ has
  // been dealt with.
  void FindForward(bool skip_saved) {
    valid_ = false;
    merged_ = false;
    skipped_ = 0;
    skip_saved_ = skip_saved;
    uint32_t skips = 0;
    while (input_->Valid()) {
      const Slice key = input_->key();
      if (skip_saved_ && key == Slice(saved_key_)) {
        SkipForward(&skips, kLastTrailer);
        if (Pass()) return;
        continue;
      }
      if (key >= Slice(options_.bounds.upper)) return;
      if (input_->sequence() > options_.sequence) {
        SkipForward(&skips, SeekTrailer(options_.sequence));
        if (Pass()) return;
        continue;
      }
      const Shown shown = Look();
      if (shown == Shown::kValue) {
        valid_ = true;
        ++entries_;
        return;
      }
      saved_key_.assign(key);
      skip_saved_ = true;
      if (shown == Shown::kMerge && MergeForward()) {
        valid_ = merged_ = true;
        ++entries_;
        return;
      }
      if (StopIfBroken() || !input_->Valid()) break;
      if (shown == Shown::kNothing) {
        input_->Next();
        if (Pass()) return;
      }
    }
    if (status_.ok()) TakeInputError();
  }

  // Over one entry of the present key, or, when there were many, to `trailer` of that key.
  void SkipForward(uint32_t* skips, uint64_t trailer) {
    if (*skips == 0 || input_->key() != Slice(target_)) {
      target_.assign(input_->key());
      *skips = 0;
    }
    if (++*skips < kMaxSkips) {
      input_->Next();
      return;
    }
    *skips = 0;
    input_->Seek(target_, trailer);
  }

  // From the input's position back over one key after another until one is visible and not deleted.
  void FindBackward() {
    valid_ = false;
    merged_ = false;
    skipped_ = 0;
    while (input_->Valid()) {
      if (input_->key() < Slice(options_.bounds.lower)) return;
      saved_key_.assign(input_->key());
      uint64_t versions = 0;
      const bool found = PassBackward(&versions);
      if (StopIfBroken()) return;
      if (!input_->Valid() && !input_->status().ok()) break;
      if (found) {
        passed_ += versions;
        valid_ = true;
        ++entries_;
        return;
      }
      if (Pass(versions + 1)) return;
    }
    TakeInputError();
  }

  // Moves the input before all versions of saved_key_; true if it has a value, which is saved then. Versions
  // are met oldest first, so the last visible one counts. `versions`: of those that were met, all but one.
  bool PassBackward(uint64_t* versions) {
    Shown shown = Shown::kNothing;
    for (uint32_t steps = 0; steps < kMaxSkips; ++steps) {
      *versions = steps;
      if (input_->sequence() <= options_.sequence) shown = SaveValue();
      input_->Prev();
      if (!input_->Valid() || input_->key() != Slice(saved_key_)) {
        if (shown != Shown::kMerge) return shown == Shown::kValue;
        if (!input_->Valid() && !input_->status().ok()) return false;
        break;
      }
    }
    input_->Seek(saved_key_, SEERDB_MUTANT("reverse-scan-forgets-snapshot") ? kFirstTrailer
                                                                            : SeekTrailer(options_.sequence));
    if (!input_->Valid() && !input_->status().ok()) return false;
    bool found = false;
    broken_ = Status();  // of an older version
    if (input_->Valid() && input_->key() == Slice(saved_key_)) {
      shown = SaveValue();
      found = shown == Shown::kValue || (shown == Shown::kMerge && MergeForward());
      if (!input_->Valid() && !input_->status().ok()) return false;
    }
    input_->SeekForPrev(saved_key_, kFirstTrailer);
    return found;
  }

  Shown SaveValue() {
    broken_ = Status();
    const Shown shown = Look();
    if (shown == Shown::kValue && !options_.keys_only)
      saved_value_.assign(input_->value().substr(value_skip_));
    return shown;
  }

  const DbIteratorOptions options_;
  RangeCover cover_;
  const std::unique_ptr<InternalIterator> input_;
  uint64_t seeks_ = 0;
  uint64_t entries_ = 0;
  uint64_t passed_ = 0;   // hidden entries, not yet counted
  uint64_t skipped_ = 0;  // since the last call that may pass so many
  bool valid_ = false;
  bool paused_ = false;
  bool merged_ = false;
  bool skip_saved_ = false;  // of the last FindForward: saved_key_ has been dealt with
  size_t value_skip_ = 0;    // bytes of the input's value in front of the user's
  bool forward_ = true;
  mutable bool observed_ = false;
  Status status_;
  std::string saved_key_;
  std::string saved_value_;
  std::string target_;
  MergeChain chain_;
  Status broken_;  // what Look or MergeForward could not make sense of
};

}  // namespace

std::unique_ptr<Iterator> NewDbIterator(DbIteratorOptions options) {
  return std::make_unique<DbIterator>(std::move(options));
}

std::unique_ptr<Iterator> NewErrorIterator(Status status) {
  return std::make_unique<ErrorIterator>(std::move(status));
}

}  // namespace seerdb
