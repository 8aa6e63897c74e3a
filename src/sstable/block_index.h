// BlockIndex: which data block a key belongs to; BlockIndexBuilder writes it.
//
// One separator a block: last entry of the block before < separator <= first entry of the block. Separators
// are key prefixes as short as that allows; where a key's versions span the boundary, the separator is that
// key with the trailer of the block's first entry, and the block *continues* the key. Lookup compares
// 8-byte windows in a model's bracket and, where windows tie, keys (their lengths, if windows tell the rest):
// the answer is exact, whichever kind of model it is, and without one. Format: docs/format/table.md, "Index".
// Thread safety: builder: external synchronization; index: immutable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/coding.h"
#include "format/internal_key.h"
#include "learned/index_model.h"
#include "learned/key_projection.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

struct BlockPlace {
  uint64_t offset = 0;
  uint64_t bytes = 0;  // stored bytes, without the trailer
};

// Where a key may be, without a look at the index itself.
struct BlockGuess {
  KeyProjection::Side side = KeyProjection::Side::kBefore;
  bool has_range = false;
  uint64_t window = 0;  // if it is within
  ApproxRange range;    // if there is one
};

class BlockIndexBuilder {
 public:
  explicit BlockIndexBuilder(ModelKind model = ModelKind::kPla) : model_kind_(model) {}

  // A block at `offset` starts with (key, trailer); `last_key` ended the block before (empty for the first).
  void AddBlock(uint64_t offset, Slice last_key, Slice key, uint64_t trailer);
  uint32_t blocks() const { return static_cast<uint32_t>(offsets_.size()); }
  size_t bytes() const { return blob_.size() + offsets_.size() * 24; }
  // Encodes the index. `smallest` and `largest` key bound the table, `data_end` is where its blocks end.
  std::string Finish(Slice smallest, Slice largest, uint64_t data_end);
  // After Finish.
  const IndexModel& model() const { return model_; }

 private:
  struct Separator {
    uint64_t begin;  // in blob_
    bool continues;
  };
  // A separator with, and without, its trailer.
  Slice Stored(size_t block) const;
  Slice Key(size_t block) const;
  KeyProjection ChooseProjection(Slice prefix) const;
  // Whether windows and lengths say what the separators are.
  bool WindowsTell(const KeyProjection& projection) const;
  void AppendLengths(size_t prefix_bytes, size_t window_bytes, std::string* out) const;
  void AppendSeparators(size_t prefix_bytes, std::string* out) const;

  const ModelKind model_kind_;
  std::string blob_;
  std::vector<Separator> separators_;
  std::vector<uint64_t> offsets_;
  IndexModel model_;
};

class BlockIndex {
 public:
  BlockIndex() = default;
  // Borrows `bytes`. `data_limit` is where data blocks must have ended. kCorruption when they are no index.
  static Result<BlockIndex> Decode(Slice bytes, uint64_t data_limit);
  void set_model(IndexModel model) { model_ = std::move(model); }
  const IndexModel& model() const { return model_; }
  // What a model is of: of each separator.
  std::vector<uint64_t> Windows() const;

  uint32_t blocks() const { return blocks_; }
  BlockPlace Place(uint32_t block) const {
    const uint64_t begin = Column(offsets_, wide_offsets_, block);
    const uint64_t end = Column(offsets_, wide_offsets_, block + 1);
    return {begin, end - begin - kTrailer};
  }
  uint64_t data_end() const { return Column(offsets_, wide_offsets_, blocks_); }

  // The last block whose separator is at or before (key, trailer), or block 0: the only block, but for the
  // next one's first entry, that can hold the first entry at or after (key, trailer).
  uint32_t Find(Slice key, uint64_t trailer, bool* by_model) const {
    return Find(GuessOf(key), key, trailer, by_model);
  }
  // In steps: what can be computed of the key, the start of loading what a search from there looks at, and
  // the search.
  BlockGuess GuessOf(Slice key) const;
  void Prefetch(const BlockGuess& guess) const;
  uint32_t Find(const BlockGuess& guess, Slice key, uint64_t trailer, bool* by_model) const;
  // Whether Find gives `block`; where windows tell, without a search.
  bool FindsIn(uint32_t block, Slice key, uint64_t trailer) const;
  // Whether `block` (> 0) starts with a version of the key that ended the block before, and that is `key`.
  bool Continues(uint32_t block, Slice key) const {
    if (windows_tell_) return false;
    const uint64_t word = Column(keys_, wide_keys_, block);
    return (word & ContinuesBit()) != 0 && KeyIs(block, key);
  }

 private:
  static constexpr uint64_t kTrailer = 5;

  static uint64_t Column(const char* column, bool wide, uint64_t i) {
    return wide ? LoadU64(column + i * 8) : LoadU32(column + i * 4);
  }
  uint64_t ContinuesBit() const { return wide_keys_ ? uint64_t{1} << 63 : uint64_t{1} << 31; }
  uint64_t KeyBegin(uint32_t block) const { return Column(keys_, wide_keys_, block) & ~ContinuesBit(); }
  // Room for a separator that its window tells.
  struct Room {
    char bytes[KeyProjection::WindowBytes(KeyProjection::Kind::kDecimal)];
  };
  // Separator without the common prefix, and its trailer.
  Slice SeparatorKey(uint32_t block, Room* room, uint64_t* trailer) const;
  bool KeyIs(uint32_t block, Slice key) const;
  const char* CheckOffsets(uint64_t data_limit) const;
  const char* CheckSeparators(uint64_t blob_bytes) const;
  const char* CheckLengths(uint64_t blob_bytes) const;

  uint32_t blocks_ = 0;
  bool wide_offsets_ = false;
  bool wide_keys_ = false;
  bool windows_tell_ = false;  // what the separators are but for their lengths, which are the column keys_
  KeyProjection projection_;
  const char* windows_ = nullptr;
  const char* offsets_ = nullptr;
  const char* keys_ = nullptr;
  const char* blob_ = nullptr;
  IndexModel model_;
};

}  // namespace seerdb
