// Keys and values as the command line and key files give them: bytes as they are, or hexadecimal with --hex.
//
// Thread safety: none of it keeps state; functions may be called concurrently.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>

#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb::cli {

// The bytes that `text` stands for. kInvalidArgument for wrong hexadecimal.
Result<std::string> DecodeArgument(Slice text, bool hex);

// The bytes of an argument for a value; "-" reads them from standard input, where hexadecimal may end with
// one line end. kInvalidArgument for wrong hexadecimal, and for more than kMaxValueBytes of standard input.
Result<std::string> ReadValueArgument(const std::string& text, bool hex);

// Replaces each text by the bytes it stands for.
Status DecodeArguments(bool hex, std::initializer_list<std::string*> texts);

// Calls `visit` with each line of the file (or standard input, "-") as a key, in order. The first error, of
// reading, of wrong hexadecimal (naming the line) or of `visit`, ends it.
Status VisitKeys(const std::string& path, bool hex, const std::function<Status(Slice key)>& visit);

}  // namespace seerdb::cli
