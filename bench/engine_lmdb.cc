// The LMDB adapter. Without sync: MDB_WRITEMAP | MDB_NOSYNC, its fastest mode that survives a crash of the
// process. With sync: the default mode (write calls and fdatasync; a synced writable map takes the same
// time). One transaction a write, as the other engines acknowledge each write alone. A session keeps one read
// transaction and cursor and renews them for each read. There is no cache of its own: the page cache is it.
// It has no compaction and no compression.
#include <lmdb.h>

#include <algorithm>
#include <string>

#include "engine.h"

namespace seerdb::bench {
namespace {

void Check(int code, const char* operation) {
  if (code != MDB_SUCCESS) Die(std::string("lmdb ") + operation + ": " + mdb_strerror(code));
}

MDB_val ToLmdb(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
std::string_view FromLmdb(const MDB_val& bytes) {
  return {static_cast<const char*>(bytes.mv_data), bytes.mv_size};
}

class LmdbSession final : public Session {
 public:
  LmdbSession(MDB_env* env, MDB_dbi dbi) : env_(env), dbi_(dbi) {
    Check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &read_txn_), "begin read");
    Check(mdb_cursor_open(read_txn_, dbi_, &cursor_), "open cursor");
    mdb_txn_reset(read_txn_);
  }
  ~LmdbSession() override {
    mdb_cursor_close(cursor_);
    mdb_txn_abort(read_txn_);
  }

  void Put(std::string_view key, std::string_view value) override {
    const KeyValue entry{key, value};
    PutBatch({&entry, 1});
  }
  void Delete(std::string_view key) override {
    MDB_txn* txn = nullptr;
    Check(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
    MDB_val k = ToLmdb(key);
    const int code = mdb_del(txn, dbi_, &k, nullptr);
    if (code != MDB_NOTFOUND) Check(code, "delete");
    Check(mdb_txn_commit(txn), "commit");
  }
  void PutBatch(std::span<const KeyValue> entries) override {
    MDB_txn* txn = nullptr;
    Check(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
    for (const KeyValue& entry : entries) {
      MDB_val k = ToLmdb(entry.key);
      MDB_val v = ToLmdb(entry.value);
      Check(mdb_put(txn, dbi_, &k, &v, 0), "put");
    }
    Check(mdb_txn_commit(txn), "commit");
  }
  void Get(std::string_view key, Digest* digest) override { MultiGet({&key, 1}, digest); }
  void MultiGet(std::span<const std::string_view> keys, Digest* digest) override {
    Check(mdb_txn_renew(read_txn_), "renew");
    for (std::string_view key : keys) {
      MDB_val k = ToLmdb(key);
      MDB_val v{};
      const int code = mdb_get(read_txn_, dbi_, &k, &v);
      if (code == MDB_NOTFOUND) {
        digest->AddMiss();
      } else {
        Check(code, "get");
        digest->AddValue(FromLmdb(v));
      }
    }
    mdb_txn_reset(read_txn_);
  }
  void Scan(std::string_view start, uint64_t limit, Digest* digest) override {
    RenewCursor();
    MDB_val k = ToLmdb(start);
    MDB_val v{};
    // LMDB refuses an empty key.
    int code = mdb_cursor_get(cursor_, &k, &v, start.empty() ? MDB_FIRST : MDB_SET_RANGE);
    for (; limit > 0 && code == MDB_SUCCESS; --limit) {
      digest->AddEntry(FromLmdb(k), FromLmdb(v));
      if (limit > 1) code = mdb_cursor_get(cursor_, &k, &v, MDB_NEXT);
    }
    if (code != MDB_NOTFOUND) Check(code, "scan");
    mdb_txn_reset(read_txn_);
  }
  void ScanReverse(std::string_view start, uint64_t limit, Digest* digest) override {
    RenewCursor();
    MDB_val k = ToLmdb(start);
    MDB_val v{};
    int code = start.empty() ? MDB_NOTFOUND : mdb_cursor_get(cursor_, &k, &v, MDB_SET_RANGE);
    if (code == MDB_NOTFOUND) {
      code = mdb_cursor_get(cursor_, &k, &v, MDB_LAST);
    } else if (code == MDB_SUCCESS && FromLmdb(k) > start) {
      code = mdb_cursor_get(cursor_, &k, &v, MDB_PREV);
    }
    for (; limit > 0 && code == MDB_SUCCESS; --limit) {
      digest->AddEntry(FromLmdb(k), FromLmdb(v));
      if (limit > 1) code = mdb_cursor_get(cursor_, &k, &v, MDB_PREV);
    }
    if (code != MDB_NOTFOUND) Check(code, "scan");
    mdb_txn_reset(read_txn_);
  }

 private:
  void RenewCursor() {
    Check(mdb_txn_renew(read_txn_), "renew");
    Check(mdb_cursor_renew(read_txn_, cursor_), "renew cursor");
  }

  MDB_env* const env_;
  const MDB_dbi dbi_;
  MDB_txn* read_txn_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
};

class LmdbEngine final : public Engine {
 public:
  explicit LmdbEngine(const EngineConfig& config) {
    // A sparse file: pages that random inserts leave half full, and freed pages, need room.
    const uint64_t map_bytes = (uint64_t{1} << 30) + 6 * config.data_bytes;
    // As its manual advises for random reads of what does not fit in memory, the cache size being a share of
    // that.
    const bool larger = config.data_bytes > 4 * config.cache_bytes;
    const unsigned flags =
        MDB_NOTLS | (config.sync ? 0 : MDB_WRITEMAP | MDB_NOSYNC) | (larger ? MDB_NORDAHEAD : 0);
    options_ = {
        {"version", MDB_VERSION_STRING},
        {"flags", std::string(config.sync ? "MDB_NOTLS" : "MDB_NOTLS | MDB_WRITEMAP | MDB_NOSYNC") +
                      (larger ? " | MDB_NORDAHEAD" : "")},
        {"mapsize", std::to_string(map_bytes)},
    };
    Check(mdb_env_create(&env_), "create");
    Check(mdb_env_set_mapsize(env_, map_bytes), "set map size");
    Check(mdb_env_open(env_, config.path.c_str(), flags, 0644), "open");
    MDB_txn* txn = nullptr;
    Check(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
    Check(mdb_dbi_open(txn, nullptr, 0, &dbi_), "open database");
    Check(mdb_txn_commit(txn), "commit");
  }
  ~LmdbEngine() override { mdb_env_close(env_); }

  std::unique_ptr<Session> NewSession() override { return std::make_unique<LmdbSession>(env_, dbi_); }
  bool Compact() override { return false; }
  // Nothing runs in the background; what its map holds is written back by the kernel.
  bool Settle() override { return true; }
  bool Flush() override { return false; }

 private:
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
};

}  // namespace

std::unique_ptr<Engine> OpenLmdb(const EngineConfig& config) { return std::make_unique<LmdbEngine>(config); }

}  // namespace seerdb::bench
