// What the operating system says of this process's memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace seerdb::testing {

// A field of /proc/self/status in bytes, such as "RssAnon" or "VmData"; 0 if it is not there.
uint64_t ProcessStatusBytes(const std::string& field);

// A memory cgroup of this process's own, version 1 or 2, removed with the object once the process has left
// it.
class MemoryCgroup {
 public:
  // Makes one and moves this process into it; see valid().
  MemoryCgroup();
  ~MemoryCgroup();
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;
  bool valid() const { return !path_.empty(); }
  // Anonymous bytes, from memory.stat.
  uint64_t anonymous_bytes() const;

 private:
  bool Enter(const std::string& parent, const std::string& key);

  std::string path_;
  std::string parent_;
  std::string key_;
};

// Runs `body` in a child process and says how it ended: 0 if all its expectations held.
int RunInChild(const std::function<void()>& body);

}  // namespace seerdb::testing
