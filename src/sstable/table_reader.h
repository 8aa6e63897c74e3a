// TableReader: answers reads from one immutable table. Format: docs/format/table.md.
//
// Every block's checksum is checked before its bytes are used for the first time (always, under pread
// without cache). Damage gives kCorruption/kTableCorruption naming file, offset, found and expected.
// Ownership: shared; iterators and found values may outlive everything but a reference to the reader.
// Thread safety: all methods concurrently; reads take no lock but a cache shard's.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "cache/block_cache.h"
#include "format/internal_key.h"
#include "format/lookup.h"
#include "iter/internal_iterator.h"
#include "learned/bloom_filter.h"
#include "metrics/statistics.h"
#include "seerdb/file_system.h"
#include "seerdb/options.h"
#include "seerdb/result.h"
#include "seerdb/verify.h"
#include "sstable/block_index.h"
#include "sstable/prefix_filter.h"
#include "sstable/table_properties.h"
#include "sstable/tag_index.h"

namespace seerdb {

struct TableOpenOptions {
  TableAccess access = TableAccess::kAuto;
  std::shared_ptr<BlockCache> cache;       // may be null
  std::shared_ptr<MemoryAccount> account;  // what blocks are charged to; may be null
  std::shared_ptr<Statistics> statistics;  // may be null
  uint64_t table_number = 0;               // must equal the stored one
  uint64_t expected_bytes = 0;             // of the file, as the manifest says; checked before mapping
};

// How one read or iterator treats blocks.
struct TableReadFlags {
  bool fill_cache = true;
  bool verify_checksums = false;  // also of blocks already checked
  bool keys_only = false;
  bool sequential_pread = false;  // iterators: read calls with read-ahead, no mapping, no cache
  uint64_t read_ahead_bytes = 0;  // 0 = grow from 64 KiB to 1 MiB; only for read calls
  // Get: where it counts, the calling thread's own. Null: nowhere.
  CounterShard* shard = nullptr;
  // Iterators: who counts for them; outlives them. Null: nobody.
  Statistics* statistics = nullptr;
};

// One lookup on its way through a table.
struct TableProbe {
  bool passed = false;  // the filter, or tags
  // In a table with a filter.
  BlockGuess guess;
  uint32_t block = 0;
  bool by_model = false;
  // In a table with a tag index.
  RankRange ranks;
  EntryPlace place;  // of ranks.begin
};

class TableReader : public std::enable_shared_from_this<TableReader> {
 public:
  // Reads footer, properties, index and filter, and checks their checksums and sizes.
  static Result<std::shared_ptr<TableReader>> Open(FileSystem& fs, const std::string& path,
                                                   const TableOpenOptions& options);
  virtual ~TableReader() = default;

  // The newest version of lookup.key with sequence <= lookup.sequence in this table, or kAbsent.
  // result->owner keeps the value readable when it lies in a cached or private block; it is null when the
  // value lies in the mapping: then it lives as long as this reader.
  Status Get(const TableReadFlags& flags, const LookupKey& lookup, Lookup* result) const {
    result->state = Lookup::State::kAbsent;
    return TurnsAway(lookup) ? TurnAway(flags) : GetPassed(flags, lookup, result);
  }
  // The same in two steps, for a caller that counts in Counter::filter_negatives how many tables turned a
  // lookup away: when true the table has no entry of the key, else GetPassed says. Requires of GetPassed that
  // result->state is kAbsent.
  bool TurnsAway(const LookupKey& lookup) const { return !filter_.MayContain(lookup.hash); }
  virtual Status GetPassed(const TableReadFlags& flags, const LookupKey& lookup, Lookup* result) const = 0;

  // Get in steps, of which each but the last starts to load what the next one needs: several lookups that
  // take them in turn wait for memory together. In this order, none left out but those between FilterProbe
  // and FinishProbe when FilterProbe did not pass it. The answer, and what is counted, are those of Get.
  void StartProbe(const LookupKey& lookup) const { filter_.Prefetch(lookup.hash); }
  void FilterProbe(const LookupKey& lookup, TableProbe* probe) const {
    probe->passed = filter_.MayContain(lookup.hash);
    if (probe->passed) GuessProbe(lookup, probe);
  }
  virtual void FindProbe(const LookupKey& lookup, TableProbe* probe) const = 0;
  virtual void EnterProbe(const LookupKey& lookup, const TableProbe& probe) const = 0;
  Status FinishProbe(const TableReadFlags& flags, const LookupKey& lookup, const TableProbe& probe,
                     Lookup* result) const {
    result->state = Lookup::State::kAbsent;
    return probe.passed ? SearchProbe(flags, lookup, probe, result) : TurnAway(flags);
  }

  // False if no key of the table begins with `prefix`, of a keyspace and so many bytes of user keys.
  bool MayHavePrefix(Slice prefix) const {
    const uint64_t user_bytes = properties().prefix_filter_bytes;
    if (user_bytes == 0) return true;
    const Slice filtered = FilterPrefix(prefix, user_bytes);
    return filtered.empty() || filter_.MayContain(PrefixHash(filtered));
  }

  // Borrows the reader, which must outlive it.
  virtual std::unique_ptr<InternalIterator> NewIterator(const TableReadFlags& flags) const = 0;

  // Reads every block through read calls and checks checksums, order, filter membership, index and
  // properties. Adds to the counts of `result`.
  virtual Status Verify(VerifyResult* result) const = 0;

  // Compares every block with its checksum. Of a mapping it reads that: its pages are there then, and no
  // later read checks blocks again that are not compressed. For a table that was just written, before
  // anything relies on it.
  virtual Status ReadBack() const = 0;

  // Bytes of data blocks that hold keys before `key`.
  virtual uint64_t ApproximateOffset(Slice key) const = 0;
  virtual const TableProperties& properties() const = 0;
  virtual const std::string& path() const = 0;
  // Bytes of index and filter, mapped or not.
  virtual uint64_t memory_bytes() const = 0;
  // Bytes of the mapping, and of memory held beside it. The blocks of the cache are not among them.
  virtual uint64_t mapped_bytes() const = 0;
  virtual uint64_t held_bytes() const = 0;

 protected:
  // Most tables that a lookup asks turn it away: here, in line.
  explicit TableReader(const BloomFilter& filter) : filter_(filter) {}
  const BloomFilter& filter() const { return filter_; }
  // The table has no entry of the key, as filter or tags say.
  static Status TurnAway(const TableReadFlags& flags) {
    if (flags.shard != nullptr) flags.shard->Add(Counter::filter_negatives);
    return Status::Ok();
  }

 private:
  virtual void GuessProbe(const LookupKey& lookup, TableProbe* probe) const = 0;
  virtual Status SearchProbe(const TableReadFlags& flags, const LookupKey& lookup, const TableProbe& probe,
                             Lookup* result) const = 0;

  const BloomFilter filter_;
};

}  // namespace seerdb
