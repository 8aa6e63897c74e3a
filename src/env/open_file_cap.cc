#include "env/open_file_cap.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/mutex.h"
#include "base/status_macros.h"

namespace seerdb {
namespace {

using File = std::shared_ptr<const RandomAccessFile>;

// A place for one descriptor: of one reader, filled and emptied.
class Place {
 public:
  explicit Place(std::string path) : path_(std::move(path)) {}

  // Null if it was given up.
  File Use() EXCLUDES(mu_) {
    used_.store(true, std::memory_order_relaxed);
    MutexLock lock(&mu_);
    return file_;
  }
  // Keeps `file` unless another thread was faster. True if it did.
  bool Fill(const File& file) EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    if (file_ != nullptr) return false;
    file_ = file;
    return true;
  }
  // Takes the descriptor; whoever reads from it at this moment closes it.
  File Empty() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    return std::exchange(file_, nullptr);
  }
  // Whether it was used since the last call.
  bool TakeUsed() { return used_.exchange(false, std::memory_order_relaxed); }
  const std::string& path() const { return path_; }
  // kCorruption if `file` is not as long as the one that was opened first: another took its name.
  Status CheckSameFile(const RandomAccessFile& file) {
    SEERDB_ASSIGN_OR_RETURN(const uint64_t bytes, file.Size());
    uint64_t first = kUnknown;
    if (bytes_.compare_exchange_strong(first, bytes) || first == bytes) return {};
    return Status::Corruption("open " + path_ + " again: found " + std::to_string(bytes) +
                                  " bytes, expected " + std::to_string(first) +
                                  ": it was replaced while in use",
                              StatusDetail::kTableCorruption);
  }

 private:
  static constexpr uint64_t kUnknown = UINT64_MAX;
  const std::string path_;
  std::atomic<uint64_t> bytes_{kUnknown};
  std::atomic<bool> used_{true};  // a hint
  Mutex mu_;
  File file_ GUARDED_BY(mu_);
};

// The places that are filled.
class Ring {
 public:
  Ring(std::shared_ptr<FileSystem> below, size_t max_files, OpenFileEvents events)
      : below_(std::move(below)), max_files_(max_files), events_(std::move(events)) {}

  // The place's descriptor, opened if it has none.
  Result<File> Open(const std::shared_ptr<Place>& place) EXCLUDES(mu_) {
    if (File file = place->Use()) return file;
    SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> opened, OpenBelow(place->path()));
    SEERDB_RETURN_IF_ERROR(place->CheckSameFile(*opened));
    if (events_.opened != nullptr) events_.opened();
    File file = std::move(opened);
    MutexLock lock(&mu_);
    if (place->Fill(file)) places_.push_back(place);
    return file;
  }
  void Forget(const std::shared_ptr<Place>& place) EXCLUDES(mu_) {
    const File closed = place->Empty();
    if (closed == nullptr) return;
    MutexLock lock(&mu_);
    std::erase(places_, place);
  }
  const std::shared_ptr<FileSystem>& below() const { return below_; }

 private:
  static constexpr int kMostGivenUp = 8;  // for one that is opened

  Result<std::unique_ptr<RandomAccessFile>> OpenBelow(const std::string& path) EXCLUDES(mu_) {
    // Room first: what has no descriptor left in the process cannot be opened.
    GiveUpOne(max_files_).reset();
    for (int given_up = 0;; ++given_up) {
      Result<std::unique_ptr<RandomAccessFile>> opened = below_->NewRandomAccessFile(path);
      if (opened.status().detail() != StatusDetail::kNoResources || given_up == kMostGivenUp) return opened;
      // Others have what was thought to be left: one of these here will do, once nobody reads from it.
      if (GiveUpOne(0) == nullptr) return opened;
    }
  }
  // Takes the descriptor of one that was not used of late, if there are so many.
  File GiveUpOne(size_t least) EXCLUDES(mu_) {
    File file;
    {
      MutexLock lock(&mu_);
      if (places_.empty() || places_.size() < least || SEERDB_MUTANT("open-files-not-capped")) return nullptr;
      while (true) {
        if (hand_ >= places_.size()) hand_ = 0;
        if (!places_[hand_]->TakeUsed()) break;
        ++hand_;
      }
      file = places_[hand_]->Empty();
      places_[hand_] = std::move(places_.back());
      places_.pop_back();
    }
    if (file != nullptr && events_.evicted != nullptr) events_.evicted();
    return file;
  }

  const std::shared_ptr<FileSystem> below_;
  const size_t max_files_;
  const OpenFileEvents events_;
  Mutex mu_;
  std::vector<std::shared_ptr<Place>> places_ GUARDED_BY(mu_);
  size_t hand_ GUARDED_BY(mu_) = 0;
};

