// seerdb put: stores one key and value. Page: docs/cli/put.md.
#include <optional>

#include "base/status_macros.h"
#include "cli.h"
#include "key_arguments.h"
#include "keyspace_argument.h"
#include "ttl_argument.h"

namespace seerdb::cli {
namespace {

struct PutArguments {
  DatabaseArguments database;
  std::string key;
  std::string value;
  std::string keyspace;
  std::optional<uint64_t> ttl_us;
  bool hex = false;
  bool sync = false;
};

int RunPut(const PutArguments& arguments) {
  auto key = DecodeArgument(arguments.key, arguments.hex);
  if (!key.ok()) return UsageError("put: key: " + std::string(key.status().message()));
  auto value = ReadValueArgument(arguments.value, arguments.hex);
  if (!value.ok() && value.status().IsInvalidArgument()) {
    return UsageError("put: value: " + std::string(value.status().message()));
  }
  if (!value.ok()) return Fail(value.status());
  return WithDatabase(arguments.database, MayCreate::kYes, [&](DB* db) -> Result<int> {
    WriteOptions options = arguments.sync ? WriteOptions::Sync() : WriteOptions();
    options.ttl_us = arguments.ttl_us.value_or(0);
    SEERDB_ASSIGN_OR_RETURN(const Keyspace keyspace,
                            OpenKeyspace(db, arguments.keyspace, arguments.database));
    SEERDB_RETURN_IF_ERROR(keyspace.Put(options, *key, *value));
    return int{kExitOk};
  });
}

}  // namespace

void AddPutCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<PutArguments>();
  CLI::App* command = app->add_subcommand("put", "Store a value under a key");
  AddDatabaseOptions(command, &arguments->database);
  AddKeyspaceOptions(command, MayCreate::kYes, &arguments->keyspace);
  command->add_option("KEY", arguments->key, "The key")->required();
  command->add_option("VALUE", arguments->value, "The value; - reads it from standard input")->required();
  command->add_flag("--hex", arguments->hex, "Key and value are given in hexadecimal");
  AddTtlOption(command, "The value lives for so long; without it, as the keyspace says", ZeroTtl::kNo,
               &arguments->ttl_us);
  command->add_flag("--sync", arguments->sync, "Make the write durable, whatever the policy");
  command->final_callback([=] { *exit_code = RunPut(*arguments); });
}

}  // namespace seerdb::cli
