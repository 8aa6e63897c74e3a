// TableProperties: what a table says about itself; stored in it, checked against the manifest.
#pragma once

#include <cstdint>
#include <string>

#include "format/value_pointer.h"
#include "learned/model_kind.h"
#include "seerdb/options.h"
#include "seerdb/types.h"

namespace seerdb {

// What says whether and where a table has a key, and why. Persistent.
enum class LookupKind : uint8_t {
  kUntold = 0,        // filter and tags in blocks; of tables that do not say why
  kTagIndex = 1,      // a learned index over all keys
  kFewKeys = 2,       // filter and tags, as in the others: too few keys for a model to pay
  kUnlearnable = 3,   // models of the keys' windows would be larger than filter and tags, or cannot be fitted
  kPrefixes = 4,      // the filter answers for prefixes too
  kNoFilter = 5,      // tags in blocks alone: bloom_bits_per_key is 0
  kNotAsked = 6,      // learned_index_min_keys is 0, or index_kind asks for a model of blocks
  kFinerFilter = 7,   // bloom_bits_per_key asks for fewer false answers than tags give
  kMostlyAbsent = 8,  // a newer run: a filter turns away sooner what most lookups ask in vain
};
inline constexpr uint64_t kMaxLookupKind = 8;

struct TableProperties {
  uint64_t table_number = 0;
  uint64_t file_bytes = 0;  // of the whole file; not stored, filled by builder and reader
  uint64_t entries = 0;
  uint64_t tombstones = 0;
  uint64_t keys = 0;  // distinct; the other entries are older versions of one of them
  uint64_t data_blocks = 0;
  uint64_t data_bytes = 0;  // stored bytes of data blocks
  uint64_t raw_key_bytes = 0;
  uint64_t raw_value_bytes = 0;
  std::string smallest_key;  // engine keys
  std::string largest_key;
  // Not stored with the others: the sequence of every entry, where the entries were written before it was
  // known and are stored with 0; 0 in other tables.
  SequenceNumber global_sequence = 0;
  SequenceNumber smallest_sequence = 0;  // global_sequence taken into account
  SequenceNumber largest_sequence = 0;
  CompressionType compression = CompressionType::kNone;
  // The block index: the kind of its model, its segments or knots, its proven error in blocks, and its share
  // of the file.
  ModelKind block_model = ModelKind::kNone;  // not stored: the meta blocks tell
  uint64_t index_bytes = 0;                  // with models, and a tag index
  uint64_t filter_bytes = 0;
  uint64_t prefix_filter_bytes = 0;  // of the prefixes that the filter holds; 0: none
  // What finds entries within data blocks, before compression: tags and offsets. 0 in tables that do not
  // tell.
  uint64_t column_bytes = 0;
  uint64_t model_segments = 0;
  uint64_t model_max_error = 0;
  LookupKind lookup = LookupKind::kUntold;
  uint64_t tag_index_bytes = 0;     // 0 where there is none
  uint64_t tag_index_segments = 0;  // of its models
  // When the last of its values and operands expires, in microseconds since 1970; 0 if one never does, or
  // there is none. Not stored: only what has just been built knows.
  uint64_t expires_us = 0;
  // What its entries point to.
  ValueBytesList values;
  // Of the distinct keys (base/key_sketch.h), if it takes little beside the data; else empty.
  std::string key_sketch;
};

// A key sketch is stored if the data is at least this many times as long.
inline constexpr uint64_t kLeastDataPerSketch = 64;

}  // namespace seerdb
