#include "tests/kill/watched_seams.h"

#include <optional>
#include <utility>

#include "format/file_name.h"

namespace seerdb::testing {
namespace {

// Set on a thread while it runs a task.
struct TaskOfThread {
  std::optional<Executor::Lane> lane;
  std::optional<StateScope> state;  // once it has begun a table
};
thread_local TaskOfThread task_of_thread;

// Set on a thread from the first call that makes a log file until the file is open to be used: the last
// call, behind the sync of the directory.
struct LogOfThread {
  std::optional<StateScope> state;
  bool directory_synced = false;

  void Begin(StatePage* page) {
    if (!state) state.emplace(page, RunState::kRotation);
    directory_synced = false;
  }
};
thread_local LogOfThread log_of_thread;

FileKind KindOf(const std::string& path) {
  uint64_t number = 0;
  return ParseFileName(Slice(path).substr(path.find_last_of('/') + 1), &number);
}

bool IsManifest(FileKind kind) { return kind == FileKind::kManifest || kind == FileKind::kCurrent; }

class WatchedWritableFile final : public WritableFile {
 public:
  WatchedWritableFile(std::unique_ptr<WritableFile> base, FileKind kind, StatePage* page)
      : base_(std::move(base)), kind_(kind), page_(page) {}
  Status Append(Slice bytes) override {
    const auto state = Watch(RunState::kLogAppend);
    return base_->Append(bytes);
  }
  Status AppendSynced(Slice bytes, bool all) override {
    const auto state = Watch(RunState::kLogSync);
    return base_->AppendSynced(bytes, all);
  }
  uint64_t append_unit_bytes() const override { return base_->append_unit_bytes(); }
  Status Sync() override {
    const auto state = Watch(RunState::kLogSync);
    return base_->Sync();
  }
  Status SyncAll() override {
    const auto state = Watch(RunState::kLogSync);
    return base_->SyncAll();
  }
  void StartWriteback(uint64_t offset, uint64_t bytes) override { base_->StartWriteback(offset, bytes); }
  Status Allocate(uint64_t bytes, bool extend) override { return base_->Allocate(bytes, extend); }
  Status Truncate(uint64_t bytes) override { return base_->Truncate(bytes); }
  Status Close() override { return base_->Close(); }

 private:
  std::unique_ptr<StateScope> Watch(RunState of_log) {
    if (kind_ == FileKind::kLog) return std::make_unique<StateScope>(page_, of_log);
    return IsManifest(kind_) ? std::make_unique<StateScope>(page_, RunState::kManifest) : nullptr;
  }

  const std::unique_ptr<WritableFile> base_;
  const FileKind kind_;
  StatePage* const page_;
};

class WatchedFileSystem final : public FileSystem {
 public:
  WatchedFileSystem(std::shared_ptr<FileSystem> base, StatePage* page)
      : base_(std::move(base)), page_(page) {}

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path, CreateMode mode) override {
    const FileKind kind = KindOf(path);
    if (kind == FileKind::kLog) log_of_thread.Begin(page_);
    TaskOfThread& task = task_of_thread;
    if (path.ends_with(".sst.tmp") && task.lane && !task.state) {
      task.state.emplace(
          page_, *task.lane == Executor::Lane::kCompaction ? RunState::kCompaction : RunState::kFlush);
    }
    auto opened = base_->NewWritableFile(path, mode);
    if (!opened.ok()) return opened;
    return std::unique_ptr<WritableFile>(
        std::make_unique<WatchedWritableFile>(*std::move(opened), kind, page_));
  }
  Result<std::unique_ptr<WritableFile>> NewLogFile(const std::string& path, LogMode mode) override {
    auto opened = base_->NewLogFile(path, mode);
    if (!opened.ok()) return opened;
    if (log_of_thread.directory_synced) log_of_thread.state.reset();
    return std::unique_ptr<WritableFile>(
        std::make_unique<WatchedWritableFile>(*std::move(opened), FileKind::kLog, page_));
  }
  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(const std::string& path) override {
    return base_->NewRandomAccessFile(path);
  }
  Result<std::vector<std::string>> ListDirectory(const std::string& path) override {
    return base_->ListDirectory(path);
  }
  Status CreateDirectory(const std::string& path) override { return base_->CreateDirectory(path); }
  Status DeleteFile(const std::string& path) override {
    const StateScope state(page_, RunState::kDelete);
    return base_->DeleteFile(path);
  }
  Status DeleteDirectory(const std::string& path) override { return base_->DeleteDirectory(path); }
  Status RenameFile(const std::string& from, const std::string& to) override {
    const FileKind kind = KindOf(to);
    std::optional<StateScope> state;
    if (kind == FileKind::kLog) log_of_thread.Begin(page_);
    if (IsManifest(kind)) state.emplace(page_, RunState::kManifest);
    return base_->RenameFile(from, to);
  }
  Status SyncDirectory(const std::string& path) override {
    Status status = base_->SyncDirectory(path);
    log_of_thread.directory_synced = true;
    return status;
  }
  Result<FileInfo> GetFileInfo(const std::string& path) override { return base_->GetFileInfo(path); }
  Result<SpaceInfo> GetSpaceInfo(const std::string& path) override { return base_->GetSpaceInfo(path); }
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path, const std::string& holder) override {
    return base_->LockFile(path, holder);
  }

 private:
  const std::shared_ptr<FileSystem> base_;
  StatePage* const page_;
};

class WatchedExecutor final : public Executor {
 public:
  explicit WatchedExecutor(std::shared_ptr<Executor> base) : base_(std::move(base)) {}
  void Schedule(Lane lane, std::function<void()> task) override {
    base_->Schedule(lane, Wrap(lane, std::move(task)));
  }
  void ScheduleAfter(uint64_t delay_us, Lane lane, std::function<void()> task) override {
    base_->ScheduleAfter(delay_us, lane, Wrap(lane, std::move(task)));
  }
  bool cooperative() const override { return base_->cooperative(); }
  bool RunOne() override { return base_->RunOne(); }

 private:
  static std::function<void()> Wrap(Lane lane, std::function<void()> task) {
    return [lane, work = std::move(task)] {
      task_of_thread.lane = lane;
      work();
      task_of_thread.state.reset();
      task_of_thread.lane.reset();
    };
  }

  const std::shared_ptr<Executor> base_;
};

}  // namespace

std::shared_ptr<FileSystem> NewWatchedFileSystem(std::shared_ptr<FileSystem> base, StatePage* page) {
  return std::make_shared<WatchedFileSystem>(std::move(base), page);
}

std::shared_ptr<Executor> NewWatchedExecutor(std::shared_ptr<Executor> base) {
  return std::make_shared<WatchedExecutor>(std::move(base));
}

}  // namespace seerdb::testing
