// seerdb merge: changes a value by an operand. Page: docs/cli/merge.md.
#include <charconv>
#include <optional>

#include "base/status_macros.h"
#include "byte_text.h"
#include "cli.h"
#include "key_arguments.h"
#include "keyspace_argument.h"
#include "seerdb/merge_operator.h"
#include "ttl_argument.h"

namespace seerdb::cli {
namespace {

struct MergeArguments {
  DatabaseArguments database;
  std::string key;
  std::string operand;
  std::string keyspace;
  std::optional<uint64_t> ttl_us;
  bool hex = false;
  bool u64 = false;
  bool item = false;
  bool sync = false;
};

Result<std::string> U64OperandOf(const std::string& text) {
  uint64_t number = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), text_end, number);
  if (error == std::errc() && end == text_end) return U64Operand(number);
  return Status::InvalidArgument("found " + Escaped(text) + ", expected a number, 0 .. " +
                                 std::to_string(UINT64_MAX));
}

Result<std::string> ReadOperand(const MergeArguments& arguments) {
  if (arguments.u64) return U64OperandOf(arguments.operand);
  SEERDB_ASSIGN_OR_RETURN(std::string operand, ReadValueArgument(arguments.operand, arguments.hex));
  if (!arguments.item) return operand;
  std::string list;
  AppendListItem(&list, operand);
  return list;
}

int RunMerge(const MergeArguments& arguments) {
  auto key = DecodeArgument(arguments.key, arguments.hex);
  if (!key.ok()) return UsageError("merge: key: " + std::string(key.status().message()));
  auto operand = ReadOperand(arguments);
  if (!operand.ok() && operand.status().IsInvalidArgument()) {
    return UsageError("merge: operand: " + std::string(operand.status().message()));
  }
  if (!operand.ok()) return Fail(operand.status());
  // A keyspace that is not there has no operator either, so none is made.
  return WithDatabase(arguments.database, MayCreate::kNo, [&](DB* db) -> Result<int> {
    WriteOptions options = arguments.sync ? WriteOptions::Sync() : WriteOptions();
    options.ttl_us = arguments.ttl_us.value_or(0);
    SEERDB_ASSIGN_OR_RETURN(const Keyspace keyspace, FindKeyspace(db, arguments.keyspace));
    SEERDB_RETURN_IF_ERROR(keyspace.Merge(options, *key, *operand));
    return int{kExitOk};
  });
}

}  // namespace

void AddMergeCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<MergeArguments>();
  CLI::App* command =
      app->add_subcommand("merge", "Change a value by an operand, as the keyspace's merge operator does");
  AddDatabaseOptions(command, &arguments->database);
  AddKeyspaceOptions(command, MayCreate::kNo, &arguments->keyspace);
  command->add_option("KEY", arguments->key, "The key; it need not exist")->required();
  command->add_option("OPERAND", arguments->operand, "The operand; - reads it from standard input")
      ->required();
  CLI::Option* u64 = command->add_flag("--u64", arguments->u64, "The operand is a decimal number");
  command->add_flag("--item", arguments->item, "The operand is one item of a list")->excludes(u64);
  command->add_flag("--hex", arguments->hex, "Key and operand are given in hexadecimal")->excludes(u64);
  AddTtlOption(command, "The operand counts for so long; without it, as the keyspace says", ZeroTtl::kNo,
               &arguments->ttl_us);
  command->add_flag("--sync", arguments->sync, "Make the write durable, whatever the policy");
  command->final_callback([=] { *exit_code = RunMerge(*arguments); });
}

}  // namespace seerdb::cli
