#include "db/db_iterator.h"

#include <algorithm>
#include <utility>

#include "base/inline_bytes.h"
#include "base/key_window.h"
#include "base/mutant.h"
#include "db/apart_value.h"
#include "db/entry_judge.h"
#include "db/iterator_counts.h"
#include "db/iterator_status.h"
#include "db/kept_value.h"
#include "db/merge_folder.h"
#include "iter/merge_chain.h"

namespace seerdb {
namespace {

// Versions of one key that are stepped over before the iterator seeks past the rest of them. A hot key has
// thousands in a memtable; a seek costs about as much as a few steps.
constexpr uint32_t kMaxSkips = 16;

// Forward, the input stands at the entry returned; or, if merged_, somewhere among the versions of the key
// returned or at the next key. Backward, it stands just before all versions of the key returned. Merged or
// backward, the key is copied into saved_key_, and the value is kept_value_.
class DbIterator final : public Iterator {
 public:
  explicit DbIterator(DbIteratorOptions&& options)
      : options_(std::move(options)),
        statistics_(*options_.host->statistics),
        counts_(&statistics_),
        judge_(&options_),
        input_(options_.view->NewIterator(options_.flags, options_.bounds, options_.cover)),
        status_(options_.host.get()) {}

  bool Valid() const override { return valid_; }
  Status status() const override { return status_.Observe(); }

  void SeekToFirst() override {
    const SampledTimer timer(&statistics_, Latency::seek_latency);
    Start(true);
    input_->Seek(options_.bounds.lower, kFirstTrailer);
    FindForward(false);
  }
  void SeekToLast() override {
    const SampledTimer timer(&statistics_, Latency::seek_latency);
    Start(false);
    input_->SeekForPrev(options_.bounds.upper, kFirstTrailer);
    FindBackward();
  }
  void Seek(Slice target) override {
    const SampledTimer timer(&statistics_, Latency::seek_latency);
    SetTarget(target);
    Start(true);
    if (target_.slice() < Slice(options_.bounds.lower)) target_.Assign(options_.bounds.lower);
    input_->Seek(target_.slice(), kFirstTrailer);
    FindForward(false);
  }
  void SeekForPrev(Slice target) override {
    const SampledTimer timer(&statistics_, Latency::seek_latency);
    SetTarget(target);
    Start(false);
    const bool beyond = target_.slice() >= Slice(options_.bounds.upper);
    input_->SeekForPrev(beyond ? Slice(options_.bounds.upper) : target_.slice(),
                        beyond ? kFirstTrailer : kLastTrailer);
    FindBackward();
  }

  void Next() override {
    if (paused_ && forward_) return GoOn();
    if (!valid_) return;
    if (forward_) {
      if (!merged_) {
        saved_key_.Assign(input_->key());
        if (StepToPlain()) return;
      }
    } else {
      // The input stands before the versions of saved_key_; FindForward skips them.
      forward_ = true;
      input_->Seek(saved_key_.slice(), kFirstTrailer);
    }
    FindForward(true);
  }
  void Prev() override {
    if (paused_ && !forward_) return GoOn();
    if (!valid_) return;
    if (forward_) {
      forward_ = false;
      if (!merged_) saved_key_.Assign(input_->key());
      input_->SeekForPrev(saved_key_.slice(), kFirstTrailer);
    } else if (StepBackToPlain()) {
      return;
    }
    FindBackward();
  }

  Slice key() const override {
    const Slice engine_key = InPlace() ? input_->key() : saved_key_.slice();
    return engine_key.substr(options_.prefix_bytes);
  }
  Slice value() const override {
    if (options_.keys_only) return {};
    if (shown_.apart) return value_->bytes();
    return InPlace() ? input_->value().substr(shown_.skip_bytes) : kept_value_.slice();
  }

 private:
  // The entry returned is that of the input.
  bool InPlace() const { return forward_ && !merged_; }

  void Start(bool forward) {
    counts_.AddSeek();
    status_.Reset();
    valid_ = false;
    paused_ = false;
    forward_ = forward;
    if (value_ != nullptr) value_->NoteJump();
  }

  // Goes on where the limit of entries passed over has stopped it.
  void GoOn() {
    status_.Set(Status());
    paused_ = false;
    if (forward_) {
      FindForward(skip_saved_);
    } else {
      FindBackward();
    }
  }

  // Reads the value to which the entry found points. False: status_ says why not.
  bool FetchApart(Slice pointer) {
    if (value_ == nullptr) value_ = NewApartValue(options_);
    status_.Set(value_->Read(pointer, forward_ ? input_->key() : saved_key_.slice(), forward_));
    return status_.ok();
  }

  // Counts entries passed over; true if the limit is reached, and the iterator stopped.
  bool Pass(uint64_t entries = 1) {
    counts_.AddPassed(entries);
    skipped_ += entries;
    if (options_.max_skipped == 0 || skipped_ < options_.max_skipped) [[likely]]
      return false;
    paused_ = true;
    status_.Set(Status::Busy(
        "scan: passed " + std::to_string(skipped_) + " hidden entries, as many as max_skipped allows",
        StatusDetail::kSkipLimit));
    return true;
  }

