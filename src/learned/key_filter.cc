#include "learned/key_filter.h"

#include <utility>

#include "base/status_macros.h"
#include "learned/binary_fuse_builder.h"
#include "learned/bit_packed_bloom_filter.h"
#include "learned/bloom_filter.h"
#include "learned/learned_filter.h"

namespace seerdb {
namespace {

constexpr uint32_t kFuseArity = 3;

template <FilterKind kKind, typename Filter>
class FilterOf final : public KeyFilter {
 public:
  FilterOf(Filter filter, size_t bytes) : filter_(std::move(filter)), bytes_(bytes) {}
  FilterKind kind() const override { return kKind; }
  bool MayContain(const FilterProbe& probe) const override {
    if constexpr (kKind == FilterKind::kLearned) {
      return filter_.MayContain(probe.hash, probe.window);
    } else {
      return filter_.MayContain(probe.hash);
    }
  }
  size_t memory_bytes() const override {
    if constexpr (kKind == FilterKind::kLearned) {
      return bytes_ + filter_.memory_bytes();
    } else {
      return bytes_;
    }
  }

 private:
  const Filter filter_;
  const size_t bytes_;
};

template <FilterKind kKind, typename Filter>
Result<std::unique_ptr<KeyFilter>> Open(Slice bytes) {
  SEERDB_ASSIGN_OR_RETURN(Filter filter, Filter::Decode(bytes));
  return std::unique_ptr<KeyFilter>(
      std::make_unique<FilterOf<kKind, Filter>>(std::move(filter), bytes.size()));
}

}  // namespace

Result<std::string> BuildFilter(FilterKind kind, const FilterKeys& keys, uint32_t bits_per_key) {
  if (bits_per_key == 0) return Status::InvalidArgument("filter: no bits");
  switch (kind) {
    case FilterKind::kBlockedBloom: {
      BloomFilterBuilder builder(bits_per_key);
      for (const uint64_t hash : keys.hashes) builder.AddHash(hash);
      return builder.Finish();
    }
    case FilterKind::kBitPackedBloom:
      return BitPackedBloomFilter::Build(keys.hashes, bits_per_key);
    case FilterKind::kBinaryFuse:
      return BuildBinaryFuse(keys.hashes, FuseOptionsFor(keys.hashes.size(), bits_per_key, kFuseArity));
    case FilterKind::kLearned:
      return LearnedFilter::Build(keys.hashes, keys.windows, {bits_per_key, keys.windows_tell_keys});
  }
  return Status::InvalidArgument("filter: unknown kind");
}

Result<std::unique_ptr<KeyFilter>> OpenFilter(FilterKind kind, Slice bytes) {
  switch (kind) {
    case FilterKind::kBlockedBloom:
      // No bytes are the filter of no keys, which passes all.
      if (bytes.empty())
        return std::unique_ptr<KeyFilter>(
            std::make_unique<FilterOf<FilterKind::kBlockedBloom, BloomFilter>>(BloomFilter(), 0));
      return Open<FilterKind::kBlockedBloom, BloomFilter>(bytes);
    case FilterKind::kBitPackedBloom:
      return Open<FilterKind::kBitPackedBloom, BitPackedBloomFilter>(bytes);
    case FilterKind::kBinaryFuse:
      return Open<FilterKind::kBinaryFuse, BinaryFuseFilter>(bytes);
    case FilterKind::kLearned:
      return Open<FilterKind::kLearned, LearnedFilter>(bytes);
  }
  return Status::InvalidArgument("filter: unknown kind");
}

}  // namespace seerdb
