#include "sstable/lookup_builder.h"

#include "sstable/prefix_filter.h"

namespace seerdb {
namespace {

// A filter of more bits gives fewer false answers than the tags of 34 ranks.
constexpr uint32_t kMostFilterBits = 12;
// Of the models in a tag index that is asked for: no bound.
constexpr uint64_t kAnyBitsPerKey = uint64_t{1} << 30;

LookupKind FirstKind(const TableBuilderOptions& options) {
  const bool tag = options.index_kind == IndexKind::kTag;
  if (tag && options.prefix_filter_bytes == 0) return LookupKind::kFewKeys;
  if (options.bloom_bits_per_key == 0) return LookupKind::kNoFilter;
  if (options.prefix_filter_bytes != 0) return LookupKind::kPrefixes;
  if (options.index_kind != IndexKind::kAuto) return LookupKind::kNotAsked;
  if (options.bloom_bits_per_key > kMostFilterBits) return LookupKind::kFinerFilter;
  if (options.learned_index_min_keys == 0) return LookupKind::kNotAsked;
  if (options.mostly_absent) return LookupKind::kMostlyAbsent;
  return LookupKind::kFewKeys;
}

}  // namespace

LookupBuilder::LookupBuilder(const TableBuilderOptions& options)
    : prefix_bytes_(options.prefix_filter_bytes),
      min_keys_(options.index_kind == IndexKind::kTag ? 1 : options.learned_index_min_keys),
      filter_(options.bloom_bits_per_key),
      tags_(options.shared_prefix,
            options.index_kind == IndexKind::kTag ? kAnyBitsPerKey : TagSectionBuilder::kUsualBitsPerKey),
      kind_(FirstKind(options)) {}

bool LookupBuilder::StartBlock() {
  if (kind_ == LookupKind::kFewKeys) TryFirstKeys();
  if (Learns() && !tags_.fits()) GiveUp();
  if (Learns()) tags_.StartBlock();
  return kind_ != LookupKind::kTagIndex;
}

void LookupBuilder::TryFirstKeys() {
  if (keys_ < min_keys_) return;
  kind_ = LookupKind::kTagIndex;
  if (!tags_.Fit()) GiveUp();
}

void LookupBuilder::GiveUp() {
  kind_ = LookupKind::kUnlearnable;
  tags_ = TagIndexBuilder(Slice(), 0);
}

void LookupBuilder::AddPrefix(Slice key) {
  const Slice prefix = FilterPrefix(key, prefix_bytes_);
  // Keys ascend: those with one prefix come one after another, and none has an empty one.
  if (prefix == Slice(last_prefix_)) return;
  last_prefix_.assign(prefix);
  if (!prefix.empty()) filter_.AddHash(PrefixHash(prefix));
}

void LookupBuilder::Finish() {
  if (kind_ == LookupKind::kFewKeys) TryFirstKeys();
  if (kind_ == LookupKind::kTagIndex && !tags_.Fit()) GiveUp();
  if (kind_ == LookupKind::kTagIndex)
    tag_index_ = tags_.Finish();
  else
    filter_bytes_ = filter_.Finish();
}

}  // namespace seerdb
