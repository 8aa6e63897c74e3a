// seerdb get: prints the value of one key, or of every key of a file. Page: docs/cli/get.md.
#include <optional>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "byte_text.h"
#include "cli.h"
#include "key_arguments.h"
#include "keyspace_argument.h"
#include "output.h"
#include "progress.h"
#include "seerdb/merge_operator.h"

namespace seerdb::cli {
namespace {

struct GetArguments {
  DatabaseArguments database;
  std::string key;
  std::string keys_from;
  std::string output;
  std::string keyspace;
  uint64_t batch_keys = 1;
  bool hex = false;
  bool u64 = false;
  bool no_newline = false;
  bool report = false;
};

OutputForm FormOf(const GetArguments& arguments) {
  if (arguments.output.empty()) return arguments.hex ? OutputForm::kHex : OutputForm::kText;
  return ParseOutputForm(arguments.output);
}

// The number that the value of `key` is, in decimal.
Result<std::string> NumberText(Slice key, Slice value) {
  const auto number = U64Value(value);
  if (number.ok()) return std::to_string(*number);
  return Status::InvalidArgument("get --u64: the value of " + Escaped(key) + " has " +
                                 std::to_string(value.size()) + " bytes, expected 8");
}

// The line of an entry.
Status AppendEntry(std::string* out, OutputForm form, bool u64, Slice key, Slice value) {
  if (!u64) {
    AppendEntryLine(out, form, key, value);
    return Status::Ok();
  }
  SEERDB_ASSIGN_OR_RETURN(const std::string number, NumberText(key, value));
  const bool json = form == OutputForm::kJson;
  if (json) out->append("{\"key\":");
  AppendBytes(out, form, key);
  out->append((json ? ",\"value\":" : "\t") + number + (json ? "}\n" : "\n"));
  return Status::Ok();
}

Result<int> GetOne(const GetArguments& arguments, const Keyspace& keyspace) {
  const std::string& key = arguments.key;
  SEERDB_ASSIGN_OR_RETURN(const auto value, keyspace.Get(key));
  if (!value) {
    PrintError("seerdb: not found: " + Escaped(key) + "\n");
    return int{kExitNotFound};
  }
  std::string text;
  if (!arguments.output.empty()) {
    SEERDB_RETURN_IF_ERROR(AppendEntry(&text, FormOf(arguments), arguments.u64, key, value->slice()));
  } else {
    if (arguments.u64) {
      SEERDB_ASSIGN_OR_RETURN(text, NumberText(key, value->slice()));
    } else if (arguments.hex) {
      AppendHex(&text, value->slice());
    } else {
      text.append(value->slice());
    }
    if (!arguments.no_newline) text.push_back('\n');
  }
  Print(text);
  return int{kExitOk};
}

// Looks up a file of keys and prints the entries found.
class BulkGetter {
 public:
  BulkGetter(const GetArguments& arguments, const Keyspace& keyspace)
      : arguments_(arguments), keyspace_(keyspace), form_(FormOf(arguments)) {}

  Result<int> Run() {
    const auto clock = SystemClock();
    const uint64_t start_us = clock->NowMicros();
    SEERDB_RETURN_IF_ERROR(VisitKeys(arguments_.keys_from, arguments_.hex, [this](Slice key) -> Status {
      if (arguments_.batch_keys > 1) return AddToBatch(key);
      SEERDB_ASSIGN_OR_RETURN(const auto value, keyspace_.Get(key));
      return Handle(key, value);
    }));
    SEERDB_RETURN_IF_ERROR(LookUpBatch());
    SEERDB_RETURN_IF_ERROR(FlushOutput());
    if (arguments_.report) {
      const auto seconds = static_cast<double>(clock->NowMicros() - start_us) / 1e6;
      PrintError(RateLine(keys_, "gets", bytes_, seconds) + ", " + std::to_string(keys_ - found_) +
                 " not found\n");
    }
    return int{found_ == keys_ ? kExitOk : kExitNotFound};
  }

 private:
  Status AddToBatch(Slice key) {
    batch_.emplace_back(key);
    return batch_.size() < arguments_.batch_keys ? Status::Ok() : LookUpBatch();
  }

  Status LookUpBatch() {
    const std::vector<Slice> keys(batch_.begin(), batch_.end());
    const auto values = keyspace_.MultiGet(ReadOptions(), keys);
    for (size_t i = 0; i < values.size(); ++i) {
      SEERDB_RETURN_IF_ERROR(values[i].status());
      SEERDB_RETURN_IF_ERROR(Handle(keys[i], *values[i]));
    }
    batch_.clear();
    return Status::Ok();
  }

  Status Handle(Slice key, const std::optional<PinnedValue>& value) {
    ++keys_;
    if (!value) return Status::Ok();
    ++found_;
    bytes_ += key.size() + value->size();
    text_.clear();
    SEERDB_RETURN_IF_ERROR(AppendEntry(&text_, form_, arguments_.u64, key, value->slice()));
    Print(text_);
    return Status::Ok();
  }

  const GetArguments& arguments_;
  const Keyspace& keyspace_;
  const OutputForm form_;
  std::vector<std::string> batch_;
  std::string text_;
  uint64_t keys_ = 0;
  uint64_t found_ = 0;
  uint64_t bytes_ = 0;  // of keys and values found
};

int RunGet(GetArguments* arguments) {
  const Status status = DecodeArguments(arguments->hex, {&arguments->key});
  if (!status.ok()) return UsageError("get: " + std::string(status.message()));
  return WithDatabase(arguments->database, MayCreate::kNo, [&](DB* db) -> Result<int> {
    SEERDB_ASSIGN_OR_RETURN(const Keyspace keyspace, FindKeyspace(db, arguments->keyspace));
    if (arguments->keys_from.empty()) return GetOne(*arguments, keyspace);
    return BulkGetter(*arguments, keyspace).Run();
  });
}

}  // namespace

void AddGetCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<GetArguments>();
  CLI::App* command = app->add_subcommand("get", "Print the value of a key, or of each key of a file");
  AddDatabaseOptions(command, &arguments->database);
  AddKeyspaceOptions(command, MayCreate::kNo, &arguments->keyspace);
  CLI::Option* key = command->add_option("KEY", arguments->key, "The key");
  CLI::Option* keys_from =
      command
          ->add_option("--keys-from", arguments->keys_from, "File of keys, one a line; - is standard input")
          ->excludes(key);
  command->add_flag("--hex", arguments->hex, "Keys are given, and keys and values printed, in hexadecimal");
  command->add_flag("--u64", arguments->u64,
                    "Print values as numbers; each must have 8 bytes, little-endian");
  command->add_option("--output", arguments->output, "Print \"key TAB value\" lines: text, hex, json or raw")
      ->check(CLI::IsMember({"text", "hex", "json", "raw"}));
  command->add_flag("-n,--no-newline", arguments->no_newline, "Print nothing behind the value")
      ->excludes(keys_from);
  command->add_option("--batch", arguments->batch_keys, "Keys of the file looked up together")
      ->check(CLI::Range(uint64_t{1}, uint64_t{100'000}))
      ->capture_default_str()
      ->needs(keys_from);
  command->add_flag("--report", arguments->report, "Print number and rate of the lookups to stderr")
      ->needs(keys_from);
  command->final_callback([=] {
    if (key->count() + keys_from->count() == 0) {
      *exit_code = UsageError("get: expected KEY or --keys-from");
    } else {
      *exit_code = RunGet(arguments.get());
    }
  });
}

}  // namespace seerdb::cli
