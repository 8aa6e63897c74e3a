#include "record_reader.h"

#include <utility>

#include "base/coding.h"
#include "base/status_macros.h"
#include "csv_record.h"
#include "seerdb/types.h"

namespace seerdb::cli {
namespace {

using Outcome = RecordReader::Outcome;

// A column's 0-based index if `text` is a number from 1 on; false otherwise.
bool ParseColumnNumber(const std::string& text, size_t* index) {
  if (text.empty() || text.size() > 6 || text.find_first_not_of("0123456789") != std::string::npos) {
    return false;
  }
  const auto number = static_cast<size_t>(std::stoul(text));
  if (number == 0) return false;
  *index = number - 1;
  return true;
}

Result<size_t> FindColumn(const std::string& column, const std::vector<Slice>* header) {
  size_t index = 0;
  if (header != nullptr) {
    for (size_t i = 0; i < header->size(); ++i) {
      if ((*header)[i] == column) return i;
    }
  }
  if (ParseColumnNumber(column, &index) && (header == nullptr || index < header->size())) return index;
  return Status::InvalidArgument(
      "load: found column \"" + column + "\", expected " +
      (header == nullptr ? std::string("a number from 1 (names need --header)")
                         : "one of the " + std::to_string(header->size()) + " columns of the header"));
}

// What the two text formats share: columns are found by index, records start at a line.
class ColumnReader : public RecordReader {
 public:
  explicit ColumnReader(Input* input) : input_(input) {}

  Status Start(const Columns& columns) {
    if (columns.header) {
      SEERDB_ASSIGN_OR_RETURN(const Outcome outcome, ReadFields());
      if (outcome == Outcome::kMalformed) return Status::InvalidArgument(Position() + ": " + problem_);
      if (outcome == Outcome::kEnd) fields_.clear();
    }
    const std::vector<Slice>* header = columns.header ? &fields_ : nullptr;
    SEERDB_ASSIGN_OR_RETURN(key_column_, FindColumn(columns.key, header));
    SEERDB_ASSIGN_OR_RETURN(value_column_, FindColumn(columns.value, header));
    return Status::Ok();
  }

  Result<Outcome> Next() override {
    SEERDB_ASSIGN_OR_RETURN(const Outcome outcome, ReadFields());
    if (outcome != Outcome::kRecord) return outcome;
    const size_t needed = std::max(key_column_, value_column_) + 1;
    if (fields_.size() < needed) {
      problem_ =
          "found " + std::to_string(fields_.size()) + " columns, expected at least " + std::to_string(needed);
      return Outcome::kMalformed;
    }
    key_ = fields_[key_column_];
    value_ = fields_[value_column_];
    return CheckSizes();
  }

  std::string Position() const override { return input_->name() + " line " + std::to_string(line_); }

 protected:
  // Reads the next record into fields_; sets line_ to where it begins.
  virtual Result<Outcome> ReadFields() = 0;

  Input* const input_;
  std::vector<Slice> fields_;
  uint64_t line_ = 0;

 private:
  size_t key_column_ = 0;
  size_t value_column_ = 0;
};

class TsvReader : public ColumnReader {
 public:
  using ColumnReader::ColumnReader;

 protected:
  Result<Outcome> ReadFields() override {
    Slice line;
    SEERDB_ASSIGN_OR_RETURN(const bool more, input_->ReadLine(&line));
    if (!more) return Outcome::kEnd;
    ++line_;
    fields_.clear();
    while (true) {
      const size_t tab = line.find('\t');
      fields_.push_back(line.substr(0, tab));
      if (tab == Slice::npos) return Outcome::kRecord;
      line.remove_prefix(tab + 1);
    }
  }
};

class CsvReader : public ColumnReader {
 public:
  using ColumnReader::ColumnReader;

