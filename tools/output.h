// Output of the `seerdb` tool: bytes to stdout, messages to stderr. Bytes are written as they are; nothing
// is translated.
//
// Errors: a failed write to stdout is kept and returned by FlushOutput().
#pragma once

#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb::cli {

void Print(Slice bytes);
// Sends what is buffered; returns the first error of any write.
Status FlushOutput();
void PrintError(Slice text);
bool StderrIsTerminal();

}  // namespace seerdb::cli
