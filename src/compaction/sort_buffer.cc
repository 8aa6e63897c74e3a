#include "compaction/sort_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/coding.h"
#include "base/mutant.h"
#include "compaction/sort_run.h"

namespace seerdb {
namespace {

constexpr size_t kBlockBytes = size_t{64} << 10;
constexpr size_t kRecordHeadBytes = 8;

}  // namespace

char* SortBuffer::Allocate(size_t bytes, uint64_t* place) {
  if (blocks_.empty() || bytes > capacity_ - used_) {
    capacity_ = std::max(kBlockBytes, bytes);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
    block_bytes_ += capacity_;
    used_ = 0;
  }
  *place = uint64_t{blocks_.size() - 1} << 32 | used_;
  char* const p = blocks_.back().get() + used_;
  used_ += bytes;
  return p;
}

uint64_t SortBuffer::BytesWith(Slice key, Slice value) const {
  const size_t record = kRecordHeadBytes + key.size() + value.size();
  uint64_t more = blocks_.empty() || record > capacity_ - used_ ? std::max(kBlockBytes, record) : 0;
  if (refs_.size() == refs_.capacity()) more += std::max<size_t>(1, refs_.size()) * sizeof(Ref);
  return bytes() + more;
}

void SortBuffer::Add(Slice key, Slice value) {
  Ref ref{};
  char* p = Allocate(kRecordHeadBytes + key.size() + value.size(), &ref.place);
  StoreU32(p, static_cast<uint32_t>(key.size()));
  StoreU32(p + 4, static_cast<uint32_t>(value.size()));
  p += kRecordHeadBytes;
  if (!key.empty()) std::memcpy(p, key.data(), key.size());
  if (!value.empty()) std::memcpy(p + key.size(), value.data(), value.size());
  refs_.push_back(ref);
}

Slice SortBuffer::KeyOf(const char* record) { return Slice(record + kRecordHeadBytes, LoadU32(record)); }

Slice SortBuffer::key(size_t i) const { return KeyOf(Record(refs_[i])); }

Slice SortBuffer::value(size_t i) const {
  const char* const record = Record(refs_[i]);
  return Slice(record + kRecordHeadBytes + LoadU32(record), LoadU32(record + 4));
}

size_t SortBuffer::SharedPrefixBytes() const {
  if (refs_.empty()) return 0;
  Slice shared = key(0);
  for (size_t i = 1; i < refs_.size() && !shared.empty(); ++i) {
    const Slice other = key(i).substr(0, shared.size());
    const auto end = std::mismatch(other.begin(), other.end(), shared.begin()).first;
    shared = shared.substr(0, static_cast<size_t>(end - other.begin()));
  }
  return shared.size();
}

uint64_t SortBuffer::Sort() {
  const size_t shared = SharedPrefixBytes();
  for (Ref& ref : refs_) ref.window = SortWindow(KeyOf(Record(ref)).substr(shared));
  std::sort(refs_.begin(), refs_.end(), [this](const Ref& a, const Ref& b) {
    if (a.window != b.window) return a.window < b.window;
    const int order = KeyOf(Record(a)).compare(KeyOf(Record(b)));
    return order != 0 ? order < 0 : a.place < b.place;
  });
  size_t kept = 0;
  const bool first_wins = SEERDB_MUTANT("sort-keeps-first-duplicate");
  for (size_t i = 0; i < refs_.size(); ++i) {
    const bool again = kept > 0 && refs_[i].window == refs_[kept - 1].window && key(i) == key(kept - 1);
    if (again && first_wins) continue;
    refs_[again ? kept - 1 : kept++] = refs_[i];
  }
  const uint64_t dropped = refs_.size() - kept;
  refs_.resize(kept);
  return dropped;
}

void SortBuffer::Clear() {
  std::vector<Ref>().swap(refs_);
  std::vector<std::unique_ptr<char[]>>().swap(blocks_);
  block_bytes_ = 0;
  capacity_ = 0;
  used_ = 0;
}

}  // namespace seerdb
