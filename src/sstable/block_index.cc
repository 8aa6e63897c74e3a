#include "sstable/block_index.h"

#include <algorithm>

#include "base/prefetch.h"
#include "learned/bracket_search.h"
#include "sstable/table_format.h"

namespace seerdb {
namespace {

constexpr size_t kHeaderBytes = 16;
constexpr uint32_t kWideOffsets = 1;
constexpr uint32_t kWideKeys = 2;
constexpr uint32_t kWindowsTell = 4;
constexpr size_t kTrailerBytes = 8;

}  // namespace

Result<BlockIndex> BlockIndex::Decode(Slice bytes, uint64_t data_limit) {
  static_assert(kTrailer == kBlockTrailerBytes);
  const auto bad = [](const char* what) { return Status::Corruption(std::string("index: ") + what); };
  if (bytes.size() < kHeaderBytes) return bad("shorter than its header");
  BlockIndex index;
  index.blocks_ = LoadU32(bytes.data());
  const uint32_t flags = LoadU32(bytes.data() + 4);
  const uint64_t prefix_bytes = LoadU32(bytes.data() + 8);
  const uint32_t kind = LoadU32(bytes.data() + 12);
  if (kind > KeyProjection::kMaxKind) return Status::NotSupported("index: unknown projection of keys");
  if (index.blocks_ == 0 || (flags & ~(kWideOffsets | kWideKeys | kWindowsTell)) != 0)
    return bad("header out of range");
  index.wide_offsets_ = (flags & kWideOffsets) != 0;
  index.wide_keys_ = (flags & kWideKeys) != 0;
  index.windows_tell_ = (flags & kWindowsTell) != 0;
  const uint64_t blocks = index.blocks_;
  const uint64_t offsets_at = kHeaderBytes + blocks * 8;
  const uint64_t keys_at = offsets_at + (blocks + 1) * (index.wide_offsets_ ? 8 : 4);
  const uint64_t keys_bytes = index.windows_tell_ ? blocks : (blocks + 1) * (index.wide_keys_ ? 8 : 4);
  const uint64_t prefix_at = keys_at + keys_bytes;
  const uint64_t blob_at = prefix_at + prefix_bytes;
  if (blob_at > bytes.size()) return bad("columns exceed its size");
  index.windows_ = bytes.data() + kHeaderBytes;
  index.offsets_ = bytes.data() + offsets_at;
  index.keys_ = bytes.data() + keys_at;
  index.projection_ =
      KeyProjection(bytes.substr(prefix_at, prefix_bytes), static_cast<KeyProjection::Kind>(kind));
  index.blob_ = bytes.data() + blob_at;
  const uint64_t blob_bytes = bytes.size() - blob_at;
  const char* error = index.CheckOffsets(data_limit);
  if (error == nullptr)
    error = index.windows_tell_ ? index.CheckLengths(blob_bytes) : index.CheckSeparators(blob_bytes);
  if (error != nullptr) return bad(error);
  return index;
}

std::vector<uint64_t> BlockIndex::Windows() const {
  std::vector<uint64_t> windows(blocks_);
  for (size_t i = 0; i < windows.size(); ++i) windows[i] = LoadU64(windows_ + i * 8);
  return windows;
}

const char* BlockIndex::CheckOffsets(uint64_t data_limit) const {
  if (Column(offsets_, wide_offsets_, 0) != 0) return "first block is not at 0";
  if (data_end() > data_limit) return "blocks run into the meta blocks";
  for (uint32_t i = 0; i < blocks_; ++i) {
    const uint64_t begin = Column(offsets_, wide_offsets_, i);
    const uint64_t end = Column(offsets_, wide_offsets_, i + 1);
    if (end <= begin || end - begin <= kTrailer) return "block offsets do not ascend";
    if (i > 0 && LoadU64(windows_ + size_t{i} * 8) < LoadU64(windows_ + size_t{i - 1} * 8)) {
      return "windows do not ascend";
    }
  }
  return nullptr;
}

const char* BlockIndex::CheckLengths(uint64_t blob_bytes) const {
  if (blob_bytes != 0) return "bytes behind its prefix";
  const KeyProjection::Kind kind = projection_.kind();
  for (uint32_t i = 0; i < blocks_; ++i) {
    const auto length = static_cast<unsigned char>(keys_[i]);
    if (length > KeyProjection::WindowBytes(kind) ||
        !KeyProjection::IsWindowOf(kind, LoadU64(windows_ + size_t{i} * 8), length)) {
      return "a window is no separator";
    }
  }
  return nullptr;
}

const char* BlockIndex::CheckSeparators(uint64_t blob_bytes) const {
  if (KeyBegin(0) != 0 || KeyBegin(blocks_) != blob_bytes) return "separators do not fill their place";
  for (uint32_t i = 0; i < blocks_; ++i) {
    const uint64_t key_begin = KeyBegin(i);
    const uint64_t key_end = KeyBegin(i + 1);
    const bool continues = (Column(keys_, wide_keys_, i) & ContinuesBit()) != 0;
    if (key_end < key_begin || key_end > blob_bytes) return "separator offsets do not ascend";
    if (continues && key_end - key_begin < kTrailerBytes) return "separator is too short for its trailer";
  }
  return nullptr;
}

Slice BlockIndex::SeparatorKey(uint32_t block, Room* room, uint64_t* trailer) const {
  if (windows_tell_) {
    const auto bytes = static_cast<unsigned char>(keys_[block]);
    KeyProjection::SuffixOfWindow(projection_.kind(), LoadU64(windows_ + size_t{block} * 8), bytes,
                                  room->bytes);
    *trailer = kFirstTrailer;
    return Slice(room->bytes, bytes);
  }
  const uint64_t word = Column(keys_, wide_keys_, block);
  const uint64_t begin = word & ~ContinuesBit();
  uint64_t bytes = KeyBegin(block + 1) - begin;
  *trailer = kFirstTrailer;
  if ((word & ContinuesBit()) != 0) {
    bytes -= kTrailerBytes;
    *trailer = LoadU64(blob_ + begin + bytes);
  }
  return Slice(blob_ + begin, bytes);
}

bool BlockIndex::KeyIs(uint32_t block, Slice key) const {
  Room room;
  uint64_t trailer = 0;
  const Slice separator = SeparatorKey(block, &room, &trailer);
  const Slice prefix = projection_.prefix();
  return key.size() == prefix.size() + separator.size() && key.starts_with(prefix) &&
         key.ends_with(separator);
}

bool BlockIndex::FindsIn(uint32_t block, Slice key, uint64_t trailer) const {
  const auto window_of = [&](uint32_t i) { return LoadU64(windows_ + size_t{i} * 8); };
  if (projection_.SideOf(key) == KeyProjection::Side::kWithin) {
    const uint64_t window = projection_.WindowWithin(key);
    const bool behind = block == 0 || window_of(block) < window;
    const bool before = block + 1 == blocks_ || window < window_of(block + 1);
    if (behind && before) return true;
  }
  bool by_model = false;
  return Find(key, trailer, &by_model) == block;
}

BlockGuess BlockIndex::GuessOf(Slice key) const {
  BlockGuess guess;
  guess.side = projection_.SideOf(key);
  if (guess.side != KeyProjection::Side::kWithin) return guess;
  guess.window = projection_.WindowWithin(key);
  guess.has_range = model_.IsOf(blocks_);
  if (guess.has_range) guess.range = model_.Find(guess.window);
  return guess;
}

void BlockIndex::Prefetch(const BlockGuess& guess) const {
  // Of a bracket that is wider than this, the middle: halving it waits for each line anyway.
  constexpr uint32_t kMostRanks = 16;
  constexpr uint32_t kLineRanks = 8;
  if (!guess.has_range) return;
  const ApproxRange& range = guess.range;
  const uint32_t lo = std::max(range.lo, range.pos > kMostRanks / 2 ? range.pos - kMostRanks / 2 : 0);
  const uint32_t hi = std::min(range.hi, range.pos + kMostRanks / 2);
  for (uint32_t i = lo; i < hi; i += kLineRanks) PrefetchLine(windows_ + uint64_t{i} * 8);
  PrefetchLine(windows_ + uint64_t{hi} * 8);
  PrefetchLine(offsets_ + uint64_t{range.pos} * (wide_offsets_ ? 8 : 4));
}

uint32_t BlockIndex::Find(const BlockGuess& guess, Slice key, uint64_t trailer, bool* by_model) const {
  if (guess.side != KeyProjection::Side::kWithin) {
    *by_model = true;
    return guess.side == KeyProjection::Side::kBefore ? 0 : blocks_ - 1;
  }
  const Slice suffix = projection_.Suffix(key);
  const char* const windows = windows_;
  const BracketResult found = BracketSearch(
      guess.has_range ? &guess.range : nullptr, blocks_, guess.window,
      [windows](size_t i) { return LoadU64(windows + i * 8); },
      [&](size_t i) {
        // Both are beginnings of one padded window: the shorter comes first, and a separator as long as the
        // key's rest, whose trailer is kFirstTrailer, not behind it.
        if (windows_tell_ && projection_.TellsWithin(key)) {
          return static_cast<unsigned char>(keys_[i]) <= suffix.size();
        }
        Room room;
        uint64_t separator_trailer = 0;
        const Slice separator = SeparatorKey(static_cast<uint32_t>(i), &room, &separator_trailer);
        return CompareInternal(separator, separator_trailer, suffix, trailer) <= 0;
      });
  *by_model = found.bracketed;
  return found.rank == 0 ? 0 : static_cast<uint32_t>(found.rank - 1);
}

}  // namespace seerdb
