#include "learned/prefix_key_filter.h"

#include <utility>

#include "base/status_macros.h"

namespace seerdb {

void PrefixKeyFilterBuilder::Add(Slice prefix) {
  if (prefix.empty() || prefix == Slice(last_)) return;
  // Prefixes of one length whose windows tell them are told apart by these.
  windows_tell_ =
      windows_tell_ && (last_.empty() || last_.size() == prefix.size()) && projection_.Tells(prefix);
  hashes_.push_back(PrefixHash(prefix));
  windows_.push_back(projection_.Window(prefix));
  last_.assign(prefix);
}

Result<std::string> PrefixKeyFilterBuilder::Finish() const {
  return BuildFilter(kind_, {hashes_, windows_, windows_tell_}, bits_per_key_);
}

Result<PrefixKeyFilter> PrefixKeyFilter::Open(FilterKind kind, Slice bytes, const KeyProjection& projection) {
  SEERDB_ASSIGN_OR_RETURN(auto filter, OpenFilter(kind, bytes));
  return PrefixKeyFilter(std::move(filter), projection);
}

}  // namespace seerdb
