// The WiredTiger adapter: one B-tree table. The log is on; transaction_sync is enabled with method "none"
// (each commit hands its log record to the kernel; disabled, records would wait in a process buffer and be
// lost in a crash of the process) or "fsync". A checkpoint a minute and two eviction threads at most, the
// common cache size. Reads position a cursor; MultiGet loops in one snapshot transaction. Compact takes a
// checkpoint and calls WT_SESSION::compact. Snappy stands in where LZ4 is asked for: this package has no LZ4.
#include <wiredtiger.h>

#include <string>

#include "engine.h"

namespace seerdb::bench {
namespace {

constexpr char kTable[] = "table:bench";

void Check(int code, const char* operation) {
  if (code != 0) Die(std::string("wiredtiger ") + operation + ": " + wiredtiger_strerror(code));
}

WT_ITEM ToItem(std::string_view bytes) {
  WT_ITEM item{};
  item.data = bytes.data();
  item.size = bytes.size();
  return item;
}
std::string_view FromItem(const WT_ITEM& item) { return {static_cast<const char*>(item.data), item.size}; }

class WiredtigerSession final : public Session {
 public:
  explicit WiredtigerSession(WT_CONNECTION* connection) {
    Check(connection->open_session(connection, nullptr, "isolation=snapshot", &session_), "open session");
    Check(session_->open_cursor(session_, kTable, nullptr, nullptr, &cursor_), "open cursor");
  }
  ~WiredtigerSession() override { session_->close(session_, nullptr); }

  void Put(std::string_view key, std::string_view value) override {
    SetKey(key);
    const WT_ITEM item = ToItem(value);
    cursor_->set_value(cursor_, &item);
    Check(cursor_->insert(cursor_), "insert");
  }
  void Delete(std::string_view key) override {
    SetKey(key);
    const int code = cursor_->remove(cursor_);
    if (code != WT_NOTFOUND) Check(code, "remove");
    Check(cursor_->reset(cursor_), "reset");
  }
  void PutBatch(std::span<const KeyValue> entries) override {
    Check(session_->begin_transaction(session_, nullptr), "begin");
    for (const KeyValue& entry : entries) Put(entry.key, entry.value);
    Check(session_->commit_transaction(session_, nullptr), "commit");
  }
  void Get(std::string_view key, Digest* digest) override {
    Lookup(key, digest);
    Check(cursor_->reset(cursor_), "reset");
  }
  void MultiGet(std::span<const std::string_view> keys, Digest* digest) override {
    Check(session_->begin_transaction(session_, nullptr), "begin");
    for (std::string_view key : keys) Lookup(key, digest);
    Check(session_->commit_transaction(session_, nullptr), "commit");
  }
  void Scan(std::string_view start, uint64_t limit, Digest* digest) override {
    int code = 0;
    if (start.empty()) {
      code = cursor_->next(cursor_);
    } else {
      SetKey(start);
      int order = 0;
      code = cursor_->search_near(cursor_, &order);
      if (code == 0 && order < 0) code = cursor_->next(cursor_);
    }
    for (; limit > 0 && code == 0; --limit) {
      AddEntry(digest);
      if (limit > 1) code = cursor_->next(cursor_);
    }
    if (code != WT_NOTFOUND) Check(code, "scan");
    Check(cursor_->reset(cursor_), "reset");
  }
  void ScanReverse(std::string_view start, uint64_t limit, Digest* digest) override {
    int code = 0;
    if (start.empty()) {
      code = cursor_->prev(cursor_);
    } else {
      SetKey(start);
      int order = 0;
      code = cursor_->search_near(cursor_, &order);
      if (code == 0 && order > 0) code = cursor_->prev(cursor_);
    }
    for (; limit > 0 && code == 0; --limit) {
      AddEntry(digest);
      if (limit > 1) code = cursor_->prev(cursor_);
    }
    if (code != WT_NOTFOUND) Check(code, "scan");
    Check(cursor_->reset(cursor_), "reset");
  }

 private:
  void SetKey(std::string_view key) {
    const WT_ITEM item = ToItem(key);
    cursor_->set_key(cursor_, &item);
  }
  void Lookup(std::string_view key, Digest* digest) {
    SetKey(key);
    const int code = cursor_->search(cursor_);
    if (code == WT_NOTFOUND) {
      digest->AddMiss();
      return;
    }
    Check(code, "search");
    WT_ITEM value{};
    Check(cursor_->get_value(cursor_, &value), "get value");
    digest->AddValue(FromItem(value));
  }
  void AddEntry(Digest* digest) {
    WT_ITEM key{};
    WT_ITEM value{};
    Check(cursor_->get_key(cursor_, &key), "get key");
    Check(cursor_->get_value(cursor_, &value), "get value");
    digest->AddEntry(FromItem(key), FromItem(value));
  }

  WT_SESSION* session_ = nullptr;
  WT_CURSOR* cursor_ = nullptr;
};

class WiredtigerEngine final : public Engine {
 public:
  explicit WiredtigerEngine(const EngineConfig& config) {
    const bool snappy = config.compression != Compression::kNone;
    std::string open_config =
        "create,cache_size=" + std::to_string(config.cache_bytes) +
        ",log=(enabled=true),transaction_sync=(enabled=true,method=" + (config.sync ? "fsync" : "none") +
        "),checkpoint=(wait=60),eviction=(threads_min=1,threads_max=2)";
    if (snappy) open_config += ",extensions=[libwiredtiger_snappy.so]";
    std::string table_config = "key_format=u,value_format=u";
    if (snappy) table_config += ",block_compressor=snappy";
    options_ = {
        {"version", wiredtiger_version(nullptr, nullptr, nullptr)},
        {"wiredtiger_open", open_config},
        {"create", table_config},
        {"open_session", "isolation=snapshot"},
    };
    Check(wiredtiger_open(config.path.c_str(), nullptr, open_config.c_str(), &connection_), "open");
    Check(connection_->open_session(connection_, nullptr, nullptr, &session_), "open session");
    Check(session_->create(session_, kTable, table_config.c_str()), "create table");
  }
  ~WiredtigerEngine() override { Check(connection_->close(connection_, "leak_memory=true"), "close"); }

  std::unique_ptr<Session> NewSession() override { return std::make_unique<WiredtigerSession>(connection_); }
  bool Compact() override {
    Check(session_->checkpoint(session_, nullptr), "checkpoint");
    Check(session_->compact(session_, kTable, nullptr), "compact");
    return true;
  }
  // A checkpoint writes what the cache holds; eviction has no call to wait for.
  bool Settle() override {
    Check(session_->checkpoint(session_, nullptr), "checkpoint");
    return true;
  }
  bool Flush() override { return Settle(); }

 private:
  WT_CONNECTION* connection_ = nullptr;
  WT_SESSION* session_ = nullptr;
};

}  // namespace

std::unique_ptr<Engine> OpenWiredtiger(const EngineConfig& config) {
  return std::make_unique<WiredtigerEngine>(config);
}

}  // namespace seerdb::bench
