// seerdb load: writes the records of a file or of standard input. Page: docs/cli/load.md.
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "cli.h"
#include "keyspace_argument.h"
#include "output.h"
#include "progress.h"
#include "record_reader.h"

namespace seerdb::cli {
namespace {

// As many records are given to a bulk load at a time.
constexpr size_t kMaxBulkRecords = 4096;
// A batch is written when it holds this much, however few records that are.
constexpr size_t kMaxBatchBytesPending = 8 * 1024 * 1024;

struct LoadArguments {
  DatabaseArguments database;
  std::string file;
  std::string keyspace;
  std::string format = "tsv";
  RecordReader::Columns columns;
  uint64_t batch_records = 1000;
  bool sync = false;
  bool bulk = false;
  bool sorted = false;
  bool skip_bad = false;
  bool stats = false;
};

class Loader {
 public:
  Loader(const LoadArguments& arguments, DB* db, const Keyspace& keyspace)
      : arguments_(arguments), db_(db), keyspace_(keyspace) {
    if (arguments.sync) write_options_ = WriteOptions::Sync();
  }

  Status Run(const Input& input, RecordReader* reader) {
    double seconds = 0;
    {
      Progress progress(input.total_bytes(), SystemClock(), StderrIsTerminal());
      const Status status = LoadAll(reader, input, &progress);
      // What stands in front of a malformed record is kept.
      SEERDB_RETURN_IF_ERROR(WriteBatchOut());
      if (!status.ok()) {
        return status.WithContext("load, after " + std::to_string(records_) + " records were stored");
      }
      SEERDB_RETURN_IF_ERROR(db_->Flush());
      seconds = progress.elapsed_s();
    }
    Print("loaded " + RateLine(records_, "records", bytes_, seconds) + "\n");
    if (bad_records_ > 0) Print("skipped " + std::to_string(bad_records_) + " malformed records\n");
    if (arguments_.stats) Print(db_->Stats().ToString());
    return Status::Ok();
  }

 private:
  Status LoadAll(RecordReader* reader, const Input& input, Progress* progress) {
    while (true) {
      SEERDB_ASSIGN_OR_RETURN(const auto outcome, reader->Next());
      if (outcome == RecordReader::Outcome::kEnd) return Status::Ok();
      if (outcome == RecordReader::Outcome::kMalformed) {
        SEERDB_RETURN_IF_ERROR(HandleMalformed(*reader));
        continue;
      }
      batch_.Put(keyspace_, reader->key(), reader->value());
      bytes_ += reader->key().size() + reader->value().size();
      if (batch_.size() < arguments_.batch_records && batch_.bytes() < kMaxBatchBytesPending) continue;
      SEERDB_RETURN_IF_ERROR(WriteBatchOut());
      progress->Update(records_, input.offset());
    }
  }

  Status HandleMalformed(const RecordReader& reader) {
    const std::string text = reader.Position() + ": " + reader.problem();
    if (!arguments_.skip_bad) return Status::InvalidArgument(text);
    ++bad_records_;
    return Status::Ok();
  }

  Status WriteBatchOut() {
    SEERDB_RETURN_IF_ERROR(db_->Write(write_options_, batch_));
    records_ += batch_.size();
    batch_.Clear();
    return Status::Ok();
  }

  const LoadArguments& arguments_;
  DB* const db_;
  const Keyspace& keyspace_;
  WriteOptions write_options_;
  WriteBatch batch_;
  uint64_t records_ = 0;  // written
  uint64_t bytes_ = 0;    // of keys and values
  uint64_t bad_records_ = 0;
};

// The records of an input, copied batch by batch.
class RecordSource final : public BulkLoadSource {
 public:
  RecordSource(RecordReader* reader, bool skip_bad) : reader_(reader), skip_bad_(skip_bad) {}

  Status Next(std::vector<BulkLoadEntry>* entries) override {
    bytes_.clear();
    lengths_.clear();
    while (lengths_.size() < kMaxBulkRecords && bytes_.size() < kMaxBatchBytesPending) {
      SEERDB_ASSIGN_OR_RETURN(const auto outcome, reader_->Next());
      if (outcome == RecordReader::Outcome::kEnd) break;
      if (outcome == RecordReader::Outcome::kMalformed) {
        if (!skip_bad_) return Status::InvalidArgument(reader_->Position() + ": " + reader_->problem());
        ++bad_records_;
        continue;
      }
      bytes_.append(reader_->key()).append(reader_->value());
      lengths_.emplace_back(reader_->key().size(), reader_->value().size());
    }
    Slice rest = bytes_;
    for (const auto& [key, value] : lengths_) {
      entries->push_back({rest.substr(0, key), rest.substr(key, value)});
      rest.remove_prefix(key + value);
    }
    return Status::Ok();
  }
  uint64_t bad_records() const { return bad_records_; }

