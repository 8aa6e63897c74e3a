// Dump: one file of a database as text, whatever of it can be read.
//
// Each function prints what it reads as it goes, so that a damaged file shows everything in front of the
// damage; the error that ends it is returned. Files are only read, never locked.
#pragma once

#include <optional>
#include <string>

#include "seerdb/file_system.h"
#include "seerdb/result.h"

namespace seerdb::cli {

struct DumpOptions {
  bool entries = false;  // every entry of a table, every operation of a log, the values of a segment
};

Status DumpTable(FileSystem& fs, const std::string& path, const DumpOptions& options);
Status DumpLog(FileSystem& fs, const std::string& path, const DumpOptions& options);
Status DumpValues(FileSystem& fs, const std::string& path, const DumpOptions& options);
Status DumpManifest(FileSystem& fs, const std::string& path);
Status DumpCurrent(FileSystem& fs, const std::string& path);
// The text of the process that holds, or last held, the lock.
Status DumpLock(FileSystem& fs, const std::string& path);

// "put", "delete", ... or "kind 9".
std::string ValueTypeName(unsigned char type);
// What an entry of this kind holds: the bytes escaped, or where its value lies.
std::string EntryText(unsigned char type, Slice value);
// The user's part of an engine key, escaped; "keyspace N: " stands in front when it is not the default one.
std::string EngineKeyText(Slice engine_key);
// The key before which a range of keys ends, as EngineKeyText; nullopt if that is the end of the keyspace of
// `begin`. Both are engine keys.
std::optional<std::string> RangeEndText(Slice begin, Slice end);
// "name value", the names aligned.
void PrintField(const char* name, const std::string& value);
void PrintField(const char* name, uint64_t value);

}  // namespace seerdb::cli
