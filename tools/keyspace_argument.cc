#include "keyspace_argument.h"

#include <functional>
#include <utility>

#include "base/status_macros.h"
#include "byte_text.h"
#include "format/keyspace_table.h"
#include "key_arguments.h"

namespace seerdb::cli {
namespace {

// A check of the parser: what is wrong with the name, empty if nothing.
std::function<std::string(const std::string&)> NameCheck(bool hex) {
  return [hex](const std::string& text) {
    const auto name = DecodeKeyspaceName(text, hex);
    return name.ok() ? std::string() : std::string(name.status().message());
  };
}

}  // namespace

Result<std::string> DecodeKeyspaceName(const std::string& text, bool hex) {
  SEERDB_ASSIGN_OR_RETURN(std::string name, DecodeArgument(text, hex));
  if (name.empty() || name.size() > kMaxKeyspaceNameBytes) {
    return Status::InvalidArgument("name of a keyspace: found " + std::to_string(name.size()) +
                                   " bytes, expected 1 .. " + std::to_string(kMaxKeyspaceNameBytes));
  }
  return name;
}

void AddKeyspaceOptions(CLI::App* command, MayCreate may_create, std::string* name) {
  *name = kDefaultKeyspaceName;
  const std::string what = may_create == MayCreate::kYes
                               ? "The keyspace; made if it is not there, unless --no-create is given"
                               : "The keyspace";
  CLI::Option* plain =
      command->add_option("--keyspace", *name, what)->check(NameCheck(/*hex=*/false))->capture_default_str();
  const auto set_from_hex = [name](const std::string& text) {
    auto decoded = DecodeKeyspaceName(text, /*hex=*/true);
    if (decoded.ok()) *name = *std::move(decoded);
  };
  command
      ->add_option_function<std::string>("--keyspace-hex", set_from_hex, "The same, its name in hexadecimal")
      ->check(NameCheck(/*hex=*/true))
      ->excludes(plain);
}

Result<Keyspace> FindKeyspace(DB* db, const std::string& name) {
  Result<Keyspace> found = db->FindKeyspace(name);
  if (found.ok() || found.status().detail() != StatusDetail::kNotFound) return found;
  return Status::InvalidArgument("there is no keyspace " + Escaped(name)).WithDetail(StatusDetail::kNotFound);
}

Result<Keyspace> OpenKeyspace(DB* db, const std::string& name, const DatabaseArguments& database) {
  return database.no_create ? FindKeyspace(db, name) : db->OpenKeyspace(name);
}

}  // namespace seerdb::cli
