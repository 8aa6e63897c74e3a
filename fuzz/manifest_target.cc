#include "base/assert.h"
#include "env/memory_file_system.h"
#include "fuzz/targets.h"
#include "manifest/version_set.h"

namespace seerdb::fuzz {
namespace {

// An edit that was decoded encodes to one that decodes to the same, and may be applied or refused.
void CheckEdit(const VersionEdit& edit, ManifestState* state) {
  const auto again = VersionEdit::Decode(edit.Encode());
  SEERDB_ASSERT(again.ok());
  SEERDB_ASSERT(*again == edit);
  SEERDB_ASSERT(!edit.ToString().empty() || edit == VersionEdit());
  ApplyEdit(edit, state).IgnoreError("most random edits contradict the state");
}

}  // namespace

// The first byte chooses: the rest is one encoded edit, or a manifest file.
void FuzzManifest(Slice input) {
  if (input.empty()) return;
  const bool file_bytes = static_cast<unsigned char>(input[0]) & 1;
  input.remove_prefix(1);
  ManifestState state;
  state.num_levels = 7;
  state.version = std::make_shared<const Version>(7);
  if (!file_bytes) {
    const auto edit = VersionEdit::Decode(input);
    if (edit.ok()) CheckEdit(*edit, &state);
    return;
  }
  MemoryFileSystem fs;
  const auto write = [&fs](const std::string& path, Slice content) {
    auto file = fs.NewWritableFile(path, CreateMode::kTruncate);
    SEERDB_ASSERT(file.ok() && (*file)->Append(content).ok());
  };
  SEERDB_ASSERT(fs.CreateDirectory("/db").ok());
  write("/db/MANIFEST-000001", input);
  write("/db/CURRENT", "MANIFEST-000001\n");
  VisitManifest(fs, "/db/MANIFEST-000001", [&](uint64_t offset, const VersionEdit& edit) {
    SEERDB_ASSERT(offset <= input.size());
    CheckEdit(edit, &state);
  }).IgnoreError("any bytes may come");
  ReadManifest(fs, "/db", nullptr).IgnoreError("any bytes may come");
}

}  // namespace seerdb::fuzz
