// The iterator of a table: walks its blocks both ways, one block in hand.
#pragma once

#include <memory>

#include "iter/internal_iterator.h"
#include "sstable/block_source.h"
#include "sstable/table_reader.h"

namespace seerdb {

// Borrows `source` and `fs`. With flags.sequential_pread it opens the file anew and reads ahead.
std::unique_ptr<InternalIterator> NewTableIterator(const TableReadFlags& flags, const BlockSource& source,
                                                   FileSystem& fs);

}  // namespace seerdb