  // The usual step forward from saved_key_, at once: over some older versions of it to a plain value of
  // another key. False: FindForward has to go on from there.
  bool StepToPlain() {
    const uint32_t most = options_.max_skipped == 0 ? kMaxSkips : 0;
    for (uint32_t skips = 0;; ++skips, counts_.AddPassed(1)) {
      input_->Next();
      const InternalEntry* const entry = input_->entry();
      const bool same = entry != nullptr && SameBytes(entry->key, saved_key_.slice());
      if (!same && (entry == nullptr || !judge_.IsPlain(*entry))) return false;
      if (!same) break;
      if (skips == most) return false;
    }
    skip_saved_ = true;
    skipped_ = 0;
    shown_ = {};
    counts_.AddEntry();
    return true;
  }

  Meaning Judge() { return judge_.Judge(*input_->entry(), &shown_, &broken_); }

  // From the newest visible version of saved_key_, a merge operand, over all that it rests on. True if the
  // key has a value, in kept_value_ then; otherwise broken_ may say why not.
  bool MergeForward() {
    chain_.Begin(options_.now_us);
    // What a range tombstone hides ends the chain, as nothing does.
    shown_.apart = false;
    while (input_->Valid() && SameBytes(input_->key(), saved_key_.slice()) &&
           !judge_.IsHidden(*input_->entry())) {
      const Result<bool> wants_older =
          AddVersion(*options_.view, input_->trailer(), input_->value(), &chain_);
      broken_ = wants_older.status();
      if (!wants_older.ok()) return false;
      if (!*wants_older) break;
      input_->Next();
    }
    if (!input_->Valid() && !input_->status().ok()) return false;
    Result<std::optional<std::string>> merged =
        chain_.Merge(options_.merge_operator.get(), options_.merge_operator_name,
                     saved_key_.slice().substr(options_.prefix_bytes));
    broken_ = merged.status();
    if (!merged.ok() || !merged->has_value()) return false;
    kept_value_.Take(&**merged);
    return true;
  }

  // Stops on what Judge or MergeForward has found wrong; false if nothing was.
  bool StopIfBroken() {
    if (broken_.ok()) return false;
    status_.Set(std::exchange(broken_, Status()));
    return true;
  }

  void SetTarget(Slice user_key) {
    target_.Assign(Slice(options_.bounds.lower).substr(0, options_.prefix_bytes));
    target_.Append(user_key);
  }

  void TakeInputError() {
    if (SEERDB_MUTANT("iterator-error-is-end")) return;
    status_.Set(input_->status());
  }

  // From the input's position to the newest visible version of the next key. `skip_saved`: saved_key_ has
  // been dealt with.
  void FindForward(bool skip_saved) {
    valid_ = merged_ = false;
    skipped_ = 0;
    skip_saved_ = skip_saved;
    uint32_t skips = 0;  // of versions of saved_key_
    uint32_t newer = 0;  // of versions of target_
    while (input_->Valid()) {
      const Slice key = input_->key();
      if (skip_saved_ && SameBytes(key, saved_key_.slice())) {
        SkipSaved(&skips);
        if (Pass()) return;
        continue;
      }
      if (key >= Slice(options_.bounds.upper)) return;
      if (input_->sequence() > options_.sequence) {
        SkipNewer(&newer);
        if (Pass()) return;
        continue;
      }
      const Meaning meaning = Judge();
      if (meaning == Meaning::kValue) {
        if (shown_.apart && !FetchApart(input_->value().substr(shown_.skip_bytes))) [[unlikely]]
          return;
        valid_ = true;
        counts_.AddEntry();
        return;
      }
      saved_key_.Assign(key);
      skip_saved_ = true;
      skips = 0;
      if (meaning == Meaning::kMerge && MergeForward()) {
        valid_ = merged_ = true;
        counts_.AddEntry();
        return;
      }
      if (StopIfBroken() || !input_->Valid()) break;
      if (meaning == Meaning::kNothing) {
        input_->Next();
        if (Pass()) return;
      }
    }
    if (status_.ok()) TakeInputError();
  }

  // Over one more version of saved_key_ or, when there were many, over all of them.
  void SkipSaved(uint32_t* skips) {
    if (++*skips < kMaxSkips) return input_->Next();
    *skips = 0;
    input_->Seek(saved_key_.slice(), kLastTrailer);
  }
  // Over one version that is newer than the reader or, when there were many of its key, over all of them.
  void SkipNewer(uint32_t* skips) {
    if (*skips == 0 || !SameBytes(input_->key(), target_.slice())) {
      target_.Assign(input_->key());
      *skips = 0;
    }
    if (++*skips < kMaxSkips) return input_->Next();
    *skips = 0;
    input_->Seek(target_.slice(), SeekTrailer(options_.sequence));
  }

