// KeyspaceRecord: what the manifest knows about one keyspace. Plain values; immutable once in a state.
//
// Format: docs/format/manifest.md. The default keyspace, 0, is always there and has a record only where
// something of it is to be kept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace seerdb {

struct KeyspaceRecord {
  // In the place of a compression: as Options::compression.
  static constexpr uint8_t kCompressionByOptions = 255;

  uint32_t id = 0;
  std::string name;
  uint8_t compression = kCompressionByOptions;  // CompressionType
  std::string merge_operator;                   // its name; empty: none
  uint64_t default_ttl_us = 0;                  // 0: none
  uint64_t separation_bytes = 0;                // of values kept apart from their keys; 0: by options

  friend bool operator==(const KeyspaceRecord&, const KeyspaceRecord&) = default;
};

using KeyspaceRecordPtr = std::shared_ptr<const KeyspaceRecord>;

}  // namespace seerdb
