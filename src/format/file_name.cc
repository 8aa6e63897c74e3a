#include "format/file_name.h"

#include <cinttypes>
#include <cstdio>

namespace seerdb {
namespace {

constexpr size_t kLeastDigits = 6;

std::string Numbered(const char* prefix, uint64_t number, const char* suffix) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%s%06" PRIu64 "%s", prefix, number, suffix);
  return buffer;
}

// Decimal digits as Numbered writes them, for a number that a file of ours may have.
bool ParseNumber(Slice digits, uint64_t* number) {
  if (digits.size() < kLeastDigits || digits.size() > 19) return false;
  if (digits.size() > kLeastDigits && digits.front() == '0') return false;
  uint64_t v = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    v = v * 10 + static_cast<uint64_t>(c - '0');
  }
  if (v > kMaxFileNumber) return false;
  *number = v;
  return true;
}

bool ConsumeSuffix(Slice* name, Slice suffix) {
  if (!name->ends_with(suffix)) return false;
  name->remove_suffix(suffix.size());
  return true;
}

}  // namespace

std::string CurrentFilePath(const std::string& directory) { return directory + "/CURRENT"; }
std::string LockFilePath(const std::string& directory) { return directory + "/LOCK"; }
std::string RepairMarkerPath(const std::string& directory) { return directory + "/REPAIR"; }
std::string LostDirectoryPath(const std::string& directory) { return directory + "/lost"; }
std::string ManifestFileName(uint64_t number) { return Numbered("MANIFEST-", number, ""); }
std::string ManifestFilePath(const std::string& directory, uint64_t number) {
  return directory + "/" + ManifestFileName(number);
}
std::string LogFilePath(const std::string& directory, uint64_t number) {
  return directory + "/" + Numbered("", number, ".log");
}
std::string TableFilePath(const std::string& directory, uint64_t number) {
  return directory + "/" + Numbered("", number, ".sst");
}
std::string ValueFilePath(const std::string& directory, uint64_t number) {
  return directory + "/" + Numbered("", number, ".vlog");
}
std::string TemporaryPath(const std::string& path) { return path + ".tmp"; }
std::string SortRunPath(const std::string& directory, uint64_t number) {
  return directory + "/" + Numbered("", number, ".run.tmp");
}

FileKind ParseFileName(Slice name, uint64_t* number) {
  *number = 0;
  if (name == "CURRENT") return FileKind::kCurrent;
  if (name == "LOCK") return FileKind::kLock;
  if (name == "REPAIR") return FileKind::kRepair;
  if (ConsumeSuffix(&name, ".tmp")) {
    if (name == "CURRENT") return FileKind::kTemporary;
    if (name.starts_with("MANIFEST-")) {
      return ParseNumber(name.substr(9), number) ? FileKind::kTemporary : FileKind::kUnknown;
    }
    const bool suffix =
        ConsumeSuffix(&name, ".sst") || ConsumeSuffix(&name, ".log") || ConsumeSuffix(&name, ".run");
    const bool ours = suffix && ParseNumber(name, number);
    return ours ? FileKind::kTemporary : FileKind::kUnknown;
  }
  if (name.starts_with("MANIFEST-")) {
    return ParseNumber(name.substr(9), number) ? FileKind::kManifest : FileKind::kUnknown;
  }
  if (ConsumeSuffix(&name, ".log")) return ParseNumber(name, number) ? FileKind::kLog : FileKind::kUnknown;
  if (ConsumeSuffix(&name, ".sst")) return ParseNumber(name, number) ? FileKind::kTable : FileKind::kUnknown;
  if (ConsumeSuffix(&name, ".vlog")) {
    return ParseNumber(name, number) ? FileKind::kValues : FileKind::kUnknown;
  }
  return FileKind::kUnknown;
}

}  // namespace seerdb
