#include "key_arguments.h"

#include "base/status_macros.h"
#include "byte_text.h"
#include "input.h"
#include "seerdb/types.h"

namespace seerdb::cli {

Result<std::string> DecodeArgument(Slice text, bool hex) {
  if (hex) return DecodeHex(text);
  return std::string(text);
}

Result<std::string> ReadValueArgument(const std::string& text, bool hex) {
  if (text != "-") return DecodeArgument(text, hex);
  // Twice for hexadecimal, and one more for a line end behind it.
  const uint64_t max_bytes = hex ? 2 * kMaxValueBytes + 1 : kMaxValueBytes;
  SEERDB_ASSIGN_OR_RETURN(std::string value, ReadAll("-", max_bytes));
  if (!hex) return value;
  if (!value.empty() && value.back() == '\n') value.pop_back();
  return DecodeHex(value);
}

Status DecodeArguments(bool hex, std::initializer_list<std::string*> texts) {
  for (std::string* text : texts) {
    SEERDB_ASSIGN_OR_RETURN(*text, DecodeArgument(*text, hex));
  }
  return Status::Ok();
}

Status VisitKeys(const std::string& path, bool hex, const std::function<Status(Slice key)>& visit) {
  SEERDB_ASSIGN_OR_RETURN(const auto input, Input::Open(path));
  Slice line;
  for (uint64_t number = 1;; ++number) {
    SEERDB_ASSIGN_OR_RETURN(const bool more, input->ReadLine(&line));
    if (!more) return Status::Ok();
    auto key = DecodeArgument(line, hex);
    if (!key.ok()) return key.status().WithContext(input->name() + " line " + std::to_string(number));
    SEERDB_RETURN_IF_ERROR(visit(*key));
  }
}

}  // namespace seerdb::cli
