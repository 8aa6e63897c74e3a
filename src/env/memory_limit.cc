#include "env/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>

namespace seerdb {
namespace {

std::optional<std::string> ReadText(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Of a limit's file: version 2 writes "max" where there is none, version 1 a number beyond all memory.
uint64_t ParseLimit(const std::optional<std::string>& text) {
  uint64_t bytes = 0;
  if (!text.has_value()) return UINT64_MAX;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), bytes);
  return error == std::errc() ? bytes : UINT64_MAX;
}

// A line of /proc/self/cgroup is "number:controllers:path"; version 2 has the number 0 and no controllers.
// False for groups that limit no memory.
bool ParseGroup(std::string_view line, std::string* root, std::string* file, std::string* path) {
  const size_t first = line.find(':');
  const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (second == std::string_view::npos) return false;
  const std::string controllers = "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
  const bool unified = controllers == ",,";
  if (!unified && controllers.find(",memory,") == std::string::npos) return false;
  *root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
  *file = unified ? "/memory.max" : "/memory.limit_in_bytes";
  *path = line.substr(second + 1);
  return true;
}

}  // namespace

uint64_t GroupLimitBytes(Slice groups,
                         const std::function<std::optional<std::string>(const std::string& path)>& read) {
  uint64_t least = UINT64_MAX;
  std::istringstream lines{std::string(groups)};
  for (std::string line; std::getline(lines, line);) {
    std::string root;
    std::string file;
    std::string path;
    if (!ParseGroup(line, &root, &file, &path)) continue;
    // A container may see its own group as the root, whatever its path is outside.
    for (;;) {
      if (path == "/") path.clear();
      least = std::min(least, ParseLimit(read(root + path + file)));
      if (path.empty()) break;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  }
  return least;
}

uint64_t MemoryLimitBytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return 0;
  const uint64_t machine_bytes = static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
  return std::min(machine_bytes, GroupLimitBytes(ReadText("/proc/self/cgroup").value_or(""), ReadText));
}

}  // namespace seerdb
