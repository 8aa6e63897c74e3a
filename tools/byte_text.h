// Byte strings as text: the escaped form, hexadecimal and JSON.
//
// Escaped: printable ASCII stands for itself, except `\\` for a backslash and `\t` for a tab; every other
// byte is `\xNN`. Every form is unambiguous, so it can be turned back into the same bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb::cli {

enum class OutputForm : unsigned char { kText, kHex, kJson, kRaw };
// "text", "hex", "json" or "raw".
OutputForm ParseOutputForm(const std::string& name);

void AppendEscaped(std::string* out, Slice bytes);
std::string Escaped(Slice bytes);
void AppendHex(std::string* out, Slice bytes);
// kInvalidArgument unless `text` is an even number of hexadecimal digits.
Result<std::string> DecodeHex(Slice text);
bool IsValidUtf8(Slice bytes);

// In kJson a byte string is a JSON string when it is UTF-8, and otherwise the object {"hex": "..."}.
void AppendBytes(std::string* out, OutputForm form, Slice bytes);
// One line that shows an entry: "key TAB value", or for kJson an object with the members "key" and "value".
// Without a value (nullopt) only the key is shown.
void AppendEntryLine(std::string* out, OutputForm form, Slice key, std::optional<Slice> value);

// "17", "4.2 KiB", "64.0 MiB": three digits or so, for people.
std::string HumanBytes(uint64_t bytes);

}  // namespace seerdb::cli
