#include "db/merge_folder.h"

#include <algorithm>
#include <string>

#include "base/hash.h"
#include "base/status_macros.h"

namespace seerdb {
namespace {

constexpr size_t kSets = 2048;
constexpr size_t kWays = 4;
constexpr uint32_t kOperandsBehindOneAnother = 8;
constexpr uint32_t kMostDue = 1 << 30;
// A value is copied once its operands have so many bytes of each of its own.
constexpr uint64_t kPartOfValue = 2;
constexpr uint64_t kSmallValueBytes = 256;

// Versions that are looked up one by one before an iterator over all sources takes over.
constexpr int kPointLookups = 8;

}  // namespace

Result<bool> AddVersion(const ReadView& view, uint64_t trailer, Slice payload, MergeChain* chain) {
  ValueType type = TrailerType(trailer);
  if (!IsPointer(type)) [[likely]]
    return chain->Add(trailer, payload);
  // What has expired is a deletion by now, whether its value is still there or not.
  EntryPayload entry;
  if (Expires(type) && ParsePayload(type, payload, &entry) && entry.expires_us <= chain->now_us())
    return chain->Add(PackTrailer(TrailerSequence(trailer), ValueType::kDeletion), Slice());
  std::string value(payload);
  SEERDB_RETURN_IF_ERROR(BringIn(&view, &type, &value));
  return chain->Add(PackTrailer(TrailerSequence(trailer), type), value);
}

Status CollectOlder(const ReadView& view, const TableReadFlags& flags, LookupKey* lookup, MergeChain* chain) {
  for (int i = 0; i < kPointLookups; ++i) {
    ReadView::Answer answer;
    SEERDB_RETURN_IF_ERROR(view.Get(flags, lookup, &answer));
    const Lookup& found = answer.lookup;
    if (found.state == Lookup::State::kAbsent) return {};
    const ValueType type = found.state == Lookup::State::kDeleted ? ValueType::kDeletion : found.type;
    SEERDB_ASSIGN_OR_RETURN(const bool wants_older,
                            AddVersion(view, PackTrailer(found.sequence, type), found.value, chain));
    if (!wants_older || found.sequence == 0) return {};
    lookup->sequence = found.sequence - 1;
  }
  const KeyBounds bounds{std::string(lookup->key), std::string(lookup->key) + '\0'};
  RangeCover cover = view.CoverAt(lookup->sequence);
  const SequenceNumber hidden_below = cover.HiddenBelow(lookup->key);
  const std::unique_ptr<InternalIterator> versions = view.NewIterator(flags, bounds, cover);
  versions->Seek(lookup->key, SeekTrailer(lookup->sequence));
  while (versions->Valid() && versions->key() == lookup->key) {
    // In front of the versions may stand what stands for a damaged table; to step over it gives its error.
    const bool wanted = versions->sequence() <= lookup->sequence;
    if (wanted && versions->sequence() < hidden_below) return {};
    if (wanted) {
      SEERDB_ASSIGN_OR_RETURN(const bool wants_older,
                              AddVersion(view, versions->trailer(), versions->value(), chain));
      if (!wants_older) return {};
    }
    versions->Next();
  }
  return versions->status();
}

MergeFolder::Slot* MergeFolder::SlotOf(Slice engine_key) {
  if (slots_.empty()) slots_.resize(kSets * kWays);
  const uint64_t hash = Hash64(engine_key);
  Slot* const set = &slots_[hash % kSets * kWays];
  Slot* const end = set + kWays;
  Slot* const found = std::find_if(set, end, [hash](const Slot& slot) { return slot.hash == hash; });
  if (found != end) return found;
  Slot* const least = std::min_element(
      set, end, [](const Slot& a, const Slot& b) { return a.operands + a.folds < b.operands + b.folds; });
  // Those that stay must earn it again.
  for (Slot* slot = set; slot != end; ++slot) slot->folds /= 2;
  *least = Slot{hash, 0, 0, 0, 0, kOperandsBehindOneAnother};
  return least;
}

bool MergeFolder::Count(Slice engine_key, uint64_t operand_bytes) {
  Slot& slot = *SlotOf(engine_key);
  ++slot.operands;
  slot.operand_bytes += operand_bytes;
  if (slot.operands < slot.due || slot.operand_bytes * kPartOfValue < slot.value_bytes) {
    return false;
  }
  slot.operands = 0;
  slot.folds = kOperandsBehindOneAnother;
  return true;
}

std::optional<MergeChain::Entry> MergeFolder::Fold(Slice engine_key, SequenceNumber sequence, ValueType type,
                                                   Slice payload) {
  std::optional<MergeChain::Entry> folded = TryFold(engine_key, sequence, type, payload);
  Slot& slot = *SlotOf(engine_key);
  if (!folded.has_value()) {
    slot.due = std::min(2 * slot.due, kMostDue);
    return folded;
  }
  slot.due = kOperandsBehindOneAnother;
  slot.value_bytes = folded->payload.size();
  // What is stored stays in proportion to what was written: of a large value a copy must be earned first.
  const uint64_t most = std::max(kSmallValueBytes, kPartOfValue * slot.operand_bytes);
  if (slot.value_bytes > most) return std::nullopt;
  slot.operand_bytes = 0;
  return folded;
}

std::optional<MergeChain::Entry> MergeFolder::TryFold(Slice engine_key, SequenceNumber sequence,
                                                      ValueType type, Slice payload) const {
  KeyspaceCursor keyspace(keyspaces_->table());
  keyspace.MoveTo(engine_key);
  if (keyspace.state() == nullptr || keyspace.state()->options.merge_operator == nullptr) return std::nullopt;
  MergeChain chain;
  chain.Begin(clock_->WallMicros());
  if (chain.Add(PackTrailer(sequence, type), payload)) {
    const std::shared_ptr<const ReadView> view = views_->Acquire();
    LookupKey lookup{engine_key, sequence - 1, 0};
    if (!CollectOlder(*view, TableReadFlags(), &lookup, &chain).ok()) return std::nullopt;
  }
  const Slice user_key = engine_key.substr(keyspace.state()->prefix.size());
  std::vector<MergeChain::Entry> folded = chain.Fold(keyspace.state()->options.merge_operator.get(), user_key,
                                                     /*nothing_older=*/true, max_value_bytes_);
  if (folded.size() != 1 || IsMerge(TrailerType(folded.front().trailer))) return std::nullopt;
  return std::move(folded.front());
}

}  // namespace seerdb
