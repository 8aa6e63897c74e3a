// Script: a list of operations on a database as plain data, which any engine can run, print and shrink.
//
// Every sublist of a script is a script: an operation on a snapshot or iterator that is not there has a
// stated answer. So a failing script can be shrunk by leaving operations out. Values are drawn from a number,
// so that a printed script stays short. Thread safety: plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seerdb/options.h"

namespace seerdb::testing {

inline constexpr int kScriptSnapshots = 4;
inline constexpr int kScriptIterators = 3;
// The default one and others, by number; merges append in each.
inline constexpr int kScriptKeyspaces = 2;
inline constexpr char kScriptDelimiter[] = ",";

struct ScriptValue {
  uint32_t seed = 0;  // even: one letter repeated; odd: any bytes
  uint32_t bytes = 0;
  std::string Bytes() const;
};

enum class ScriptWriteKind : unsigned char { kPut, kDelete, kMerge, kDeleteRange };

struct ScriptWrite {
  ScriptWriteKind kind = ScriptWriteKind::kPut;
  std::string key;
  ScriptValue value = {};
  std::string end = {};  // of a range; empty: to the end
  int keyspace = 0;
};

enum class ScriptKind : unsigned char {
  kPut,              // key, value, sync
  kDelete,           // key, sync
  kBatch,            // writes, sync
  kGet,              // key, snapshot
  kMultiGet,         // keys, snapshot
  kScan,             // key = lower, end, prefix, reverse, keys_only, limit, snapshot
  kOpenIterator,     // iterator; as kScan
  kMoveIterator,     // iterator; move, key = target of a seek; "none" if it is not open
  kTakeSnapshot,     // snapshot: of that number, in place of an earlier one
  kReleaseSnapshot,  // snapshot
  kFlush,
  kCompact,  // [key, end]; empty end: to the end
  kVerify,
  kReopen,       // after Close; iterators and snapshots go
  kCrash,        // open again as after the death of the process; iterators and snapshots go
  kBulkLoad,     // writes, all puts of one keyspace; sorted; limit = the target level
  kMerge,        // key, value, sync
  kDeleteRange,  // [key, end); empty end: to the end; sync
  kPutFor,       // key, value, sync; limit = seconds until it expires
  kAdvance,      // limit = seconds that pass
};

enum class ScriptMove : unsigned char { kFirst, kLast, kSeek, kSeekForPrev, kNext, kPrev };

struct ScriptOp {
  ScriptKind kind = ScriptKind::kFlush;
  std::string key = {};
  std::string end = {};
  std::string prefix = {};
  ScriptValue value = {};
  WriteSync sync = WriteSync::kByPolicy;
  std::vector<ScriptWrite> writes = {};
  std::vector<std::string> keys = {};
  int snapshot = -1;  // < 0, or one that was not taken: the latest state
  int iterator = 0;
  ScriptMove move = ScriptMove::kFirst;
  bool reverse = false;
  bool keys_only = false;
  bool sorted = false;  // the writes are in order, and the engine is told so
  uint32_t limit = UINT32_MAX;
  int keyspace = 0;  // of keys
};

using Script = std::vector<ScriptOp>;

// What a script may have, for engines that do not have it all.
struct ScriptFeatures {
  bool expiry = true;
  bool range_deletes = true;
};

// `operations` operations; the same seed and features give the same script.
Script RandomScript(uint64_t seed, size_t operations, ScriptFeatures features = {});

// One line of C++ that is an initializer of the operation / of a std::string.
std::string AsCode(const ScriptOp& op);
std::string AsCode(const std::string& bytes);

}  // namespace seerdb::testing
