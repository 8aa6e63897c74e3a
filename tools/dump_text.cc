// What the dumps of all kinds of files share, and the files that are text themselves.
#include <cstdio>

#include "base/crc32c.h"
#include "base/status_macros.h"
#include "byte_text.h"
#include "dump.h"
#include "format/file_name.h"
#include "format/internal_key.h"
#include "format/keyspace_prefix.h"
#include "output.h"

namespace seerdb::cli {
namespace {

// CURRENT and LOCK hold one short line.
constexpr uint64_t kMaxLineBytes = 4096;

Result<std::string> ReadShortFile(FileSystem& fs, const std::string& path) {
  SEERDB_ASSIGN_OR_RETURN(const FileInfo info, fs.GetFileInfo(path));
  if (info.bytes > kMaxLineBytes) {
    return Status::Corruption("dump " + path + ": found " + std::to_string(info.bytes) +
                              " bytes, expected one line of at most " + std::to_string(kMaxLineBytes));
  }
  return ReadFileToString(fs, path);
}

}  // namespace

Status DumpCurrent(FileSystem& fs, const std::string& path) {
  SEERDB_ASSIGN_OR_RETURN(const std::string text, ReadShortFile(fs, path));
  const Slice line = Slice(text).substr(0, text.find('\n') + 1);
  const Slice name = line.substr(0, line.size() - (line.empty() ? 0 : 1));
  PrintField("kind", "current");
  PrintField("manifest", Escaped(name));
  char checksum[32];
  std::snprintf(checksum, sizeof checksum, "crc32c %08x\n", static_cast<unsigned>(crc32c::Value(line)));
  uint64_t number = 0;
  if (ParseFileName(name, &number) != FileKind::kManifest || Slice(text).substr(line.size()) != checksum) {
    return Status::Corruption("dump " + path + " @0: found \"" + Escaped(text) +
                                  "\", expected the name of a manifest and its checksum",
                              StatusDetail::kManifestCorruption);
  }
  return Status::Ok();
}

Status DumpLock(FileSystem& fs, const std::string& path) {
  SEERDB_ASSIGN_OR_RETURN(const std::string text, ReadShortFile(fs, path));
  Slice holder = text;
  if (holder.ends_with('\n')) holder.remove_suffix(1);
  PrintField("kind", "lock");
  PrintField("last_holder", Escaped(holder));
  return Status::Ok();
}

std::string ValueTypeName(unsigned char type) {
  switch (static_cast<ValueType>(type)) {
    case ValueType::kDeletion:
      return "delete";
    case ValueType::kValue:
      return "put";
    case ValueType::kMerge:
      return "merge";
    case ValueType::kValuePointer:
      return "put-pointer";
    case ValueType::kRangeDeletion:
      return "delete-range";
    case ValueType::kExpiringValue:
      return "put-expiring";
    case ValueType::kExpiringMerge:
      return "merge-expiring";
    case ValueType::kExpiringPointer:
      return "put-pointer-expiring";
  }
  return "kind " + std::to_string(type);
}

std::string EngineKeyText(Slice engine_key) {
  uint32_t keyspace = 0;
  Slice user_key;
  if (!ParseEngineKey(engine_key, &keyspace, &user_key)) return "malformed: " + Escaped(engine_key);
  if (keyspace == kDefaultKeyspace) return Escaped(user_key);
  return "keyspace " + std::to_string(keyspace) + ": " + Escaped(user_key);
}

std::optional<std::string> RangeEndText(Slice begin, Slice end) {
  uint32_t keyspace = 0;
  Slice user_key;
  if (ParseEngineKey(begin, &keyspace, &user_key)) {
    const Slice prefix = begin.substr(0, begin.size() - user_key.size());
    if (end == Slice(BehindPrefix(prefix))) return std::nullopt;
  }
  return EngineKeyText(end);
}

void PrintField(const char* name, const std::string& value) {
  std::string line(name);
  line.resize(std::max<size_t>(line.size() + 1, 20), ' ');
  Print(line + value + "\n");
}

void PrintField(const char* name, uint64_t value) { PrintField(name, std::to_string(value)); }

}  // namespace seerdb::cli
