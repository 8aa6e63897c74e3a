// A filter of any kind over the prefixes of a table's keys instead of the keys.
//
// What the prefix of a key is, its caller says (sstable/prefix_filter.h); a key may have none. Thread safety:
// PrefixKeyFilterBuilder: external synchronization; PrefixKeyFilter: immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "learned/key_filter.h"
#include "learned/prefix_hash.h"

namespace seerdb {

class PrefixKeyFilterBuilder {
 public:
  // Borrows what the projection borrows.
  PrefixKeyFilterBuilder(FilterKind kind, uint32_t bits_per_key, const KeyProjection& projection)
      : kind_(kind), bits_per_key_(bits_per_key), projection_(projection) {}

  // The prefix of the next key; empty: it has none. Requires: prefixes ascend, equal ones may follow one
  // another.
  void Add(Slice prefix);
  size_t prefixes() const { return hashes_.size(); }
  // The encoded filter, as BuildFilter.
  Result<std::string> Finish() const;

 private:
  const FilterKind kind_;
  const uint32_t bits_per_key_;
  const KeyProjection projection_;
  std::vector<uint64_t> hashes_;
  std::vector<uint64_t> windows_;
  std::string last_;
  bool windows_tell_ = true;
};

class PrefixKeyFilter {
 public:
  // Borrows `bytes`, and what the projection borrows, which is that of the builder. Fails as OpenFilter.
  static Result<PrefixKeyFilter> Open(FilterKind kind, Slice bytes, const KeyProjection& projection);

  // False: no key has this prefix. Of an empty prefix nothing is known.
  bool MayContain(Slice prefix) const {
    return prefix.empty() || filter_->MayContain({PrefixHash(prefix), projection_.Window(prefix)});
  }
  const KeyFilter& filter() const { return *filter_; }

 private:
  PrefixKeyFilter(std::unique_ptr<KeyFilter> filter, const KeyProjection& projection)
      : filter_(std::move(filter)), projection_(projection) {}

  std::unique_ptr<KeyFilter> filter_;
  KeyProjection projection_;
};

}  // namespace seerdb
