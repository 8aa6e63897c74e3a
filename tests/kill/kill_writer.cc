// The process that is killed: opens the database and writes units until it dies. Not a test by itself.
//
//   kill_writer DIRECTORY SETUP PIPE_FD PAGE_FD
// After the open it writes the counter of each writer to the pipe, then each unit's number when the call
// returned. What it does at any moment stands in the page. Exit status: 2 usage, 3 open, 4 write, 5 pipe.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/kill/kill_message.h"
#include "tests/kill/kill_workload.h"
#include "tests/kill/state_page.h"
#include "tests/kill/watched_seams.h"

namespace seerdb::testing {
namespace {

[[noreturn]] void Die(int exit_status, const std::string& why) {
  std::fprintf(stderr, "kill_writer: %s\n", why.c_str());
  _exit(exit_status);
}

void Send(int pipe_fd, KillMessage::Kind kind, int writer, uint64_t unit) {
  const uint64_t packed = KillMessage{kind, writer, unit}.Pack();
  if (write(pipe_fd, &packed, sizeof packed) != sizeof packed) Die(5, "the pipe is closed");
}

void Count(StatePage* page, Slice line) {
  if (line.starts_with("flush:")) page->flushes.fetch_add(1);
  if (line.starts_with("compaction:")) page->compactions.fetch_add(1);
}

[[noreturn]] void Run(const std::string& directory, const KillSetup& setup, int pipe_fd, StatePage* page) {
  Options options = KillOptions(setup);
  options.file_system = NewWatchedFileSystem(PosixFileSystem(), page);
  options.executor = NewWatchedExecutor(NewThreadPoolExecutor());
  options.logger = [page](Slice line) { Count(page, line); };
  page->Enter(RunState::kRecovery);
  auto opened = DB::Open(options, directory);
  if (!opened.ok()) Die(3, opened.status().ToString());
  page->Leave(RunState::kRecovery);
  DB* const db = opened->get();
  std::vector<uint64_t> counters;
  for (int w = 0; w < kKillWriters; ++w) {
    const Result<uint64_t> counter = ReadCounter(*db, w);
    if (!counter.ok()) Die(3, counter.status().ToString());
    counters.push_back(*counter);
    Send(pipe_fd, KillMessage::kStart, w, *counter);
  }
  std::vector<std::thread> writers;
  for (int w = 0; w < kKillWriters; ++w) {
    writers.emplace_back([db, w, pipe_fd, unit = counters[static_cast<size_t>(w)]]() mutable {
      for (;;) {
        const Status written = WriteUnit(*db, w, ++unit);
        if (!written.ok()) Die(4, written.ToString());
        Send(pipe_fd, KillMessage::kAcknowledged, w, unit);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  Die(4, "the writers ended");
}

}  // namespace
}  // namespace seerdb::testing

int main(int argc, char** argv) {
  using seerdb::testing::KillSetups;
  using seerdb::testing::StatePage;
  if (argc != 5) return 2;
  const auto setup = static_cast<size_t>(std::atoi(argv[2]));
  const int pipe_fd = std::atoi(argv[3]), page_fd = std::atoi(argv[4]);
  void* const page = mmap(nullptr, sizeof(StatePage), PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
  if (setup >= KillSetups().size() || page == MAP_FAILED) return 2;
  seerdb::testing::Run(argv[1], KillSetups()[setup], pipe_fd, static_cast<StatePage*>(page));
}
