// seerdb dump: shows one file of a database, whatever its kind. Page: docs/cli/dump.md.
#include <algorithm>

#include "base/coding.h"
#include "base/status_macros.h"
#include "cli.h"
#include "dump.h"
#include "format/file_name.h"
#include "output.h"
#include "sstable/table_format.h"
#include "vlog/value_format.h"
#include "wal/log_format.h"

namespace seerdb::cli {
namespace {

struct DumpArguments {
  std::string file;
  std::string kind = "auto";
  DumpOptions options;
};

std::string BaseName(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

// What the bytes say, for files without a telling name.
Result<FileKind> KindByContent(FileSystem& fs, const std::string& path) {
  SEERDB_ASSIGN_OR_RETURN(const auto file, fs.NewRandomAccessFile(path));
  SEERDB_ASSIGN_OR_RETURN(const uint64_t bytes, file->Size());
  char buffer[kLogHeaderBytes];
  SEERDB_ASSIGN_OR_RETURN(const Slice head, file->Read(0, sizeof buffer, buffer));
  LogHeader header;
  if (DecodeLogHeader(head, &header)) return FileKind::kLog;
  ValueSegmentHeader values;
  if (DecodeValueSegmentHeader(head, &values)) return FileKind::kValues;
  if (head.starts_with("MANIFEST-")) return FileKind::kCurrent;
  if (bytes >= kTableFooterBytes) {
    SEERDB_ASSIGN_OR_RETURN(const Slice magic, file->Read(bytes - 8, 8, buffer));
    if (magic.size() == 8 && LoadU64(magic.data()) == kTableMagic) return FileKind::kTable;
  }
  return FileKind::kUnknown;
}

Result<FileKind> KindOf(FileSystem& fs, const DumpArguments& arguments) {
  if (arguments.kind == "table") return FileKind::kTable;
  if (arguments.kind == "log") return FileKind::kLog;
  if (arguments.kind == "values") return FileKind::kValues;
  if (arguments.kind == "manifest") return FileKind::kManifest;
  if (arguments.kind == "current") return FileKind::kCurrent;
  if (arguments.kind == "lock") return FileKind::kLock;
  uint64_t number = 0;
  const std::string name = BaseName(arguments.file);
  const FileKind kind = ParseFileName(name, &number);
  if (kind != FileKind::kUnknown && kind != FileKind::kTemporary) return kind;
  if (name.ends_with(".sst.tmp")) return FileKind::kTable;
  return KindByContent(fs, arguments.file);
}

Status DumpFile(FileSystem& fs, const DumpArguments& arguments) {
  const std::string& path = arguments.file;
  SEERDB_ASSIGN_OR_RETURN(const FileInfo info, fs.GetFileInfo(path));
  if (info.is_directory) {
    return Status::InvalidArgument("dump " + path + ": found a directory, expected a file of a database");
  }
  SEERDB_ASSIGN_OR_RETURN(const FileKind kind, KindOf(fs, arguments));
  switch (kind) {
    case FileKind::kTable:
      return DumpTable(fs, path, arguments.options);
    case FileKind::kLog:
      return DumpLog(fs, path, arguments.options);
    case FileKind::kManifest:
      return DumpManifest(fs, path);
    case FileKind::kCurrent:
      return DumpCurrent(fs, path);
    case FileKind::kLock:
      return DumpLock(fs, path);
    case FileKind::kValues:
      return DumpValues(fs, path, arguments.options);
    case FileKind::kTemporary:
    case FileKind::kRepair:
    case FileKind::kUnknown:
      break;
  }
  return Status::InvalidArgument("dump " + path +
                                 ": found neither name nor content of a database file, expected one; --kind "
                                 "says which it is");
}

int RunDump(const DumpArguments& arguments) {
  const Status status = DumpFile(*PosixFileSystem(), arguments);
  if (!status.ok()) return Fail(status);
  if (Status flushed = FlushOutput(); !flushed.ok()) return Fail(flushed);
  return kExitOk;
}

}  // namespace

void AddDumpCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<DumpArguments>();
  CLI::App* command =
      app->add_subcommand("dump", "Show one file: table, log, value segment, manifest, CURRENT or LOCK");
  command->add_option("FILE", arguments->file, "The file")->required();
  command->add_option("--kind", arguments->kind, "What the file is; auto asks its name, then its bytes")
      ->check(CLI::IsMember({"auto", "table", "log", "values", "manifest", "current", "lock"}))
      ->capture_default_str();
  command->add_flag("--entries", arguments->options.entries,
                    "Also every entry of a table or log, every value of a segment");
  command->final_callback([=] { *exit_code = RunDump(*arguments); });
}

}  // namespace seerdb::cli
