// MergeOperator: how DB::Merge changes a value without reading it.
//
// A merge stores an operand. What the key's value then is, is worked out when it is read, flushed or
// compacted: the value before, or none, and the operands behind it, oldest first, go through FullMerge.
// Merging n times costs n writes of an operand, not n reads and writes of the value.
//
//   options.merge_operator = U64Add();
//   db->Merge("page/42", U64Operand(1));
//
// An operator belongs to a keyspace for good: its name is kept in the manifest, and another one is refused.
// Those below are found again by their names; others are given at each open (Options::merge_operator,
// Options::merge_operators). While one is missing, its operands are kept as they are, and reads that meet
// them fail with kInvalidArgument/kMergeFailed.
// Thread safety: all methods concurrently, also from threads of the engine; they must not call the database.
// They must be pure: the same input gives the same output, in every life, or reads disagree.
// Source of the idea: RocksDB's merge operators; names follow the Rust crate seerdb.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "seerdb/export.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

inline constexpr size_t kMaxMergeOperatorNameBytes = 255;

class SEERDB_EXPORT MergeOperator {
 public:
  virtual ~MergeOperator();
  // 1 .. kMaxMergeOperatorNameBytes. What its operands mean must not change under one name. Names that begin
  // with "seerdb." are those of the operators below.
  virtual std::string Name() const = 0;
  // Sets `value` to what `key` has after the operands (at least one, oldest first) on top of `existing`
  // (nullopt: the key had no value). False: they do not fit, for example because one is malformed; a read
  // then fails with kMergeFailed, and operands and value stay as they are until a Put or Delete covers them.
  virtual bool FullMerge(Slice key, std::optional<Slice> existing, std::span<const Slice> operands,
                         std::string* value) const = 0;
  // Sets `combined` to one operand that does what the operands (at least two, oldest first) do one after
  // another, whatever lies below. False: it cannot; then they are kept side by side.
  virtual bool PartialMerge(Slice key, std::span<const Slice> operands, std::string* combined) const;

 protected:
  MergeOperator() = default;
  MergeOperator(const MergeOperator&) = delete;
  MergeOperator& operator=(const MergeOperator&) = delete;
};

// Values and operands are 8 bytes, little-endian (U64Operand). A sum wraps at 2^64. Any other length does not
// fit. A key without a value has 0 for Add, and takes the operand for Max and Min.
SEERDB_EXPORT std::shared_ptr<const MergeOperator> U64Add();
SEERDB_EXPORT std::shared_ptr<const MergeOperator> U64Max();
SEERDB_EXPORT std::shared_ptr<const MergeOperator> U64Min();
SEERDB_EXPORT std::string U64Operand(uint64_t number);
// The number of a value; kCorruption if it has not 8 bytes.
SEERDB_EXPORT Result<uint64_t> U64Value(Slice value);

// Joins value and operands, with `delimiter` between any two. Any bytes.
SEERDB_EXPORT std::shared_ptr<const MergeOperator> StringAppend(std::string delimiter = ",");

// A list of byte strings: a value, and an operand, is a sequence of items. An operand may have many.
SEERDB_EXPORT std::shared_ptr<const MergeOperator> ListAppend();
SEERDB_EXPORT void AppendListItem(std::string* list, Slice item);
// The items of a value; kCorruption if it is malformed. They point into it.
SEERDB_EXPORT Result<std::vector<Slice>> ListItems(Slice value);

// The operator of this file with that name; null if there is none.
SEERDB_EXPORT std::shared_ptr<const MergeOperator> MergeOperatorByName(Slice name);

}  // namespace seerdb
