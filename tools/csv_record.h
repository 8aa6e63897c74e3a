// CsvRecord: one record of RFC 4180 text: fields between commas, ended by LF or CRLF; a field in double
// quotes may hold commas, line ends and doubled quotes.
//
// Parse leaves the record in the input; the caller consumes bytes() of it before the next Parse, and may
// use fields() until then. After kMalformed, bytes() covers the first line only, so that one wrong quote
// costs one line.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "input.h"
#include "seerdb/result.h"

namespace seerdb::cli {

class CsvRecord {
 public:
  enum class Outcome : unsigned char { kRecord, kMalformed, kEnd };

  Result<Outcome> Parse(Input* input);

  const std::vector<Slice>& fields() const { return fields_; }
  const std::string& problem() const { return problem_; }
  size_t bytes() const { return bytes_; }
  // Line ends within bytes().
  uint64_t lines() const { return lines_; }

 private:
  // The byte at position_, or kEndOfInput. May move the input's buffer.
  Result<int> Peek(Input* input);
  // Moves the buffered bytes in front of the first of `stops` to text_.
  void TakeUntil(const Input& input, const char* stops);
  // Appends one field to text_ and moves behind it, in front of a comma, a line end or the end of the
  // input. Sets problem_ if the field is malformed.
  Status ParseField(Input* input);
  Status ParseQuotedField(Input* input);
  // Moves behind a line end; true if there is one.
  Result<bool> SkipLineEnd(Input* input);
  Result<Outcome> Malformed(Input* input);

  size_t position_ = 0;             // in the input's buffered bytes
  std::string text_;                // of all fields, unquoted
  std::vector<size_t> field_ends_;  // in text_
  std::vector<Slice> fields_;
  std::string problem_;
  size_t bytes_ = 0;
  uint64_t lines_ = 0;
};

}  // namespace seerdb::cli
