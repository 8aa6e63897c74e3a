// Engine: what the benchmark asks of a key-value store. One adapter file a store, all of them under the same
// promises, so that a phase runs the same operations with the same effect on each.
//
// Promises of every adapter: a write that returned survives a crash of the process (it is in the kernel);
// with EngineConfig::sync it survives a power cut. MultiGet and Scan read one consistent view that includes
// every write that returned before the call. Keys order as unsigned bytes.
// Errors: an adapter ends the program with a message (Die): a benchmark with a failed call measures nothing.
// Thread safety: Engine methods are called from one thread; each thread uses its own Session.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "digest.h"

namespace seerdb::bench {

enum class Compression : unsigned char { kNone = 0, kLz4 = 1 };

struct EngineConfig {
  std::string path;                 // a directory that exists
  uint64_t cache_bytes = 0;         // of uncompressed blocks, for each engine that has a cache
  uint64_t write_buffer_bytes = 0;  // of one memtable, for each engine that has one
  uint64_t data_bytes = 0;          // keys and values that the run will store at most
  uint64_t value_bytes = 0;         // of one value
  bool sync = false;                // each write waits for the device
  Compression compression = Compression::kNone;
};

struct KeyValue {
  std::string_view key;
  std::string_view value;
};

// Ends the program with `message`.
[[noreturn]] void Die(const std::string& message);

class Session {
 public:
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
  // Puts all entries atomically.
  virtual void PutBatch(std::span<const KeyValue> entries) = 0;
  // Adds the value, or the miss, to `digest`.
  virtual void Get(std::string_view key, Digest* digest) = 0;
  // As Get of each key in order, in one consistent view.
  virtual void MultiGet(std::span<const std::string_view> keys, Digest* digest) = 0;
  // Adds up to `limit` entries to `digest`: forward from the first key >= start.
  virtual void Scan(std::string_view start, uint64_t limit, Digest* digest) = 0;
  // The same backward from the last key <= start; from the last of all if start is empty.
  virtual void ScanReverse(std::string_view start, uint64_t limit, Digest* digest) = 0;

 protected:
  Session() = default;
};

class Engine {
 public:
  virtual ~Engine() = default;  // closes
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  virtual std::unique_ptr<Session> NewSession() = 0;
  // Full manual compaction; false if the engine has none.
  virtual bool Compact() = 0;
  // Moves what is in memory to where the engine keeps it, and waits for its background work as far as it has
  // calls for that; false if it has none. The bench then waits until the process is quiet.
  virtual bool Settle() = 0;
  // Moves what is in memory to where the engine keeps it, so that later writes come to lie over it; false if
  // it keeps all in one place.
  virtual bool Flush() = 0;
  // What the engine says of its state, by names that the report knows; empty for most.
  virtual std::map<std::string, double> Figures() { return {}; }
  // Every option set to something else than the library's default, and the library's version.
  const std::map<std::string, std::string>& options() const { return options_; }

 protected:
  Engine() = default;
  std::map<std::string, std::string> options_;
};

struct EngineKind {
  const char* name;
  std::unique_ptr<Engine> (*open)(const EngineConfig& config);
};

// The engines linked into this program.
std::vector<EngineKind> LinkedEngines();

std::unique_ptr<Engine> OpenSeerdb(const EngineConfig& config);
// With the log that every file system can have: write calls and fdatasync.
std::unique_ptr<Engine> OpenSeerdbFloorLog(const EngineConfig& config);
std::unique_ptr<Engine> OpenRocksdbTuned(const EngineConfig& config);
std::unique_ptr<Engine> OpenRocksdbDefault(const EngineConfig& config);
std::unique_ptr<Engine> OpenLeveldb(const EngineConfig& config);
std::unique_ptr<Engine> OpenLmdb(const EngineConfig& config);
std::unique_ptr<Engine> OpenWiredtiger(const EngineConfig& config);

}  // namespace seerdb::bench
