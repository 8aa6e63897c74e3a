// seerdb keyspace: lists, makes and drops keyspaces. Page: docs/cli/keyspace.md.
#include <optional>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "byte_text.h"
#include "cli.h"
#include "compression_name.h"
#include "format/keyspace_table.h"
#include "keyspace_argument.h"
#include "output.h"
#include "seerdb/merge_operator.h"
#include "ttl_argument.h"

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
  std::string compression;     // empty: not given
  std::string merge_operator;  // the same
  std::optional<uint64_t> ttl_us;
  bool hex = false;
};

struct DropArguments {
  DatabaseArguments database;
  std::string name;
  bool hex = false;
};

struct ShownOption {
  std::string name;
  std::string value;
};

// The options that a keyspace has of its own. The delimiter of a merge operator may hold spaces, so it comes
// last.
std::vector<ShownOption> ShownOptions(OutputForm form, const KeyspaceState& keyspace) {
  std::vector<ShownOption> shown;
  const auto add_text = [&](const char* name, Slice text) {
    std::string value;
    AppendBytes(&value, form, text);
    shown.push_back({name, std::move(value)});
  };
  const KeyspaceOptions& options = keyspace.options;
  if (options.compression) add_text("compression", CompressionName(*options.compression));
  if (options.default_ttl_us != 0) shown.push_back({"ttl", SecondsText(options.default_ttl_us)});
  if (!keyspace.merge_operator_name.empty()) add_text("merge_operator", keyspace.merge_operator_name);
  return shown;
}

std::string JsonLine(const KeyspaceState& keyspace) {
  std::string line = "{\"id\":" + std::to_string(keyspace.id) + ",\"name\":";
  AppendBytes(&line, OutputForm::kJson, keyspace.name);
  line += ",\"options\":{";
  const char* separator = "";
  for (const ShownOption& option : ShownOptions(OutputForm::kJson, keyspace)) {
    line.append(separator).append("\"" + option.name + "\":" + option.value);
    separator = ",";
  }
  return line + "}}\n";
}

std::string ListLine(OutputForm form, const KeyspaceState& keyspace) {
  if (form == OutputForm::kJson) return JsonLine(keyspace);
  std::string line = std::to_string(keyspace.id) + "\t";
  AppendBytes(&line, form, keyspace.name);
  const auto options = ShownOptions(OutputForm::kText, keyspace);
  if (options.empty()) return line + "\t-\n";
  char separator = '\t';
  for (const ShownOption& option : options) {
    line.append(1, separator).append(option.name + "=" + option.value);
    separator = ' ';
  }
  return line + "\n";
}

int RunList(const ListArguments& arguments) {
  return WithDatabase(arguments.database, MayCreate::kNo, [&](DB* db) -> Result<int> {
    const OutputForm form = ParseOutputForm(arguments.output);
    for (const KeyspaceInfo& info : db->ListKeyspaces()) {
      // Its state knows the name of an operator that is not built in, too.
      SEERDB_ASSIGN_OR_RETURN(const Keyspace keyspace, db->FindKeyspace(info.name));
      Print(ListLine(form, *keyspace.state()));
    }
    return int{kExitOk};
  });
}

// What is wrong with the name of an operator, empty if nothing.
std::string MergeOperatorCheck(const std::string& name) {
  if (MergeOperatorByName(name) != nullptr) return "";
  return "found " + Escaped(name) + ", expected " + U64Add()->Name() + ", " + U64Max()->Name() + ", " +
         U64Min()->Name() + ", " + ListAppend()->Name() + " or " + StringAppend("DELIMITER")->Name();
}

// The options that are given, the others as they are; nullopt if none is given.
std::optional<KeyspaceOptions> OptionsToSet(const CreateArguments& arguments,
                                            const Result<Keyspace>& existing) {
  const bool none = arguments.compression.empty() && arguments.merge_operator.empty() && !arguments.ttl_us;
  if (none) return std::nullopt;
  KeyspaceOptions options;
  if (existing.ok()) options = existing->options();
  if (!arguments.compression.empty()) options.compression = ParseCompression(arguments.compression);
  if (!arguments.merge_operator.empty()) {
    options.merge_operator = MergeOperatorByName(arguments.merge_operator);
  }
  if (arguments.ttl_us) options.default_ttl_us = *arguments.ttl_us;
  return options;
}

int RunCreate(const CreateArguments& arguments) {
  const auto name = DecodeKeyspaceName(arguments.name, arguments.hex);
  if (!name.ok()) return UsageError("keyspace create: " + std::string(name.status().message()));
  return WithDatabase(arguments.database, MayCreate::kYes, [&](DB* db) -> Result<int> {
    const auto options = OptionsToSet(arguments, db->FindKeyspace(*name));
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
  command
      ->add_option("--merge-operator", arguments->merge_operator,
                   "What seerdb merge does in it: seerdb.u64_add, seerdb.list_append, ...; for good")
      ->check(MergeOperatorCheck);
  AddTtlOption(command, "How long what is stored in it lives, unless the write says it; 0 is for ever",
               ZeroTtl::kYes, &arguments->ttl_us);
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
