// A blob store: large objects with small descriptions. Objects are stored and read in parts, listed without
// touching them, replaced and removed, and the space of what was replaced comes back.
//
//   example_blob_store DIRECTORY
//
// What is in DIRECTORY is destroyed first.
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "seerdb/db.h"

namespace {

using seerdb::Keyspace;
using seerdb::Result;
using seerdb::Slice;
using seerdb::Status;

constexpr uint64_t kObjectBytes = uint64_t{3} << 20;
constexpr uint64_t kPartBytes = uint64_t{256} << 10;
constexpr int kObjects = 16;
constexpr int kReplacements = 5;

// Bytes that tell object, version and place.
std::string Content(int object, int version) {
  std::string bytes(kObjectBytes, '\0');
  uint64_t state = static_cast<uint64_t>(object) * 1000 + static_cast<uint64_t>(version) + 1;
  for (size_t i = 0; i < bytes.size(); ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
    bytes[i] = static_cast<char>(state >> 56);
  }
  return bytes;
}

std::string Name(int object) { return "photo-" + std::to_string(100 + object) + ".raw"; }

class BlobStore {
 public:
  static Result<BlobStore> Open(const std::string& directory) {
    BlobStore store;
    seerdb::Options options;
    options.wal_sync_policy = seerdb::SyncPolicy::kNone;
    options.value_segment_bytes = uint64_t{16} << 20;
    auto db = seerdb::DB::Open(options, directory);
    if (!db.ok()) return db.status();
    store.db_ = std::move(*db);
    auto objects = store.db_->OpenKeyspace("objects");
    if (!objects.ok()) return objects.status();
    store.objects_ = *objects;
    auto descriptions = store.db_->OpenKeyspace("descriptions");
    if (!descriptions.ok()) return descriptions.status();
    store.descriptions_ = *descriptions;
    return store;
  }

  // Object and description take effect together.
  Status Store(Slice name, Slice content, Slice description) {
    seerdb::WriteBatch batch;
    batch.Put(objects_, name, content);
    batch.Put(descriptions_, name, description);
    return db_->Write(batch);
  }

  // True if what is stored is this content, read a part at a time.
  Result<bool> Equals(Slice name, Slice content) {
    const Result<std::optional<uint64_t>> size = objects_.GetSize(name);
    if (!size.ok()) return size.status();
    if (!size->has_value() || **size != content.size()) return false;
    for (uint64_t begin = 0; begin < **size; begin += kPartBytes) {
      const auto part = objects_.GetRange(name, begin, kPartBytes);
      if (!part.ok()) return part.status();
      if (!part->has_value() || (*part)->slice() != content.substr(begin, kPartBytes)) return false;
    }
    return true;
  }

  Status Remove(Slice name) {
    seerdb::WriteBatch batch;
    batch.Delete(objects_, name);
    batch.Delete(descriptions_, name);
    return db_->Write(batch);
  }

  // Names alone: no object is read.
  Result<int> Count() {
    seerdb::ReadOptions options;
    options.keys_only = true;
    const auto names = objects_.NewIterator(options);
    int count = 0;
    for (names->SeekToFirst(); names->Valid(); names->Next()) ++count;
    if (!names->status().ok()) return names->status();
    return count;
  }

  seerdb::DB& db() { return *db_; }

 private:
  std::unique_ptr<seerdb::DB> db_;
  Keyspace objects_;
  Keyspace descriptions_;
};

Status Wrong(const std::string& what) { return Status::Corruption("blob store: " + what); }

Status Run(const std::string& directory) {
  Result<BlobStore> opened = BlobStore::Open(directory);
  if (!opened.ok()) return opened.status();
  BlobStore& store = *opened;
  for (int version = 0; version < kReplacements; ++version) {
    for (int object = 0; object < kObjects; ++object) {
      const std::string description = "version " + std::to_string(version);
      Status status = store.Store(Name(object), Content(object, version), description);
      if (!status.ok()) return status;
    }
  }
  if (Status status = store.Remove(Name(0)); !status.ok()) return status;
  for (int object = 1; object < kObjects; ++object) {
    const Result<bool> equal = store.Equals(Name(object), Content(object, kReplacements - 1));
    if (!equal.ok()) return equal.status();
    if (!*equal) return Wrong(Name(object) + " is not what was stored last");
  }
  const Result<int> count = store.Count();
  if (!count.ok()) return count.status();
  if (*count != kObjects - 1) return Wrong("found " + std::to_string(*count) + " objects");

  // What was replaced comes back without being asked for; this only waits until it has.
  if (Status status = store.db().CompactRange(); !status.ok()) return status;
  if (Status status = store.db().WaitForCompaction(); !status.ok()) return status;
  const seerdb::DBStats stats = store.db().Stats();
  std::cout << *count << " objects of " << kObjectBytes << " bytes; " << stats.value_disk_bytes
            << " bytes of value segments, " << stats.value_live_bytes << " in use\n";
  if (stats.value_disk_bytes > kObjects * kObjectBytes * 5 / 2) return Wrong("space has not come back");
  return store.db().Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: example_blob_store DIRECTORY\n";
    return 2;
  }
  if (Status status = seerdb::DestroyDatabase({}, argv[1]); !status.ok()) {
    std::cerr << status.ToString() << "\n";
    return 1;
  }
  if (Status status = Run(argv[1]); !status.ok()) {
    std::cerr << status.ToString() << "\n";
    return 1;
  }
  return 0;
}
