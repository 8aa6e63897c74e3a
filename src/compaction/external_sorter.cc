#include "compaction/external_sorter.h"

#include <algorithm>
#include <cstring>

#include "base/coding.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "format/file_name.h"

namespace seerdb {
namespace {

constexpr size_t kMaxFanIn = 64;
constexpr uint64_t kSortedBetweenChecks = 1 << 16;

// A merge reads from fewer than 64 runs of each of three generations, which covers 64^3 runs.
size_t ChunkBytes(uint64_t memory_bytes) {
  return static_cast<size_t>(
      std::clamp<uint64_t>(memory_bytes / 1024, uint64_t{4} << 10, uint64_t{256} << 10));
}

}  // namespace

// The merge of runs given in the order of their entries' arrival: each key once, from the last run that has
// it.
class SortedRuns {
 public:
  static Result<std::unique_ptr<SortedRuns>> Open(FileSystem& fs, const std::vector<SortRun>& runs) {
    auto merged = std::make_unique<SortedRuns>();
    for (const SortRun& run : runs) {
      Input input;
      input.order = merged->heap_.size() + merged->ended_;
      SEERDB_ASSIGN_OR_RETURN(input.reader, SortRunReader::Open(fs, run));
      SEERDB_ASSIGN_OR_RETURN(const bool more, input.reader->Next());
      if (!more) {
        ++merged->ended_;
        continue;
      }
      input.window = SortWindow(input.reader->key());
      merged->heap_.push_back(std::move(input));
    }
    for (size_t i = merged->heap_.size() / 2; i > 0; --i) merged->SiftDown(i - 1);
    return merged;
  }

  Result<bool> Next() {
    if (started_) {
      last_key_.assign(key());
      SEERDB_RETURN_IF_ERROR(Advance());
      while (!heap_.empty() && key() == Slice(last_key_)) {
        ++duplicates_;
        SEERDB_RETURN_IF_ERROR(heap_.front().reader->LoadValue());  // for its checks
        SEERDB_RETURN_IF_ERROR(Advance());
      }
    }
    started_ = true;
    if (heap_.empty()) return false;
    SEERDB_RETURN_IF_ERROR(heap_.front().reader->LoadValue());
    return true;
  }
  Slice key() const { return heap_.front().reader->key(); }
  Slice value() const { return heap_.front().reader->value(); }
  uint64_t duplicates() const { return duplicates_; }

 private:
  struct Input {
    uint64_t window = 0;  // of the present key
    size_t order = 0;     // later runs have larger ones
    std::unique_ptr<SortRunReader> reader;
  };

  static bool Before(const Input& a, const Input& b) {
    if (a.window != b.window) return a.window < b.window;
    const int order = a.reader->key().compare(b.reader->key());
    if (order != 0) return order < 0;
    return SEERDB_MUTANT("merge-of-runs-forgets-order") ? a.order < b.order : a.order > b.order;
  }

  Status Advance() {
    Input& top = heap_.front();
    SEERDB_ASSIGN_OR_RETURN(const bool more, top.reader->Next());
    if (more) {
      top.window = SortWindow(top.reader->key());
    } else {
      std::swap(heap_.front(), heap_.back());
      heap_.pop_back();
    }
    SiftDown(0);
    return {};
  }

  void SiftDown(size_t i) {
    for (;;) {
      size_t child = 2 * i + 1;
      if (child >= heap_.size()) return;
      if (child + 1 < heap_.size() && Before(heap_[child + 1], heap_[child])) ++child;
      if (!Before(heap_[child], heap_[i])) return;
      std::swap(heap_[child], heap_[i]);
      i = child;
    }
  }

  std::vector<Input> heap_;
  size_t ended_ = 0;
  bool started_ = false;
  std::string last_key_;
  uint64_t duplicates_ = 0;
};

ExternalSorter::ExternalSorter(FileSystem& fs, ExternalSorterOptions options)
    : fs_(fs), options_(std::move(options)), chunk_bytes_(ChunkBytes(options_.memory_bytes)) {}

ExternalSorter::~ExternalSorter() {
  merge_.reset();
  for (const KeptRun& kept : runs_) Remove(kept.run.path);
}

void ExternalSorter::Remove(const std::string& path) {
  fs_.DeleteFile(path).IgnoreError("swept at the next open");
}

Status ExternalSorter::Add(Slice key, Slice value) {
  const uint64_t limit = options_.memory_bytes - options_.memory_bytes / 4;
  if (buffer_.size() > 0 && buffer_.BytesWith(key, value) > limit) SEERDB_RETURN_IF_ERROR(Spill());
  buffer_.Add(key, value);
  return {};
}

Result<SortRunWriter> ExternalSorter::NewWriter(uint64_t expected_bytes, std::string* path) {
  if (options_.may_write != nullptr) SEERDB_RETURN_IF_ERROR(options_.may_write(expected_bytes));
  SEERDB_ASSIGN_OR_RETURN(const uint64_t number, options_.new_file_number());
  *path = SortRunPath(options_.directory, number);
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs_.NewWritableFile(*path, CreateMode::kTruncate));
  return SortRunWriter(std::move(file), chunk_bytes_);
}

