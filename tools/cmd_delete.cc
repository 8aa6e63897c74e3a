// seerdb delete: removes one key, every key of a file, or every key of a range. Page: docs/cli/delete.md.
#include "base/status_macros.h"
#include "cli.h"
#include "key_arguments.h"
#include "keyspace_argument.h"
#include "output.h"
#include "progress.h"

namespace seerdb::cli {
namespace {

struct DeleteArguments {
  DatabaseArguments database;
  std::string key;
  std::string keys_from;
  std::string keyspace;
  std::string from;
  std::string to;
  bool has_range = false;
  bool has_to = false;
  uint64_t batch_keys = 1000;
  bool hex = false;
  bool sync = false;
};

Status DeleteKeysOfFile(const DeleteArguments& arguments, const Keyspace& keyspace,
                        const WriteOptions& options, DB* db) {
  const auto clock = SystemClock();
  const uint64_t start_us = clock->NowMicros();
  WriteBatch batch;
  uint64_t keys = 0;
  uint64_t bytes = 0;
  const auto write = [&]() -> Status {
    SEERDB_RETURN_IF_ERROR(db->Write(options, batch));
    keys += batch.size();
    batch.Clear();
    return Status::Ok();
  };
  const Status status = VisitKeys(arguments.keys_from, arguments.hex, [&](Slice key) {
    batch.Delete(keyspace, key);
    bytes += key.size();
    return batch.size() < arguments.batch_keys ? Status::Ok() : write();
  });
  if (!status.ok()) return status.WithContext("delete, after " + std::to_string(keys) + " keys");
  SEERDB_RETURN_IF_ERROR(write());
  const auto seconds = static_cast<double>(clock->NowMicros() - start_us) / 1e6;
  Print("deleted " + RateLine(keys, "keys", bytes, seconds) + "\n");
  return Status::Ok();
}

int RunDelete(DeleteArguments* arguments) {
  const Status status = DecodeArguments(arguments->hex, {&arguments->key, &arguments->from, &arguments->to});
  if (!status.ok()) return UsageError("delete: " + std::string(status.message()));
  return WithDatabase(arguments->database, MayCreate::kNo, [&](DB* db) -> Result<int> {
    const WriteOptions options = arguments->sync ? WriteOptions::Sync() : WriteOptions();
    SEERDB_ASSIGN_OR_RETURN(const Keyspace keyspace, FindKeyspace(db, arguments->keyspace));
    if (!arguments->keys_from.empty()) {
      SEERDB_RETURN_IF_ERROR(DeleteKeysOfFile(*arguments, keyspace, options, db));
      return int{kExitOk};
    }
    if (arguments->has_range) {
      const std::optional<Slice> end = arguments->has_to ? std::optional<Slice>(arguments->to) : std::nullopt;
      SEERDB_RETURN_IF_ERROR(keyspace.DeleteRange(options, arguments->from, end));
      return int{kExitOk};
    }
    SEERDB_RETURN_IF_ERROR(keyspace.Delete(options, arguments->key));
    return int{kExitOk};
  });
}

}  // namespace

void AddDeleteCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<DeleteArguments>();
  CLI::App* command = app->add_subcommand("delete", "Remove a key, each key of a file, or a range");
  AddDatabaseOptions(command, &arguments->database);
  AddKeyspaceOptions(command, MayCreate::kNo, &arguments->keyspace);
  CLI::Option* key = command->add_option("KEY", arguments->key, "The key; it need not exist");
  CLI::Option* keys_from =
      command
          ->add_option("--keys-from", arguments->keys_from, "File of keys, one a line; - is standard input")
          ->excludes(key);
  CLI::Option* from = command->add_option("--from", arguments->from, "First key of the range to be removed")
                          ->excludes(key)
                          ->excludes(keys_from);
  CLI::Option* to =
      command
          ->add_option("--to", arguments->to, "Key behind the range; without it, to the end of the keyspace")
          ->needs(from);
  command->add_flag("--hex", arguments->hex, "Keys are given in hexadecimal");
  command->add_option("--batch", arguments->batch_keys, "Keys of the file removed in one atomic write")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}))
      ->capture_default_str();
  command->add_flag("--sync", arguments->sync, "Make each write durable, whatever the policy");
  command->final_callback([=] {
    arguments->has_range = from->count() > 0;
    arguments->has_to = to->count() > 0;
    if (key->count() + keys_from->count() + from->count() == 0) {
      *exit_code = UsageError("delete: expected KEY, --keys-from or --from");
    } else {
      *exit_code = RunDelete(arguments.get());
    }
  });
}

}  // namespace seerdb::cli
