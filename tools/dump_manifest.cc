#include <algorithm>
#include <optional>
#include <string>

#include "base/status_macros.h"
#include "byte_text.h"
#include "compression_name.h"
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

std::string KeyspaceText(const KeyspaceRecord& keyspace) {
  std::string text = "keyspace " + std::to_string(keyspace.id) + " name " + Escaped(keyspace.name);
  if (keyspace.compression != KeyspaceRecord::kCompressionByOptions) {
    text += " compression " + CompressionName(static_cast<CompressionType>(keyspace.compression));
  }
  if (!keyspace.merge_operator.empty()) text += " merge_operator " + Escaped(keyspace.merge_operator);
  if (keyspace.default_ttl_us != 0) text += " default_ttl_us " + std::to_string(keyspace.default_ttl_us);
  if (keyspace.separation_bytes != 0) {
    const bool never = keyspace.separation_bytes == UINT64_MAX;
    text += " separation_bytes " + (never ? "never" : std::to_string(keyspace.separation_bytes));
  }
  return text + "\n";
}

std::string RangeText(const RangeTombstone& tombstone) {
  const std::optional<std::string> end = RangeEndText(tombstone.begin, tombstone.end);
  return "range tombstone " + std::to_string(tombstone.sequence) + " keys " + EngineKeyText(tombstone.begin) +
         " .." + (end.has_value() ? " " + *end : "") + "\n";
}

// VersionEdit::ToString shows names and keys in hexadecimal. Here names are readable, and at the end the keys
// of tables and range tombstones stand once more, readable too.
std::string EditText(const VersionEdit& edit) {
  VersionEdit without_names = edit;
  without_names.keyspaces.clear();
  std::string text = without_names.ToString();
  for (const KeyspaceRecord& keyspace : edit.keyspaces) text += KeyspaceText(keyspace);
  for (const VersionEdit::AddedTable& table : edit.added_tables) {
    text += "table " + std::to_string(table.meta.number) + " keys " + EngineKeyText(table.meta.smallest_key) +
            " .. " + EngineKeyText(table.meta.largest_key) + "\n";
  }
  for (const RangeTombstone& tombstone : edit.added_ranges) text += RangeText(tombstone);
  return text;
}

std::string StateText(const ManifestState& state) {
  std::string text = "next_keyspace_id " + std::to_string(state.next_keyspace_id) + "\n";
  for (const KeyspaceRecordPtr& keyspace : state.keyspaces) text += KeyspaceText(*keyspace);
  text += state.version->ToString();
  if (state.version->ranges() == nullptr) return text;
  for (const RangeTombstonePtr& tombstone : *state.version->ranges()) text += RangeText(*tombstone);
  return text;
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
    Print("edit @" + std::to_string(offset) + ":\n" + Indented(EditText(edit)));
    if (!applied.ok()) return;
    applied = ApplyEdit(edit, &state);
    if (!applied.ok()) applied = applied.WithContext("dump manifest " + path + " @" + std::to_string(offset));
  });
  PrintField("edits", edits);
  SEERDB_RETURN_IF_ERROR(status);
  SEERDB_RETURN_IF_ERROR(applied);
  if (state.version != nullptr) Print("state after the last edit:\n" + Indented(StateText(state)));
  return Status::Ok();
}

}  // namespace seerdb::cli
