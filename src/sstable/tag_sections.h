// TagSectionBuilder: cuts the keys of a table into sections and fits a model to the ranks of each.
//
// A section strips the prefix that its keys share and takes windows behind it, so keys of one tenant, one
// day or one directory are told apart by what differs within it. Keys are held for one section at a time.
// Where a model misses a key by more than the index can search, the section is cut where neighbours share
// least; what is left after that is no index (performance: "segments that each strip their own prefix").
// Every key is looked up in the model that was made for it before it is believed: a window that many keys
// share would hide some of them (the fault of ALEX over the first eight bytes of keys).
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/output_buffer.h"
#include "learned/key_projection.h"
#include "learned/pla_model.h"
#include "seerdb/slice.h"

namespace seerdb {

// The ranks from one key on. Older versions of its last key may lie between it and the next section.
struct TagSection {
  uint32_t first_rank = 0;
  uint32_t end_rank = 0;
  std::string separator;  // last key before < separator <= first key; empty in the first section
  std::string prefix;     // all keys begin with it
  KeyProjection::Kind projection = KeyProjection::Kind::kBytes;
  // Of a model of ranks from first_rank on, and its error over every key's newest version.
  std::vector<PlaSegment> segments;
  uint32_t error = 0;
};

class TagSectionBuilder {
 public:
  // The furthest that a key may lie from where its model puts it.
  static constexpr uint32_t kMaxError = 17;
  // What sections may take, on average, to be no larger than filter and tags in blocks.
  static constexpr uint64_t kUsualBitsPerKey = 4;

  // `shared_prefix`: what all keys will begin with, as far as is known. Sections that strip no more than this
  // become one. `bits_per_key`: what sections may take, on average.
  TagSectionBuilder(Slice shared_prefix, uint64_t bits_per_key)
      : bits_per_key_(bits_per_key), shared_prefix_(shared_prefix) {}

  // The newest entry of a key, which has `shared_bytes` in common with the key before, is entry `rank` of the
  // table. Keys and ranks ascend.
  void Add(Slice key, size_t shared_bytes, uint32_t rank);
  // Fits what is held. `ranks`: of the table so far.
  void Close(uint32_t ranks);

  // False once the keys turned out to be none for this index: too few to a piece of a model.
  bool fits() const { return fits_; }
  const std::vector<TagSection>& sections() const { return sections_; }
  // Of the sections when encoded.
  uint64_t encoded_bytes() const { return encoded_bytes_; }
  uint64_t memory_bytes() const { return held_.size() + entries_.size() * sizeof(Entry) + encoded_bytes_; }

 private:
  struct Entry {
    uint32_t begin;  // in held_
    uint32_t rank;
    uint16_t bytes;
    uint16_t shared_bytes;  // with the key before
  };

  Slice Key(size_t i) const { return held_.bytes().substr(entries_[i].begin, entries_[i].bytes); }
  // Fits [begin, end) of what is held, whose last rank is before `end_rank`; in parts if one model will not
  // do.
  void Fit(size_t begin, size_t end, uint32_t end_rank);
  bool FitWhole(size_t begin, size_t end, uint32_t end_rank);
  // Behind a prefix of so many bytes, with `most_segments`.
  bool FitBehind(size_t prefix_bytes, size_t most_segments, size_t begin, size_t end, uint32_t end_rank);
  // Adds a section of [begin, end) to the last one, if it goes on where that ends.
  bool Unite(const TagSection& section, size_t begin);
  // Fills windows_ with those of [begin, end), behind a prefix of so many bytes.
  KeyProjection::Kind TakeWindows(size_t begin, size_t end, size_t prefix_bytes);
  // What `model`, of ranks from first_rank on, is off for those of [begin, end), so that each lies before its
  // upper bound too.
  uint32_t MeasureError(const PlaModel& model, size_t begin, size_t end, uint32_t first_rank) const;
  // Where to cut [begin, end).
  size_t WeakestBoundary(size_t begin, size_t end) const;
  bool WithinBudget() const;

  uint64_t bits_per_key_;
  std::string shared_prefix_;  // given up, and empty, when the first keys were not told apart behind it
  OutputBuffer held_;
  std::vector<Entry> entries_;
  std::vector<uint64_t> windows_;
  std::vector<TagSection> sections_;
  uint64_t last_window_ = 0;  // of the last section
  uint32_t cuts_ = 0;         // of what is held
  uint64_t fitted_keys_ = 0;
  uint64_t encoded_bytes_ = 0;
  bool fits_ = true;
};

}  // namespace seerdb
