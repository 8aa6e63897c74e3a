// The read half of DbImpl: Get, MultiGet, NewIterator.
#include <algorithm>
#include <array>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "db/db_impl.h"
#include "db/engine_key.h"
#include "db/merge_folder.h"
#include "db/options_check.h"
#include "format/entry_payload.h"
#include "format/keyspace_prefix.h"
#include "iter/merge_chain.h"
#include "metrics/read_meter.h"

namespace seerdb {
namespace {

TableReadFlags IteratorFlags(const ReadOptions& options, Statistics* statistics) {
  TableReadFlags flags;
  if (statistics->enabled()) flags.statistics = statistics;
  flags.fill_cache = !options.no_cache;
  flags.verify_checksums = options.verify_checksums;
  flags.keys_only = options.keys_only;
  flags.read_ahead_bytes = options.read_ahead_bytes;
  flags.sequential_pread = options.read_ahead_bytes > 0;
  return flags;
}

// The engine keys of the keyspace with this prefix that the options admit.
KeyBounds BoundsOf(Slice prefix, const ReadOptions& options) {
  if (options.lower_bound.empty() && options.upper_bound.empty() && options.prefix.empty()) [[likely]]
    return {std::string(prefix), PrefixSuccessor(prefix)};  // as below, without four copies
  std::string lower = options.lower_bound;
  std::string upper = options.upper_bound;
  bool unbounded = upper.empty();
  if (!options.prefix.empty()) {
    lower = std::max(lower, options.prefix);
    const std::string successor = PrefixSuccessor(options.prefix);
    if (!successor.empty() && (unbounded || successor < upper)) {
      upper = successor;
      unbounded = false;
    }
  }
  KeyBounds bounds;
  bounds.lower.assign(prefix).append(lower);
  bounds.upper = unbounded ? PrefixSuccessor(prefix) : std::string(prefix) + upper;
  if (!options.prefix.empty()) bounds.prefix.append(prefix).append(options.prefix);
  return bounds;
}

PinnedValue PinAnswer(const ReadView::Answer& answer) {
  const Lookup& lookup = answer.lookup;
  if (lookup.value.size() <= PinnedValue::kInlineBytes) return PinnedValue::Copy(lookup.value);
  if (lookup.owner != nullptr) return PinnedValue::Pin(lookup.value, lookup.owner);
  if (answer.memtable != nullptr) return PinnedValue::Pin(lookup.value, *answer.memtable);
  return PinnedValue::Pin(lookup.value, *answer.table);
}

}  // namespace

Result<std::optional<PinnedValue>> DbImpl::PinFound(const ReadView& view, const TableReadFlags& flags,
                                                    const LookupKey& lookup, const ReadView::Answer& answer,
                                                    const ReadOptions& options) {
  if (answer.lookup.type != ValueType::kValue) [[unlikely]] {
    return ResolveAnswer(view, flags, lookup, answer, StateOf(options));
  }
  if (flags.shard != nullptr) flags.shard->Add(Counter::total_gets_found);
  Result<std::optional<PinnedValue>> found{std::optional<PinnedValue>()};
  found->emplace(PinAnswer(answer));
  return found;
}

std::string PrefixSuccessor(Slice prefix) {
  if (SEERDB_MUTANT("prefix-successor-keeps-carry")) {
    std::string successor(prefix);
    for (size_t i = successor.size(); i-- > 0;) {
      successor[i] = static_cast<char>(successor[i] + 1);
      if (successor[i] != '\0') return successor;
    }
    return {};
  }
  return BehindPrefix(prefix);
}

SequenceNumber DbImpl::SequenceOf(const ReadOptions& options) const {
  const bool at_snapshot = options.snapshot != nullptr && options.snapshot->valid();
  return at_snapshot ? options.snapshot->sequence_number() : snapshots_->visible();
}

Result<std::optional<PinnedValue>> DbImpl::GetFrom(const ReadView& view, SequenceNumber sequence,
                                                   const TableReadFlags& flags, Slice prefix, Slice key,
                                                   const ReadOptions& options) {
  const EngineKey engine_key(prefix, key);
  LookupKey lookup{engine_key.slice(), sequence, 0};
  ReadView::Answer answer;
  SEERDB_RETURN_IF_ERROR(view.Get(flags, &lookup, &answer));
  if (answer.lookup.state != Lookup::State::kFound) return std::optional<PinnedValue>();
  return PinFound(view, flags, lookup, answer, options);
}

namespace {

// Of the value that `bytes`, a pointer, points to.
Result<std::optional<PinnedValue>> FetchApart(const ReadView& view, Slice bytes) {
  ValuePointer pointer;
  if (!ParseValuePointer(bytes, &pointer)) {
    return Status::Corruption("get: an entry that points to its value is malformed");
  }
  FetchedValue value;
  SEERDB_RETURN_IF_ERROR(view.Fetch(pointer, &value));
  return std::optional<PinnedValue>(PinnedValue::Pin(value.bytes, std::move(value.owner)));
}

}  // namespace

Result<std::optional<PinnedValue>> DbImpl::ResolveAnswer(const ReadView& view, const TableReadFlags& flags,
                                                         LookupKey lookup, const ReadView::Answer& answer,
                                                         const KeyspaceState& keyspace) {
  const ValueType type = answer.lookup.type;
  const uint64_t now_us = clock_->WallMicros();
  std::optional<PinnedValue> found;
  if (IsPut(type)) {
    EntryPayload payload;
    if (!ParsePayload(type, answer.lookup.value, &payload)) {
      return Status::Corruption("get: an entry that expires has no time");
    }
    if (payload.expires_us <= now_us) return found;
    if (IsPointer(type)) {
      SEERDB_ASSIGN_OR_RETURN(found, FetchApart(view, payload.value));
    } else {
      ReadView::Answer rest = answer;
      rest.lookup.value = payload.value;
      found = PinAnswer(rest);
    }
  } else if (IsMerge(type)) {
    MergeChain chain;
    chain.Begin(now_us);
    const SequenceNumber sequence = answer.lookup.sequence;
    if (chain.Add(PackTrailer(sequence, type), answer.lookup.value) && sequence > 0) {
      lookup.sequence = sequence - 1;
      SEERDB_RETURN_IF_ERROR(CollectOlder(view, flags, &lookup, &chain));
    }
    SEERDB_ASSIGN_OR_RETURN(const std::optional<std::string> value,
                            chain.Merge(keyspace.options.merge_operator.get(), keyspace.merge_operator_name,
                                        lookup.key.substr(keyspace.prefix.size())));
    if (!value.has_value()) return found;
    found = PinnedValue::Copy(*value);
  } else {
    return Status::NotSupported("get: an entry is of kind " + std::to_string(static_cast<int>(type)) +
                                ", which a later version writes");
  }
  if (flags.shard != nullptr) flags.shard->Add(Counter::total_gets_found);
  return found;
}

Result<std::optional<PinnedValue>> DbImpl::Get(const ReadOptions& options, Slice key) {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  const ReadMeter meter(statistics_.get(), 1, Latency::get_latency);
  // View first, then sequence: a flush between them may drop the version that the sequence needs. View first,
  // then keyspace: while that is not dropped, the view has all of it.
  const ReadViewHolder::Pin view(views_.get());
  Slice prefix;
  SEERDB_RETURN_IF_ERROR(PrefixFor(options, &prefix));
  if (key.size() > kMaxKeyBytes) return std::optional<PinnedValue>();
  const SequenceNumber sequence = SequenceOf(options);
  return GetFrom(*view, sequence, PointFlags(options, meter.shard()), prefix, key, options);
}

std::vector<Result<std::optional<PinnedValue>>> DbImpl::MultiGet(const ReadOptions& options,
                                                                 std::span<const Slice> keys) {
  std::vector<Result<std::optional<PinnedValue>>> results;
  results.reserve(keys.size());
  Slice prefix;
  Status usable = CheckOpen();
  const std::shared_ptr<const ReadView> view = views_->Acquire();  // before the keyspace is looked at
  if (usable.ok()) usable = PrefixFor(options, &prefix);
  if (!usable.ok()) {
    for (size_t i = 0; i < keys.size(); ++i) results.emplace_back(usable);
    return results;
  }
  const ReadMeter meter(statistics_.get(), keys.size(), Latency::kCount);
  const TableReadFlags flags = PointFlags(options, meter.shard());
  const GroupRead read{*view, SequenceOf(options), flags, prefix, options};
  for (size_t i = 0; i < keys.size(); i += ReadView::kGroup) {
    GetGroupFrom(read, keys.subspan(i, std::min(ReadView::kGroup, keys.size() - i)), &results);
  }
  return results;
}

void DbImpl::GetGroupFrom(const GroupRead& read, std::span<const Slice> keys,
                          std::vector<Result<std::optional<PinnedValue>>>* results) {
  size_t bytes = 0;
  for (const Slice key : keys) bytes += read.prefix.size() + (key.size() > kMaxKeyBytes ? 0 : key.size());
  std::string engine_keys;
  engine_keys.reserve(bytes);  // slices of it stay where they are
  std::array<ReadView::GroupLookup, ReadView::kGroup> group;
  size_t count = 0;
  for (const Slice key : keys) {
    if (key.size() > kMaxKeyBytes) continue;
    const size_t begin = engine_keys.size();
    engine_keys.append(read.prefix).append(key);
    group[count++].lookup = {Slice(engine_keys).substr(begin), read.sequence, 0};
  }
  read.view.GetGroup(read.flags, std::span(group.data(), count));
  count = 0;
  for (const Slice key : keys) {
    if (key.size() > kMaxKeyBytes) {
      results->emplace_back(std::optional<PinnedValue>());
      continue;
    }
    ReadView::GroupLookup& one = group[count++];
    if (!one.status.ok()) {
      results->emplace_back(std::move(one.status));
    } else if (one.answer.lookup.state != Lookup::State::kFound) {
      results->emplace_back(std::optional<PinnedValue>());
    } else {
      results->push_back(PinFound(read.view, read.flags, one.lookup, one.answer, read.options));
    }
  }
}

std::unique_ptr<Iterator> DbImpl::NewIterator(const ReadOptions& options) {
  if (Status status = CheckOpen(); !status.ok()) return NewErrorIterator(std::move(status));
  if (Status status = CheckReadOptions(options); !status.ok()) return NewErrorIterator(std::move(status));
  Slice prefix;
  DbIteratorOptions iterator;
  iterator.view = views_->Acquire();  // before the keyspace is looked at
  if (Status status = PrefixFor(options, &prefix); !status.ok()) return NewErrorIterator(std::move(status));
  statistics_->Add(Counter::total_iterators);
  iterator.sequence = SequenceOf(options);
  iterator.cover = iterator.view->CoverAt(iterator.sequence);
  iterator.bounds = BoundsOf(prefix, options);
  iterator.prefix_bytes = prefix.size();
  iterator.merge_operator = StateOf(options).options.merge_operator;
  iterator.merge_operator_name = StateOf(options).merge_operator_name;
  iterator.now_us = clock_->WallMicros();
  iterator.max_skipped = options.max_skipped;
  iterator.keys_only = options.keys_only;
  iterator.flags = IteratorFlags(options, statistics_.get());
  iterator.host = iterator_host_;
  return NewDbIterator(std::move(iterator));
}

}  // namespace seerdb
