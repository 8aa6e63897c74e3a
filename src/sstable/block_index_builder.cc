#include <algorithm>

#include "base/assert.h"
#include "base/mutant.h"
#include "sstable/block_index.h"

namespace seerdb {
namespace {

constexpr uint32_t kModelEpsilonBlocks = 8;

void AppendColumn(uint64_t v, bool wide, std::string* out) {
  if (wide)
    AppendU64(out, v);
  else
    AppendU32(out, static_cast<uint32_t>(v));
}

}  // namespace

void BlockIndexBuilder::AddBlock(uint64_t offset, Slice last_key, Slice key, uint64_t trailer) {
  SEERDB_ASSERT(offsets_.size() < UINT32_MAX - 2);
  const bool first = offsets_.empty();
  const bool continues = !first && last_key == key;
  offsets_.push_back(offset);
  separators_.push_back({blob_.size(), continues});
  if (first || continues) {
    blob_.append(key);
    if (continues) AppendU64(&blob_, SEERDB_MUTANT("index-forgets-trailer") ? kFirstTrailer : trailer);
  } else {
    blob_.append(key.substr(0, CommonPrefixBytes(last_key, key) + 1));
  }
}

Slice BlockIndexBuilder::Stored(size_t block) const {
  const uint64_t begin = separators_[block].begin;
  const uint64_t end = block + 1 < separators_.size() ? separators_[block + 1].begin : blob_.size();
  return Slice(blob_).substr(begin, end - begin);
}

Slice BlockIndexBuilder::Key(size_t block) const {
  Slice key = Stored(block);
  if (separators_[block].continues) key.remove_suffix(sizeof(uint64_t));
  return key;
}

KeyProjection BlockIndexBuilder::ChooseProjection(Slice prefix) const {
  return KeyProjection(
      prefix, KeyProjection::Choose(separators_.size(), prefix.size(), [this](size_t i) { return Key(i); }));
}

bool BlockIndexBuilder::WindowsTell(const KeyProjection& projection) const {
  // All that is asked of the first separator is that it is not behind the first key: its front will do.
  for (size_t i = 1; i < separators_.size(); ++i) {
    if (separators_[i].continues) return false;
    if (Key(i).size() - projection.prefix().size() > KeyProjection::WindowBytes(projection.kind()))
      return false;
  }
  return true;
}

void BlockIndexBuilder::AppendLengths(size_t prefix_bytes, size_t window_bytes, std::string* out) const {
  for (size_t i = 0; i < separators_.size(); ++i) {
    out->push_back(static_cast<char>(std::min(Key(i).size() - prefix_bytes, window_bytes)));
  }
}

void BlockIndexBuilder::AppendSeparators(size_t prefix_bytes, std::string* out) const {
  const uint64_t stripped_bytes = blob_.size() - separators_.size() * prefix_bytes;
  const bool wide = stripped_bytes > INT32_MAX;
  const uint64_t continues_bit = wide ? uint64_t{1} << 63 : uint64_t{1} << 31;
  for (size_t i = 0; i < separators_.size(); ++i) {
    const uint64_t begin = separators_[i].begin - i * prefix_bytes;
    AppendColumn(begin | (separators_[i].continues ? continues_bit : 0), wide, out);
  }
  AppendColumn(stripped_bytes, wide, out);
}

std::string BlockIndexBuilder::Finish(Slice smallest, Slice largest, uint64_t data_end) {
  const size_t prefix_bytes = CommonPrefixBytes(smallest, largest);
  const size_t blocks = offsets_.size();
  // Every separator starts with the common prefix: it lies between two keys that do.
  const uint64_t stripped_bytes = blob_.size() - blocks * prefix_bytes;
  const bool wide_offsets = data_end > UINT32_MAX;
  const KeyProjection projection = ChooseProjection(smallest.substr(0, prefix_bytes));
  const bool windows_tell = WindowsTell(projection);
  const bool wide_keys = !windows_tell && stripped_bytes > INT32_MAX;

  std::string out;
  out.reserve(32 + blocks * 24 + (windows_tell ? 0 : stripped_bytes));
  AppendU32(&out, static_cast<uint32_t>(blocks));
  AppendU32(&out, (wide_offsets ? 1u : 0u) | (wide_keys ? 2u : 0u) | (windows_tell ? 4u : 0u));
  AppendU32(&out, static_cast<uint32_t>(prefix_bytes));
  AppendU32(&out, static_cast<uint32_t>(projection.kind()));
  std::vector<uint64_t> windows(blocks);
  for (size_t i = 0; i < blocks; ++i) {
    windows[i] = projection.WindowWithin(Key(i));
    AppendU64(&out, windows[i]);
  }
  model_ = IndexModel::Fit(model_kind_, kModelEpsilonBlocks, windows);
  for (const uint64_t offset : offsets_) AppendColumn(offset, wide_offsets, &out);
  AppendColumn(data_end, wide_offsets, &out);
  if (windows_tell)
    AppendLengths(prefix_bytes, KeyProjection::WindowBytes(projection.kind()), &out);
  else
    AppendSeparators(prefix_bytes, &out);
  out.append(smallest.substr(0, prefix_bytes));
  if (windows_tell) return out;
  for (size_t i = 0; i < blocks; ++i) out.append(Stored(i).substr(prefix_bytes));
  return out;
}

}  // namespace seerdb
