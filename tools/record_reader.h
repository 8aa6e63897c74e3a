// RecordReader: turns TSV, CSV or length-prefixed input into keys and values. Format: docs/cli/load.md.
//
// A malformed record of a text format is an answer (kMalformed), after which reading goes on behind it; in
// the length-prefixed format nothing behind a wrong length can be found again, so it is an error.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "input.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb::cli {

enum class RecordFormat : unsigned char { kTsv, kCsv, kLengthPrefixed };

class RecordReader {
 public:
  enum class Outcome : unsigned char { kRecord, kMalformed, kEnd };

  // Columns are 1-based numbers, or, with `header`, names found in the first line.
  struct Columns {
    std::string key = "1";
    std::string value = "2";
    bool header = false;
  };

  // `input` is borrowed and outlives the reader. kInvalidArgument for a column that does not exist.
  static Result<std::unique_ptr<RecordReader>> New(RecordFormat format, const Columns& columns, Input* input);
  virtual ~RecordReader() = default;

  virtual Result<Outcome> Next() = 0;

  // Of the last kRecord; valid until the next call of Next().
  Slice key() const { return key_; }
  Slice value() const { return value_; }
  // What is wrong with the last kMalformed.
  const std::string& problem() const { return problem_; }
  // Where the last record began: "NAME line 12", or "NAME record 3 @85".
  virtual std::string Position() const = 0;

 protected:
  RecordReader() = default;
  // kRecord, or kMalformed if the present key or value is longer than the engine takes.
  Outcome CheckSizes();

  Slice key_;
  Slice value_;
  std::string problem_;
};

}  // namespace seerdb::cli
