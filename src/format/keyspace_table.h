// KeyspaceTable: the keyspaces of a database at one moment, and what must be known of each to treat its
// entries.
//
// Ids are never used again: an id below next_id() that is not in the table is that of a dropped keyspace, and
// nobody can read its entries. Whoever drops entries for that must have fixed them before taking the table.
// Thread safety: immutable.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seerdb/keyspace.h"
#include "seerdb/slice.h"

namespace seerdb {

inline constexpr char kDefaultKeyspaceName[] = "default";

struct KeyspaceState;

// What all states of a keyspace share.
struct alignas(64) KeyspaceLife {
  std::atomic<bool> dropped{false};
  // The newest; it, and those before it, live as long as the database.
  std::atomic<const KeyspaceState*> current{nullptr};
  std::atomic<uint64_t> default_ttl_us{0};  // of the newest
  // Values of at least so many bytes are written apart. UINT64_MAX: none.
  std::atomic<uint64_t> separation_bytes{UINT64_MAX};
};

// One keyspace with its options. Immutable.
struct alignas(64) KeyspaceState {
  // `merge_operator_name` if options.merge_operator is null and its keyspace has one all the same.
  KeyspaceState(uint64_t owner, uint32_t id, std::string name, KeyspaceOptions options,
                std::string merge_operator_name = "");
  // The same keyspace with other options.
  KeyspaceState(const KeyspaceState& before, KeyspaceOptions options);
  // Makes this the newest of its keyspace.
  void MakeCurrent() const;

  // What every call needs comes first, in one line of the cache.
  const uint64_t owner;  // what tells databases apart
  const std::shared_ptr<KeyspaceLife> life;
  const std::string prefix;  // of its engine keys
  const uint32_t id;
  const std::string name;
  const KeyspaceOptions options;
  const std::string merge_operator_name;  // empty: none
};
using KeyspaceStatePtr = std::shared_ptr<const KeyspaceState>;

class KeyspaceTable {
 public:
  // With the default keyspace alone.
  KeyspaceTable();
  // `states` ascend by id and begin with the default keyspace; ids are below `next_id`.
  KeyspaceTable(std::vector<KeyspaceStatePtr> states, uint32_t next_id)
      : states_(std::move(states)), next_id_(next_id) {}

  const std::vector<KeyspaceStatePtr>& states() const { return states_; }
  uint32_t next_id() const { return next_id_; }
  // Null if there is none.
  const KeyspaceStatePtr* Find(uint32_t id) const;
  const KeyspaceStatePtr* FindByName(Slice name) const;
  // True if one that may have keys in [smallest, largest] has a compaction filter.
  bool HasFilter(Slice smallest, Slice largest) const;
  // True if a keyspace was ever dropped.
  bool HasDropped() const { return states_.size() < next_id_; }
  // True if there may have been keys between the two that nobody can read.
  bool MayHoldDropped(Slice smallest, Slice largest) const;
  // True if nobody can read any engine key in [smallest, largest]. False for malformed ones.
  bool AllDropped(Slice smallest, Slice largest) const;

 private:
  // The first with an id not below this one.
  std::vector<KeyspaceStatePtr>::const_iterator From(uint32_t id) const;

  std::vector<KeyspaceStatePtr> states_;
  uint32_t next_id_ = 1;
};
using KeyspaceTablePtr = std::shared_ptr<const KeyspaceTable>;

// Finds the keyspace of ascending engine keys; one comparison for a key of the same keyspace as the last.
// Thread safety: external synchronization.
class KeyspaceCursor {
 public:
  // Null: there is nothing to know, and no key is of a dropped keyspace.
  explicit KeyspaceCursor(KeyspaceTablePtr table) : table_(std::move(table)) {}

  // Moves to the keyspace of `engine_key`.
  void MoveTo(Slice engine_key) {
    if (!prefix_.empty() && engine_key.starts_with(prefix_)) [[likely]]
      return;
    Move(engine_key);
  }
  // Of the last MoveTo. A key without a well-formed prefix belongs to no keyspace and is not dropped.
  bool dropped() const { return dropped_; }
  // Null if it is not known.
  const KeyspaceState* state() const { return state_; }

 private:
  void Move(Slice engine_key);

  const KeyspaceTablePtr table_;
  std::string prefix_;
  const KeyspaceState* state_ = nullptr;
  bool dropped_ = false;
};

}  // namespace seerdb