 private:
  RecordReader* const reader_;
  const bool skip_bad_;
  std::string bytes_;  // of keys and values, back to back
  std::vector<std::pair<size_t, size_t>> lengths_;
  uint64_t bad_records_ = 0;
};

Status RunBulkLoad(const LoadArguments& arguments, const Input& input, RecordReader* reader, DB* db,
                   const Keyspace& keyspace) {
  RecordSource source(reader, arguments.skip_bad);
  BulkLoadOptions options;
  options.already_sorted = arguments.sorted;
  options.keyspace = &keyspace;
  uint64_t records = 0;
  uint64_t bytes = 0;
  Result<BulkLoadStats> stats = BulkLoadStats();
  double seconds = 0;
  {
    Progress progress(input.total_bytes(), SystemClock(), StderrIsTerminal());
    options.progress = [&](const BulkLoadProgress& state) {
      records = state.entries_read;
      bytes = state.bytes_read;
      progress.Update(records, input.offset());
    };
    stats = db->BulkLoad(options, source);
    seconds = progress.elapsed_s();
  }
  if (!stats.ok()) return stats.status().WithContext("load, and nothing was stored");
  Print("loaded " + RateLine(records, "records", bytes, seconds) + "\n");
  Print("wrote " + std::to_string(stats->sstables_created) + " tables, " +
        std::to_string(stats->bytes_written) + " bytes\n");
  if (stats->duplicates_dropped > 0) {
    Print("dropped " + std::to_string(stats->duplicates_dropped) + " records whose key came again\n");
  }
  if (source.bad_records() > 0) {
    Print("skipped " + std::to_string(source.bad_records()) + " malformed records\n");
  }
  if (arguments.stats) Print(db->Stats().ToString());
  return Status::Ok();
}

RecordFormat ParseFormat(const std::string& name) {
  if (name == "csv") return RecordFormat::kCsv;
  if (name == "lp") return RecordFormat::kLengthPrefixed;
  return RecordFormat::kTsv;
}

int RunLoad(const LoadArguments& arguments) {
  auto input = Input::Open(arguments.file);
  if (!input.ok()) return Fail(input.status());
  auto reader = RecordReader::New(ParseFormat(arguments.format), arguments.columns, input->get());
  if (!reader.ok() && reader.status().IsInvalidArgument()) {
    return UsageError(std::string(reader.status().message()));
  }
  if (!reader.ok()) return Fail(reader.status());
  return WithDatabase(arguments.database, MayCreate::kYes, [&](DB* db) -> Result<int> {
    SEERDB_ASSIGN_OR_RETURN(const Keyspace keyspace,
                            OpenKeyspace(db, arguments.keyspace, arguments.database));
    SEERDB_RETURN_IF_ERROR(arguments.bulk ? RunBulkLoad(arguments, **input, reader->get(), db, keyspace)
                                          : Loader(arguments, db, keyspace).Run(**input, reader->get()));
    return int{kExitOk};
  });
}

}  // namespace

void AddLoadCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<LoadArguments>();
  CLI::App* command = app->add_subcommand("load", "Write the records of a file or of standard input");
  AddDatabaseOptions(command, &arguments->database);
  AddKeyspaceOptions(command, MayCreate::kYes, &arguments->keyspace);
  command->add_option("FILE", arguments->file, "Input; - is standard input")->required();
  command->add_option("--format", arguments->format, "tsv, csv (RFC 4180) or lp (length-prefixed)")
      ->check(CLI::IsMember({"tsv", "csv", "lp"}))
      ->capture_default_str();
  CLI::Option* key = command->add_option("--key", arguments->columns.key, "Column of the key: number or name")
                         ->capture_default_str();
  CLI::Option* value =
      command->add_option("--value", arguments->columns.value, "Column of the value: number or name")
          ->capture_default_str();
  CLI::Option* header =
      command->add_flag("--header", arguments->columns.header, "The first record names the columns");
  CLI::Option* batch = command->add_option("--batch", arguments->batch_records, "Records in one atomic write")
                           ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}))
                           ->capture_default_str();
  CLI::Option* sync = command->add_flag("--sync", arguments->sync, "Make each batch durable before the next");
  CLI::Option* bulk =
      command->add_flag("--bulk", arguments->bulk, "Write tables directly; all records or none")
          ->excludes(batch)
          ->excludes(sync);
  command->add_flag("--sorted", arguments->sorted, "With --bulk: the records are sorted by key")->needs(bulk);
  command->add_flag("--skip-bad", arguments->skip_bad, "Count malformed records instead of stopping");
  command->add_flag("--stats", arguments->stats, "Print the counters of the load, as `seerdb stats` does");
  command->final_callback([=] {
    const bool columns_given = key->count() + value->count() + header->count() > 0;
    if (arguments->format == "lp" && columns_given) {
      *exit_code = UsageError("--format lp has no columns: --key, --value and --header do not apply");
      return;
    }
    *exit_code = RunLoad(*arguments);
  });
}

}  // namespace seerdb::cli
