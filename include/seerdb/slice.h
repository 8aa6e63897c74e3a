// Slice: a borrowed run of bytes. Keys and values are byte strings; any byte, also 0, may occur.
//
// Ownership: none. The bytes must outlive the Slice; each function that returns one says for how long.
#pragma once

#include <string_view>

namespace seerdb {

using Slice = std::string_view;

}  // namespace seerdb