 protected:
  Result<Outcome> ReadFields() override {
    input_->Consume(record_.bytes());
    next_line_ += record_.lines();
    line_ = next_line_;
    SEERDB_ASSIGN_OR_RETURN(const CsvRecord::Outcome outcome, record_.Parse(input_));
    if (outcome == CsvRecord::Outcome::kEnd) return Outcome::kEnd;
    if (outcome == CsvRecord::Outcome::kMalformed) {
      problem_ = record_.problem();
      return Outcome::kMalformed;
    }
    fields_ = record_.fields();
    return Outcome::kRecord;
  }

 private:
  CsvRecord record_;
  uint64_t next_line_ = 1;
};

// u32 key bytes, key, u32 value bytes, value; numbers little-endian; records back to back.
class LengthPrefixedReader : public RecordReader {
 public:
  explicit LengthPrefixedReader(Input* input) : input_(input) {}

  Result<Outcome> Next() override {
    input_->Consume(record_bytes_);
    record_bytes_ = 0;
    ++number_;
    SEERDB_ASSIGN_OR_RETURN(const bool key_length, input_->FillTo(4));
    if (!key_length && input_->buffered().empty()) return Outcome::kEnd;
    SEERDB_ASSIGN_OR_RETURN(const uint64_t key_bytes, ReadLength(key_length, 0, kMaxKeyBytes, "key"));
    SEERDB_ASSIGN_OR_RETURN(const bool value_length, input_->FillTo(8 + key_bytes));
    SEERDB_ASSIGN_OR_RETURN(const uint64_t value_bytes,
                            ReadLength(value_length, 4 + key_bytes, kMaxValueBytes, "value"));
    SEERDB_ASSIGN_OR_RETURN(const bool whole, input_->FillTo(8 + key_bytes + value_bytes));
    if (!whole) return CutOff();
    key_ = input_->buffered().substr(4, key_bytes);
    value_ = input_->buffered().substr(8 + key_bytes, value_bytes);
    record_bytes_ = 8 + key_bytes + value_bytes;
    return Outcome::kRecord;
  }

  std::string Position() const override {
    return input_->name() + " record " + std::to_string(number_) + " @" + std::to_string(input_->offset());
  }

 private:
  Status CutOff() const {
    return Status::InvalidArgument(Position() + ": found the end of the input after " +
                                   std::to_string(input_->buffered().size()) +
                                   " bytes, expected the rest of the record");
  }

  Result<uint64_t> ReadLength(bool present, size_t at, uint64_t limit, const char* what) const {
    if (!present) return CutOff();
    const uint32_t length = LoadU32(input_->buffered().data() + at);
    if (length <= limit) return uint64_t{length};
    return Status::InvalidArgument(Position() + ": found a " + what + " of " + std::to_string(length) +
                                   " bytes, expected at most " + std::to_string(limit));
  }

  Input* const input_;
  uint64_t number_ = 0;
  size_t record_bytes_ = 0;
};

}  // namespace

RecordReader::Outcome RecordReader::CheckSizes() {
  if (key_.size() <= kMaxKeyBytes && value_.size() <= kMaxValueBytes) return Outcome::kRecord;
  const bool key = key_.size() > kMaxKeyBytes;
  problem_ = std::string("found a ") + (key ? "key" : "value") + " of " +
             std::to_string(key ? key_.size() : value_.size()) + " bytes, expected at most " +
             std::to_string(key ? kMaxKeyBytes : kMaxValueBytes);
  return Outcome::kMalformed;
}

Result<std::unique_ptr<RecordReader>> RecordReader::New(RecordFormat format, const Columns& columns,
                                                        Input* input) {
  if (format == RecordFormat::kLengthPrefixed) {
    return std::unique_ptr<RecordReader>(std::make_unique<LengthPrefixedReader>(input));
  }
  std::unique_ptr<ColumnReader> reader;
  if (format == RecordFormat::kCsv) {
    reader = std::make_unique<CsvReader>(input);
  } else {
    reader = std::make_unique<TsvReader>(input);
  }
  SEERDB_RETURN_IF_ERROR(reader->Start(columns));
  return std::unique_ptr<RecordReader>(std::move(reader));
}

}  // namespace seerdb::cli
