#include "tests/kill/kill_life.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include "tests/kill/kill_message.h"

extern char** environ;

namespace seerdb::testing {
namespace {

// How long an aim waits for acknowledgements, and for its state.
constexpr uint64_t kPatienceMicros = 120'000;

uint64_t NowMicros() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

class Life {
 public:
  Life(const KillSetup& setup, KillKnowledge* knowledge) : setup_(setup), knowledge_(knowledge) {}
  ~Life() {
    if (page_ != nullptr) munmap(page_, sizeof(StatePage));
    if (page_fd_ >= 0) close(page_fd_);
    if (pipe_fd_ >= 0) close(pipe_fd_);
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  bool Start(const std::string& directory, size_t setup_index,
             const std::vector<std::pair<std::string, std::string>>& variables) {
    int ends[2];
    page_fd_ = memfd_create("state page", 0);
    if (page_fd_ < 0 || ftruncate(page_fd_, sizeof(StatePage)) != 0 || pipe(ends) != 0)
      return Failed("start");
    pipe_fd_ = ends[0];
    void* const mapped = mmap(nullptr, sizeof(StatePage), PROT_READ | PROT_WRITE, MAP_SHARED, page_fd_, 0);
    if (mapped == MAP_FAILED) return Failed("map the page");
    page_ = new (mapped) StatePage();
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::vector<std::string> words = {SEERDB_KILL_WRITER, directory, std::to_string(setup_index),
                                      std::to_string(ends[1]), std::to_string(page_fd_)};
    std::vector<std::string> settings;
    for (char** entry = environ; *entry != nullptr; ++entry) settings.emplace_back(*entry);
    for (const auto& [name, value] : variables) settings.push_back(name + "=" + value);
    const int error = posix_spawn(&child_, SEERDB_KILL_WRITER, nullptr, nullptr, Pointers(&words).data(),
                                  Pointers(&settings).data());
    close(ends[1]);
    errno = error;
    return error == 0 || Failed("start " SEERDB_KILL_WRITER);
  }

  void KillAt(const KillAim& aim) {
    WaitFor(kPatienceMicros, true, [&] { return outcome_.acknowledged >= aim.after_acknowledged; });
    if (aim.state) WaitFor(kPatienceMicros, false, [&] { return page_->of(*aim.state).load() > 0; });
    WaitFor(aim.linger_us, false, [] { return false; });
    kill(child_, SIGKILL);
    fcntl(pipe_fd_, F_SETFL, 0);
    while (ReadSome()) {
    }
    int exit_status = 0;
    waitpid(child_, &exit_status, 0);
    if (!WIFSIGNALED(exit_status) && outcome_.error.empty()) {
      outcome_.error = "the child ended by itself, exit status " + std::to_string(WEXITSTATUS(exit_status));
    }
    for (size_t i = 0; i < kRunStates; ++i) outcome_.running[i] = page_->running[i].load() > 0;
    outcome_.flushes = page_->flushes.load();
    outcome_.compactions = page_->compactions.load();
  }

  KillOutcome& outcome() { return outcome_; }

 private:
  static std::vector<char*> Pointers(std::vector<std::string>* words) {
    std::vector<char*> pointers;
    for (std::string& word : *words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  bool Failed(const char* what) {
    outcome_.error = std::string(what) + ": " + std::strerror(errno);
    return false;
  }

  // Reads messages until `done()`, the time is over or the child has ended.
  template <class Done>
  void WaitFor(uint64_t micros, bool may_sleep, const Done& done) {
    const uint64_t until = NowMicros() + micros;
    while (!ended_ && !done() && NowMicros() < until) {
      if (ReadSome()) continue;
      // A state may last for microseconds, so those are awaited without sleep; else the child has the
      // processor.
      if (may_sleep) {
        pollfd readable = {pipe_fd_, POLLIN, 0};
        poll(&readable, 1, 1);
      } else {
        sched_yield();
      }
    }
  }

  // True if something was read.
  bool ReadSome() {
    uint64_t packed[512];
    const ssize_t got = read(pipe_fd_, packed, sizeof packed);
    if (got == 0) ended_ = true;
    if (got <= 0) return got < 0 && errno == EINTR;
    const size_t count = static_cast<size_t>(got) / sizeof packed[0];
    for (size_t i = 0; i < count; ++i) Take(KillMessage::Unpack(packed[i]));
    return true;
  }

  void Take(const KillMessage& message) {
    const auto w = static_cast<size_t>(message.writer);
    uint64_t& least = knowledge_->bounds.least[w];
    uint64_t& most = knowledge_->bounds.most[w];
    if (message.kind == KillMessage::kStart) {
      const uint64_t at_most = message.unit + (MayBeOneMore(message.writer, message.unit) ? 1 : 0);
      if (at_most < least || message.unit > most) {
        outcome_.error = "after the open writer " + std::to_string(w) + " found the counter " +
                         std::to_string(message.unit) + ", expected " + std::to_string(least) + " .. " +
                         std::to_string(most);
      }
    } else {
      ++outcome_.acknowledged;
      least = std::max(least, message.unit);
      if (IsDurable(setup_, message.writer, message.unit)) {
        knowledge_->durable[w] = std::max(knowledge_->durable[w], message.unit);
      }
    }
    most = std::max(most, message.unit + 1);  // the next one may have been submitted
  }

  const KillSetup& setup_;
  KillKnowledge* const knowledge_;
  KillOutcome outcome_;
  pid_t child_ = -1;
  int page_fd_ = -1;
  int pipe_fd_ = -1;
  StatePage* page_ = nullptr;
  bool ended_ = false;
};

}  // namespace

bool KillOutcome::Idle() const {
  return std::none_of(running.begin(), running.end(), [](bool state) { return state; });
}

KillOutcome RunAndKill(const std::string& directory, size_t setup, const KillAim& aim,
                       const std::vector<std::pair<std::string, std::string>>& variables,
                       KillKnowledge* knowledge) {
  Life life(KillSetups()[setup], knowledge);
  if (life.Start(directory, setup, variables)) life.KillAt(aim);
  return life.outcome();
}

}  // namespace seerdb::testing
