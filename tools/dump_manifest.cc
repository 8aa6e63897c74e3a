#include "base/status_macros.h"
#include "dump.h"
#include "manifest/version_set.h"
#include "output.h"

namespace seerdb::cli {
namespace {

// The lines of `text`, each behind two spaces.
std::string Indented(const std::string& text) {
  std::string out;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    out += "  " + text.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return out;
}

}  // namespace

Status DumpManifest(FileSystem& fs, const std::string& path) {
  SEERDB_ASSIGN_OR_RETURN(const FileInfo info, fs.GetFileInfo(path));
  PrintField("kind", "manifest");
  PrintField("file_bytes", info.bytes);
  ManifestState state;
  uint64_t edits = 0;
  Status applied;
  const Status status = VisitManifest(fs, path, [&](uint64_t offset, const VersionEdit& edit) {
    ++edits;
    Print("edit @" + std::to_string(offset) + ":\n" + Indented(edit.ToString()));
    if (!applied.ok()) return;
    applied = ApplyEdit(edit, &state);
    if (!applied.ok()) applied = applied.WithContext("dump manifest " + path + " @" + std::to_string(offset));
  });
  PrintField("edits", edits);
  SEERDB_RETURN_IF_ERROR(status);
  SEERDB_RETURN_IF_ERROR(applied);
  if (state.version != nullptr) Print("state after the last edit:\n" + Indented(state.version->ToString()));
  return Status::Ok();
}

}  // namespace seerdb::cli
