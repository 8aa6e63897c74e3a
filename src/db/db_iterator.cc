#include "db/db_iterator.h"

#include <algorithm>

#include "base/mutant.h"

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

// Forward, the input stands at the entry returned. Backward, it stands just before all versions of the key
// returned, whose bytes are copied into saved_key_ and saved_value_.
class DbIterator final : public Iterator {
 public:
  explicit DbIterator(DbIteratorOptions options)
      : options_(std::move(options)), input_(options_.view->NewIterator(options_.flags, options_.bounds)) {}
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
    if (!valid_) return;
    if (forward_) {
      saved_key_.assign(input_->key());
      input_->Next();
    } else {
      // The input stands before the versions of saved_key_; FindForward skips them.
      forward_ = true;
      input_->Seek(saved_key_, kFirstTrailer);
    }
    FindForward(true);
  }
  void Prev() override {
    if (!valid_) return;
    if (forward_) {
      forward_ = false;
      saved_key_.assign(input_->key());
      input_->SeekForPrev(saved_key_, kFirstTrailer);
    }
    FindBackward();
  }

  Slice key() const override {
    const Slice engine_key = forward_ ? input_->key() : Slice(saved_key_);
    return engine_key.substr(options_.prefix_bytes);
  }
  Slice value() const override {
    if (options_.keys_only) return {};
    return forward_ ? input_->value() : Slice(saved_value_);
  }

 private:
  void ReportUnobserved() {
    if (status_.ok() || observed_ || options_.unobserved == nullptr) return;
    options_.unobserved->Add(status_);
    options_.statistics->Add(Counter::unobserved_iterator_errors);
  }

  // Hands over what was counted here.
  void Count() {
    options_.statistics->Add(Counter::total_seeks, seeks_);
    options_.statistics->Add(Counter::total_scan_entries, entries_);
    seeks_ = 0;
    entries_ = 0;
  }

  void Start(bool forward) {
    ReportUnobserved();
    if (++seeks_ == kSeeksBetweenCounts) Count();
    status_ = Status();
    observed_ = false;
    valid_ = false;
    forward_ = forward;
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
    uint32_t skips = 0;
    while (input_->Valid()) {
      const Slice key = input_->key();
      if (skip_saved && key == Slice(saved_key_)) {
        SkipForward(&skips, kLastTrailer);
        continue;
      }
      if (key >= Slice(options_.bounds.upper)) return;
      if (input_->sequence() > options_.sequence) {
        SkipForward(&skips, SeekTrailer(options_.sequence));
        continue;
      }
      if (input_->type() != ValueType::kDeletion) {
        valid_ = true;
        ++entries_;
        return;
      }
      saved_key_.assign(key);
      skip_saved = true;
      input_->Next();
    }
    TakeInputError();
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
    while (input_->Valid()) {
      if (input_->key() < Slice(options_.bounds.lower)) return;
      saved_key_.assign(input_->key());
      const bool found = PassBackward();
      if (!input_->Valid() && !input_->status().ok()) break;
      if (found) {
        valid_ = true;
        ++entries_;
        return;
      }
    }
    TakeInputError();
  }

  // Moves the input before all versions of saved_key_; true if the newest visible one is a value, which is
  // saved then. Versions are met oldest first, so the last visible one counts.
  bool PassBackward() {
    bool found = false;
    for (uint32_t steps = 0; steps < kMaxSkips; ++steps) {
      if (input_->sequence() <= options_.sequence) found = SaveValue();
      input_->Prev();
      if (!input_->Valid() || input_->key() != Slice(saved_key_)) return found;
    }
    input_->Seek(saved_key_, SEERDB_MUTANT("reverse-scan-forgets-snapshot") ? kFirstTrailer
                                                                            : SeekTrailer(options_.sequence));
    if (!input_->Valid() && !input_->status().ok()) return false;
    found = input_->Valid() && input_->key() == Slice(saved_key_) && SaveValue();
    input_->SeekForPrev(saved_key_, kFirstTrailer);
    return found;
  }

  bool SaveValue() {
    if (input_->type() == ValueType::kDeletion) return false;
    if (!options_.keys_only) saved_value_.assign(input_->value());
    return true;
  }

  const DbIteratorOptions options_;
  const std::unique_ptr<InternalIterator> input_;
  uint64_t seeks_ = 0;
  uint64_t entries_ = 0;
  bool valid_ = false;
  bool forward_ = true;
  mutable bool observed_ = false;
  Status status_;
  std::string saved_key_;
  std::string saved_value_;
  std::string target_;
};

}  // namespace

void UnobservedErrors::Add(const Status& status) {
  MutexLock lock(&mu_);
  if (first_.ok()) first_ = status.WithContext("an iterator stopped and nobody asked for its status");
}

Status UnobservedErrors::first() const {
  MutexLock lock(&mu_);
  return first_;
}

std::unique_ptr<Iterator> NewDbIterator(DbIteratorOptions options) {
  return std::make_unique<DbIterator>(std::move(options));
}

std::unique_ptr<Iterator> NewErrorIterator(Status status) {
  return std::make_unique<ErrorIterator>(std::move(status));
}

}  // namespace seerdb
