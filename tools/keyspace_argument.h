// The keyspace that a command works in, as --keyspace or --keyspace-hex names it.
//
// Thread safety: as cli.h.
#pragma once

#include <string>

#include "cli.h"
#include "seerdb/db.h"
#include "seerdb/result.h"

namespace seerdb::cli {

// The bytes that `text` stands for, hexadecimal if `hex`. kInvalidArgument for wrong hexadecimal and for what
// cannot be the name of a keyspace.
Result<std::string> DecodeKeyspaceName(const std::string& text, bool hex);

// Adds the two options. Without either, `name` becomes that of the default keyspace. `may_create`: whether
// the command calls OpenKeyspace.
void AddKeyspaceOptions(CLI::App* command, MayCreate may_create, std::string* name);

// kInvalidArgument/kNotFound if there is no keyspace `name`; the message shows the name in the form `text`.
Result<Keyspace> FindKeyspace(DB* db, const std::string& name);
// For commands that write: made if it is not there, unless --no-create is given.
Result<Keyspace> OpenKeyspace(DB* db, const std::string& name, const DatabaseArguments& database);

}  // namespace seerdb::cli
