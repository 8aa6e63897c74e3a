#include "format/keyspace_table.h"

#include <algorithm>
#include <utility>

#include "format/keyspace_prefix.h"
#include "seerdb/compaction_filter.h"
#include "seerdb/merge_operator.h"

namespace seerdb {
namespace {

std::string PrefixOf(uint32_t id) {
  std::string prefix;
  AppendKeyspacePrefix(&prefix, id);
  return prefix;
}

// The keyspaces of two engine keys. False if one has none.
bool ParseIds(Slice smallest, Slice largest, uint32_t* first, uint32_t* last) {
  Slice user_key;
  return ParseEngineKey(smallest, first, &user_key) && ParseEngineKey(largest, last, &user_key);
}

}  // namespace

KeyspaceState::KeyspaceState(uint64_t owner_in, uint32_t id_in, std::string name_in,
                             KeyspaceOptions options_in, std::string merge_operator_name_in)
    : owner(owner_in),
      life(std::make_shared<KeyspaceLife>()),
      prefix(PrefixOf(id_in)),
      id(id_in),
      name(std::move(name_in)),
      options(std::move(options_in)),
      merge_operator_name(options.merge_operator != nullptr ? options.merge_operator->Name()
                                                            : std::move(merge_operator_name_in)) {
  MakeCurrent();
}

KeyspaceState::KeyspaceState(const KeyspaceState& before, KeyspaceOptions options_in)
    : owner(before.owner),
      life(before.life),
      prefix(before.prefix),
      id(before.id),
      name(before.name),
      options(std::move(options_in)),
      merge_operator_name(options.merge_operator != nullptr ? options.merge_operator->Name()
                                                            : before.merge_operator_name) {}

void KeyspaceState::MakeCurrent() const {
  life->default_ttl_us.store(options.default_ttl_us, std::memory_order_relaxed);
  life->current.store(this, std::memory_order_release);
}

const std::string& Keyspace::name() const { return state_->name; }
uint32_t Keyspace::id() const { return state_->id; }
const KeyspaceOptions& Keyspace::options() const {
  return state_->life->current.load(std::memory_order_acquire)->options;
}

KeyspaceTable::KeyspaceTable() {
  states_.push_back(
      std::make_shared<const KeyspaceState>(0, kDefaultKeyspace, kDefaultKeyspaceName, KeyspaceOptions()));
}

std::vector<KeyspaceStatePtr>::const_iterator KeyspaceTable::From(uint32_t id) const {
  return std::partition_point(states_.begin(), states_.end(),
                              [id](const KeyspaceStatePtr& state) { return state->id < id; });
}

const KeyspaceStatePtr* KeyspaceTable::Find(uint32_t id) const {
  const auto at = From(id);
  return at != states_.end() && (*at)->id == id ? &*at : nullptr;
}

const KeyspaceStatePtr* KeyspaceTable::FindByName(Slice name) const {
  const auto at = std::find_if(states_.begin(), states_.end(),
                               [name](const KeyspaceStatePtr& state) { return state->name == name; });
  return at != states_.end() ? &*at : nullptr;
}

bool KeyspaceTable::HasFilter(Slice smallest, Slice largest) const {
  uint32_t first = 0;
  uint32_t last = 0;
  if (!ParseIds(smallest, largest, &first, &last)) return false;
  for (auto at = From(first); at != states_.end() && (*at)->id <= last; ++at) {
    if ((*at)->options.compaction_filter != nullptr) return true;
  }
  return false;
}

bool KeyspaceTable::AllDropped(Slice smallest, Slice largest) const {
  uint32_t first = 0;
  uint32_t last = 0;
  if (!ParseIds(smallest, largest, &first, &last)) return false;
  if (last >= next_id_) return false;
  const auto at = From(first);
  return at == states_.end() || (*at)->id > last;
}

bool KeyspaceTable::MayHoldDropped(Slice smallest, Slice largest) const {
  uint32_t first = 0;
  uint32_t last = 0;
  if (!ParseIds(smallest, largest, &first, &last)) return false;
  if (first >= next_id_) return false;
  last = std::min(last, next_id_ - 1);
  const auto living = From(last + 1) - From(first);
  return static_cast<uint64_t>(living) < uint64_t{last} - first + 1;
}

void KeyspaceCursor::Move(Slice engine_key) {
  state_ = nullptr;
  dropped_ = false;
  prefix_.clear();
  uint32_t id = 0;
  Slice user_key;
  if (table_ == nullptr || !ParseEngineKey(engine_key, &id, &user_key)) return;
  prefix_.assign(engine_key.substr(0, engine_key.size() - user_key.size()));
  const KeyspaceStatePtr* const found = table_->Find(id);
  if (found != nullptr) state_ = found->get();
  dropped_ = found == nullptr && id < table_->next_id();
}

}  // namespace seerdb