  // The usual step back, at once where the input stands at a plain value, its key's only version. False: it
  // stands at something else, nothing was done, and FindBackward has to; true: the step is done, as it came.
  bool StepBackToPlain() {
    const InternalEntry* const entry = input_->entry();
    if (entry == nullptr || !judge_.IsPlainAndNotBelow(*entry)) return false;
    skipped_ = 0;
    merged_ = false;
    shown_ = {};
    saved_key_.Assign(entry->key);
    if (!options_.keys_only) kept_value_.Keep(*entry, 0);
    input_->Prev();
    const InternalEntry* const before = input_->entry();
    if (before != nullptr && !SameBytes(before->key, saved_key_.slice())) [[likely]] {
      counts_.AddEntry();
      return true;
    }
    valid_ = false;
    if (!ShowPassed(Meaning::kValue, 1)) PassMoreBackward();
    return true;
  }

  // From the input's position back over one key after another until one is visible and not deleted.
  void FindBackward() {
    valid_ = merged_ = false;
    skipped_ = 0;
    PassMoreBackward();
  }

  void PassMoreBackward() {
    while (input_->Valid()) {
      if (judge_.IsBelow(*input_->entry())) return;
      saved_key_.Assign(input_->key());
      if (ShowPassed(Meaning::kNothing, 0)) return;
    }
    TakeInputError();
  }

  // PassBackward, and what follows from it: true if the key is shown, or the iterator stopped.
  bool ShowPassed(Meaning meaning, uint32_t steps) {
    uint64_t versions = 0;
    const bool found = PassBackward(meaning, steps, &versions);
    if (StopIfBroken()) return true;
    if (!input_->Valid() && !input_->status().ok()) {
      TakeInputError();
      return true;
    }
    if (!found) return Pass(versions + 1);
    counts_.AddPassed(versions);
    if (shown_.apart && !FetchApart(kept_value_.slice())) [[unlikely]]
      return true;
    valid_ = true;
    counts_.AddEntry();
    return true;
  }

  // Moves the input before all versions of saved_key_; true if it has a value, which is kept then. Versions
  // are met oldest first, so the last visible one counts. `steps` were stepped over already, and `meaning`
  // is that of the last visible one among them. `versions`: of those that were met, all but one.
  bool PassBackward(Meaning meaning, uint32_t steps, uint64_t* versions) {
    for (;; ++steps) {
      *versions = std::max(steps, 1U) - 1;
      if (steps > 0 && (!input_->Valid() || !SameBytes(input_->key(), saved_key_.slice()))) {
        if (meaning != Meaning::kMerge) return meaning == Meaning::kValue;
        if (!input_->Valid() && !input_->status().ok()) return false;
        break;
      }
      if (steps == kMaxSkips) break;
      if (input_->sequence() <= options_.sequence) meaning = SaveValue();
      input_->Prev();
    }
    input_->Seek(saved_key_.slice(), SEERDB_MUTANT("reverse-scan-forgets-snapshot")
                                         ? kFirstTrailer
                                         : SeekTrailer(options_.sequence));
    if (!input_->Valid() && !input_->status().ok()) return false;
    bool found = false;
    broken_ = Status();  // of an older version
    if (input_->Valid() && SameBytes(input_->key(), saved_key_.slice())) {
      meaning = SaveValue();
      found = meaning == Meaning::kValue || (meaning == Meaning::kMerge && MergeForward());
      if (!input_->Valid() && !input_->status().ok()) return false;
    }
    input_->SeekForPrev(saved_key_.slice(), kFirstTrailer);
    return found;
  }

  Meaning SaveValue() {
    const InternalEntry& entry = *input_->entry();
    if (!broken_.ok()) [[unlikely]]
      broken_ = Status();
    shown_ = {};
    const Meaning meaning = judge_.IsPlain(entry) ? Meaning::kValue : Judge();
    if (meaning == Meaning::kValue && !options_.keys_only) kept_value_.Keep(entry, shown_.skip_bytes);
    return meaning;
  }

  DbIteratorOptions options_;
  Statistics& statistics_;
  IteratorCounts counts_;
  EntryJudge judge_;
  const std::unique_ptr<InternalIterator> input_;
  uint64_t skipped_ = 0;  // since the last call that may pass so many
  bool valid_ = false;
  bool paused_ = false;
  bool merged_ = false;
  bool skip_saved_ = false;  // of the last FindForward: saved_key_ has been dealt with
  ShownValue shown_;
  std::unique_ptr<ApartValue> value_;  // of the entry shown, if it is apart; null until one was
  bool forward_ = true;
  IteratorStatus status_;
  InlineBytes saved_key_;
  KeptValue kept_value_;
  InlineBytes target_;
  MergeChain chain_;
  Status broken_;  // what Judge or MergeForward could not make sense of
};

}  // namespace

std::unique_ptr<Iterator> NewDbIterator(DbIteratorOptions&& options) {
  return std::make_unique<DbIterator>(std::move(options));
}

}  // namespace seerdb
