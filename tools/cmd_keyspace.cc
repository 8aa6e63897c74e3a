// seerdb keyspace: lists, makes and drops keyspaces. Page: docs/cli/keyspace.md.
#include <optional>

#include "base/status_macros.h"
#include "byte_text.h"
#include "cli.h"
#include "compression_name.h"
#include "keyspace_argument.h"
#include "output.h"

namespace seerdb::cli {
namespace {

struct ListArguments {
  DatabaseArguments database;
  std::string output = "text";
  bool hex = false;
};

struct CreateArguments {
  DatabaseArguments database;
  std::string name;
  std::string compression;  // empty: not given
  bool hex = false;
};

struct DropArguments {
  DatabaseArguments database;
  std::string name;
  bool hex = false;
};

std::string JsonLine(const KeyspaceInfo& keyspace) {
  std::string line = "{\"id\":" + std::to_string(keyspace.id) + ",\"name\":";
  AppendBytes(&line, OutputForm::kJson, keyspace.name);
  line += ",\"options\":{";
  const auto& compression = keyspace.options.compression;
  if (compression) line += "\"compression\":\"" + CompressionName(*compression) + "\"";
  return line + "}}\n";
}

std::string ListLine(OutputForm form, const KeyspaceInfo& keyspace) {
  if (form == OutputForm::kJson) return JsonLine(keyspace);
  std::string line = std::to_string(keyspace.id) + "\t";
  AppendBytes(&line, form, keyspace.name);
  const auto& compression = keyspace.options.compression;
  return line + "\t" + (compression ? "compression=" + CompressionName(*compression) : "-") + "\n";
}

int RunList(const ListArguments& arguments) {
  return WithDatabase(arguments.database, MayCreate::kNo, [&](DB* db) -> Result<int> {
    const OutputForm form = ParseOutputForm(arguments.output);
    for (const KeyspaceInfo& keyspace : db->ListKeyspaces()) Print(ListLine(form, keyspace));
    return int{kExitOk};
  });
}

int RunCreate(const CreateArguments& arguments) {
  const auto name = DecodeKeyspaceName(arguments.name, arguments.hex);
  if (!name.ok()) return UsageError("keyspace create: " + std::string(name.status().message()));
  return WithDatabase(arguments.database, MayCreate::kYes, [&](DB* db) -> Result<int> {
    std::optional<KeyspaceOptions> options;
    if (!arguments.compression.empty()) {
      options.emplace().compression = ParseCompression(arguments.compression);
    }
    SEERDB_RETURN_IF_ERROR(db->OpenKeyspace(*name, options).status());
    return int{kExitOk};
  });
}

int RunDrop(const DropArguments& arguments) {
  const auto name = DecodeKeyspaceName(arguments.name, arguments.hex);
  if (!name.ok()) return UsageError("keyspace drop: " + std::string(name.status().message()));
  return WithDatabase(arguments.database, MayCreate::kNo, [&](DB* db) -> Result<int> {
    SEERDB_ASSIGN_OR_RETURN(const Keyspace keyspace, FindKeyspace(db, *name));
    SEERDB_RETURN_IF_ERROR(db->DropKeyspace(keyspace));
    return int{kExitOk};
  });
}

void AddList(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<ListArguments>();
  CLI::App* command = app->add_subcommand("list", "Print \"id TAB name TAB options\" of each keyspace");
  AddDatabaseOptions(command, &arguments->database);
  CLI::Option* output =
      command->add_option("--output", arguments->output, "Form of the names: text, hex, json or raw")
          ->check(CLI::IsMember({"text", "hex", "json", "raw"}))
          ->capture_default_str();
  command->add_flag("--hex", arguments->hex, "--output is hex by default");
  command->final_callback([=] {
    if (arguments->hex && output->count() == 0) arguments->output = "hex";
    *exit_code = RunList(*arguments);
  });
}

void AddCreate(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<CreateArguments>();
  CLI::App* command = app->add_subcommand("create", "Make a keyspace, or change its options");
  AddDatabaseOptions(command, &arguments->database);
  // The option of this name is that of the keyspace here, not of the tables that the command may write.
  command->remove_option(command->get_option("--compression"));
  command->add_option("NAME", arguments->name, "The keyspace; an existing one is kept")->required();
  command
      ->add_option("--compression", arguments->compression,
                   "Of its blocks; without it, that of the command that writes them")
      ->check(CLI::IsMember({"none", "lz4", "zstd"}));
  command->add_flag("--hex", arguments->hex, "The name is given in hexadecimal");
  command->final_callback([=] { *exit_code = RunCreate(*arguments); });
}

void AddDrop(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<DropArguments>();
  CLI::App* command = app->add_subcommand("drop", "Remove a keyspace with all its keys, for good");
  AddDatabaseOptions(command, &arguments->database);
  command->add_option("NAME", arguments->name, "The keyspace")->required();
  command->add_flag("--hex", arguments->hex, "The name is given in hexadecimal");
  command->final_callback([=] { *exit_code = RunDrop(*arguments); });
}

}  // namespace

void AddKeyspaceCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("keyspace", "List, make and drop keyspaces");
  command->require_subcommand(1);
  AddList(command, exit_code);
  AddCreate(command, exit_code);
  AddDrop(command, exit_code);
}

}  // namespace seerdb::cli