Status ExternalSorter::Spill() {
  duplicates_ += buffer_.Sort();
  KeptRun kept;
  SEERDB_ASSIGN_OR_RETURN(SortRunWriter writer, NewWriter(buffer_.bytes(), &kept.run.path));
  runs_.push_back(kept);  // its file is removed from here on, whatever happens
  for (size_t i = 0; i < buffer_.size(); ++i) {
    SEERDB_RETURN_IF_ERROR(writer.Add(buffer_.key(i), buffer_.value(i)));
  }
  SEERDB_RETURN_IF_ERROR(writer.Finish());
  runs_.back().run.entries = writer.entries();
  runs_.back().run.bytes = writer.bytes();
  bytes_spilled_ += writer.bytes();
  ++spilled_;
  buffer_.Clear();
  return MergeGenerations();
}

Status ExternalSorter::MergeGenerations() {
  for (;;) {
    if (runs_.size() < kMaxFanIn) return {};
    const auto begin = runs_.end() - kMaxFanIn;
    const uint32_t generation = begin->generation;
    if (generation != runs_.back().generation) return {};
    std::vector<SortRun> merged;
    for (auto it = begin; it != runs_.end(); ++it) merged.push_back(it->run);
    SEERDB_ASSIGN_OR_RETURN(KeptRun larger, MergeRuns(merged, generation + 1));
    for (const SortRun& run : merged) Remove(run.path);
    runs_.erase(runs_.end() - kMaxFanIn, runs_.end());
    runs_.push_back(std::move(larger));
  }
}

Result<ExternalSorter::KeptRun> ExternalSorter::MergeRuns(const std::vector<SortRun>& runs,
                                                          uint32_t generation) {
  KeptRun larger;
  larger.generation = generation;
  uint64_t expected_bytes = 0;
  for (const SortRun& run : runs) expected_bytes += run.bytes;
  const auto merge = [&]() -> Status {
    SEERDB_ASSIGN_OR_RETURN(const std::unique_ptr<SortedRuns> merged, SortedRuns::Open(fs_, runs));
    SEERDB_ASSIGN_OR_RETURN(SortRunWriter writer, NewWriter(expected_bytes, &larger.run.path));
    for (uint64_t n = 1;; ++n) {
      if (n % kSortedBetweenChecks == 0 && options_.may_write != nullptr)
        SEERDB_RETURN_IF_ERROR(options_.may_write(0));
      SEERDB_ASSIGN_OR_RETURN(const bool more, merged->Next());
      if (!more) break;
      SEERDB_RETURN_IF_ERROR(writer.Add(merged->key(), merged->value()));
    }
    duplicates_ += merged->duplicates();
    SEERDB_RETURN_IF_ERROR(writer.Finish());
    larger.run.entries = writer.entries();
    larger.run.bytes = writer.bytes();
    bytes_spilled_ += writer.bytes();
    return {};
  };
  if (Status status = merge(); !status.ok()) {
    if (!larger.run.path.empty()) Remove(larger.run.path);
    return status;
  }
  return larger;
}

Status ExternalSorter::Finish() {
  if (runs_.empty()) {
    duplicates_ += buffer_.Sort();
    return {};
  }
  if (buffer_.size() > 0) SEERDB_RETURN_IF_ERROR(Spill());
  std::vector<SortRun> runs;
  for (const KeptRun& kept : runs_) runs.push_back(kept.run);
  SEERDB_ASSIGN_OR_RETURN(merge_, SortedRuns::Open(fs_, runs));
  return {};
}

Result<bool> ExternalSorter::Next() {
  if (merge_ == nullptr) {
    if (next_in_buffer_ == buffer_.size()) return false;
    key_ = buffer_.key(next_in_buffer_);
    value_ = buffer_.value(next_in_buffer_);
    ++next_in_buffer_;
    return true;
  }
  const uint64_t before = merge_->duplicates();
  SEERDB_ASSIGN_OR_RETURN(const bool more, merge_->Next());
  duplicates_ += merge_->duplicates() - before;
  if (!more) return false;
  key_ = merge_->key();
  value_ = merge_->value();
  return true;
}

}  // namespace seerdb
