#include "tests/limits/process_memory.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace seerdb::testing {

uint64_t ProcessStatusBytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind(field + ":", 0) != 0) continue;
    return std::stoull(line.substr(field.size() + 1)) * 1024;  // always in kB
  }
  return 0;
}

MemoryCgroup::MemoryCgroup() {
  // "4:memory:/path" in version 1, "0::/path" in version 2.
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers == "memory" && (Enter("/sys/fs/cgroup/memory" + group, "total_rss") ||
                                    Enter("/sys/fs/cgroup/memory", "total_rss"))) {
      return;
    }
    if (controllers.empty() && Enter("/sys/fs/cgroup" + group, "anon")) return;
  }
}

bool MemoryCgroup::Enter(const std::string& parent, const std::string& key) {
  const std::string path = parent + "/seerdb_test_" + std::to_string(getpid());
  if (mkdir(path.c_str(), 0755) != 0) return false;
  std::ofstream procs(path + "/cgroup.procs");
  procs << getpid() << std::flush;
  if (!procs.good() || access((path + "/memory.stat").c_str(), R_OK) != 0) {
    procs.close();
    std::ofstream(parent + "/cgroup.procs") << getpid() << std::flush;
    rmdir(path.c_str());
    return false;
  }
  path_ = path;
  parent_ = parent;
  key_ = key;
  return true;
}

MemoryCgroup::~MemoryCgroup() {
  if (path_.empty()) return;
  std::ofstream(parent_ + "/cgroup.procs") << getpid() << std::flush;
  rmdir(path_.c_str());
}

uint64_t MemoryCgroup::anonymous_bytes() const {
  std::ifstream stat(path_ + "/memory.stat");
  std::string name;
  uint64_t bytes = 0;
  while (stat >> name >> bytes) {
    if (name == key_) return bytes;
  }
  return 0;
}

int RunInChild(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    malloc_trim(0);  // what earlier tests freed would hide what this one takes
    body();
    std::fflush(nullptr);
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int outcome = 0;
  waitpid(child, &outcome, 0);
  return outcome;
}

}  // namespace seerdb::testing
