#include "csv_record.h"

#include <algorithm>

#include "base/status_macros.h"
#include "seerdb/types.h"

namespace seerdb::cli {
namespace {

constexpr int kEndOfInput = -1;
constexpr uint64_t kMaxRecordBytes = 2 * (kMaxKeyBytes + kMaxValueBytes);

}  // namespace

Result<CsvRecord::Outcome> CsvRecord::Parse(Input* input) {
  position_ = 0;
  text_.clear();
  field_ends_.clear();
  problem_.clear();
  bytes_ = 0;
  lines_ = 0;
  SEERDB_ASSIGN_OR_RETURN(int next, Peek(input));
  if (next == kEndOfInput) return Outcome::kEnd;
  while (true) {
    SEERDB_ASSIGN_OR_RETURN(next, Peek(input));
    SEERDB_RETURN_IF_ERROR(next == '"' ? ParseQuotedField(input) : ParseField(input));
    if (!problem_.empty()) return Malformed(input);
    field_ends_.push_back(text_.size());
    SEERDB_ASSIGN_OR_RETURN(next, Peek(input));
    if (next != ',') break;
    ++position_;
  }
  SEERDB_RETURN_IF_ERROR(SkipLineEnd(input).status());
  fields_.clear();
  size_t begin = 0;
  for (const size_t end : field_ends_) {
    fields_.push_back(Slice(text_).substr(begin, end - begin));
    begin = end;
  }
  bytes_ = position_;
  const Slice record = input->buffered().substr(0, bytes_);
  lines_ = static_cast<uint64_t>(std::count(record.begin(), record.end(), '\n'));
  return Outcome::kRecord;
}

Result<int> CsvRecord::Peek(Input* input) {
  if (position_ < input->buffered().size()) [[likely]] {
    return static_cast<int>(static_cast<unsigned char>(input->buffered()[position_]));
  }
  if (position_ > kMaxRecordBytes) {
    return Status::InvalidArgument("read " + input->name() + " @" + std::to_string(input->offset()) +
                                   ": found a record of more than " + std::to_string(kMaxRecordBytes) +
                                   " bytes, expected its end");
  }
  SEERDB_ASSIGN_OR_RETURN(const bool more, input->Fill());
  if (!more) return kEndOfInput;
  return static_cast<int>(static_cast<unsigned char>(input->buffered()[position_]));
}

void CsvRecord::TakeUntil(const Input& input, const char* stops) {
  const Slice bytes = input.buffered();
  const size_t end = std::min(bytes.find_first_of(stops, position_), bytes.size());
  text_.append(bytes.substr(position_, end - position_));
  position_ = end;
}

Status CsvRecord::ParseField(Input* input) {
  while (true) {
    SEERDB_ASSIGN_OR_RETURN(const int next, Peek(input));
    if (next == kEndOfInput || next == ',' || next == '\n') break;
    if (next == '"') {
      problem_ = "found a quote inside a field that does not begin with one, expected none";
      return Status::Ok();
    }
    TakeUntil(*input, ",\"\n");
  }
  // A carriage return belongs to the line end only where a line feed follows.
  const size_t begin = field_ends_.empty() ? 0 : field_ends_.back();
  SEERDB_ASSIGN_OR_RETURN(const int end, Peek(input));
  if (end == '\n' && text_.size() > begin && text_.back() == '\r') {
    text_.pop_back();
    --position_;
  }
  return Status::Ok();
}

Status CsvRecord::ParseQuotedField(Input* input) {
  ++position_;
  while (true) {
    SEERDB_ASSIGN_OR_RETURN(int next, Peek(input));
    if (next == kEndOfInput) {
      problem_ = "found the end of the input, expected a closing quote";
      return Status::Ok();
    }
    if (next != '"') {
      TakeUntil(*input, "\"");
      continue;
    }
    ++position_;
    SEERDB_ASSIGN_OR_RETURN(next, Peek(input));
    if (next != '"') break;
    text_.push_back('"');
    ++position_;
  }
  const size_t after_quote = position_;
  SEERDB_ASSIGN_OR_RETURN(const int next, Peek(input));
  if (next == ',' || next == kEndOfInput) return Status::Ok();
  SEERDB_ASSIGN_OR_RETURN(const bool line_end, SkipLineEnd(input));
  position_ = after_quote;
  if (!line_end) problem_ = "found text behind a closing quote, expected a comma or the end of the line";
  return Status::Ok();
}

Result<bool> CsvRecord::SkipLineEnd(Input* input) {
  const size_t start = position_;
  SEERDB_ASSIGN_OR_RETURN(int next, Peek(input));
  if (next == '\r') {
    ++position_;
    SEERDB_ASSIGN_OR_RETURN(next, Peek(input));
  }
  if (next == '\n') {
    ++position_;
    return true;
  }
  position_ = start;
  return false;
}

Result<CsvRecord::Outcome> CsvRecord::Malformed(Input* input) {
  position_ = 0;
  while (true) {
    const size_t end = input->buffered().find('\n', position_);
    if (end != Slice::npos) {
      bytes_ = end + 1;
      lines_ = 1;
      return Outcome::kMalformed;
    }
    position_ = input->buffered().size();
    SEERDB_ASSIGN_OR_RETURN(const int next, Peek(input));
    if (next == kEndOfInput) break;
  }
  bytes_ = input->buffered().size();
  return Outcome::kMalformed;
}

}  // namespace seerdb::cli