class CappedFile final : public RandomAccessFile {
 public:
  CappedFile(std::shared_ptr<Ring> ring, std::shared_ptr<Place> place)
      : ring_(std::move(ring)), place_(std::move(place)) {}
  CappedFile(const CappedFile&) = delete;
  CappedFile& operator=(const CappedFile&) = delete;
  ~CappedFile() override { ring_->Forget(place_); }

  Result<Slice> Read(uint64_t offset, size_t n, char* scratch) const override {
    SEERDB_ASSIGN_OR_RETURN(const File file, ring_->Open(place_));
    return file->Read(offset, n, scratch);
  }
  Result<uint64_t> Size() const override {
    SEERDB_ASSIGN_OR_RETURN(const File file, ring_->Open(place_));
    return file->Size();
  }
  Result<std::shared_ptr<const MappedRegion>> Map() const override {
    SEERDB_ASSIGN_OR_RETURN(const File file, ring_->Open(place_));
    return file->Map();
  }
  void ReadAhead(uint64_t offset, size_t n) const override {
    if (const File file = place_->Use()) file->ReadAhead(offset, n);
  }
  void ForgetClean() const override {
    if (const File file = place_->Use()) file->ForgetClean();
  }

 private:
  const std::shared_ptr<Ring> ring_;
  const std::shared_ptr<Place> place_;
};

class CappedFileSystem final : public FileSystem {
 public:
  explicit CappedFileSystem(std::shared_ptr<Ring> ring) : ring_(std::move(ring)), below_(*ring_->below()) {}

  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(const std::string& path) override {
    const auto place = std::make_shared<Place>(path);
    SEERDB_RETURN_IF_ERROR(ring_->Open(place).status());
    return std::unique_ptr<RandomAccessFile>(std::make_unique<CappedFile>(ring_, place));
  }

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path, CreateMode mode) override {
    return below_.NewWritableFile(path, mode);
  }
  Result<std::unique_ptr<WritableFile>> NewLogFile(const std::string& path, LogMode mode) override {
    return below_.NewLogFile(path, mode);
  }
  Result<std::vector<std::string>> ListDirectory(const std::string& path) override {
    return below_.ListDirectory(path);
  }
  Status CreateDirectory(const std::string& path) override { return below_.CreateDirectory(path); }
  Status DeleteFile(const std::string& path) override { return below_.DeleteFile(path); }
  Status DeleteDirectory(const std::string& path) override { return below_.DeleteDirectory(path); }
  Status RenameFile(const std::string& from, const std::string& to) override {
    return below_.RenameFile(from, to);
  }
  Status SyncDirectory(const std::string& path) override { return below_.SyncDirectory(path); }
  Result<FileInfo> GetFileInfo(const std::string& path) override { return below_.GetFileInfo(path); }
  Result<SpaceInfo> GetSpaceInfo(const std::string& path) override { return below_.GetSpaceInfo(path); }
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path, const std::string& holder) override {
    return below_.LockFile(path, holder);
  }

 private:
  const std::shared_ptr<Ring> ring_;
  FileSystem& below_;
};

}  // namespace

std::shared_ptr<FileSystem> NewOpenFileCap(std::shared_ptr<FileSystem> below, size_t max_files,
                                           OpenFileEvents events) {
  return std::make_shared<CappedFileSystem>(
      std::make_shared<Ring>(std::move(below), std::max<size_t>(max_files, 1), std::move(events)));
}

size_t DefaultMaxOpenFiles() {
  constexpr size_t kFewest = 16;
  constexpr size_t kUnlimited = 1'000'000;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
  return std::max<size_t>(kFewest, static_cast<size_t>(limit.rlim_cur) / 4 * 3);
}

}  // namespace seerdb
