#include "sstable/table_reader.h"

#include <utility>
#include <vector>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "sstable/block_source.h"
#include "sstable/sequential_blocks.h"
#include "sstable/table_format.h"
#include "sstable/table_iterator.h"
#include "sstable/table_opener.h"
#include "sstable/table_verifier.h"
#include "sstable/tag_block.h"

namespace seerdb {
namespace {

constexpr uint64_t kReadBackBytes = 256 << 10;

// What a record takes, about, in a table of whose records few fit a block; else 0.
uint64_t LargeRecordBytes(const TableProperties& properties) {
  constexpr uint64_t kHeadBytes = 8;  // kind, lengths, sequence, and what neighbours' keys do not share
  if (properties.entries == 0 || properties.data_blocks == 0) return 0;
  if (properties.compression != CompressionType::kNone) return 0;
  const uint64_t bytes = properties.raw_value_bytes / properties.entries + kHeadBytes;
  const uint64_t block_bytes = properties.data_bytes / properties.data_blocks;
  const bool large = bytes > block_bytes / (BlockSource::kLargeRecords + 1) && bytes <= kTablePageBytes;
  return large ? bytes : 0;
}

class OpenTable final : public TableReader {
 public:
  OpenTable(TableOpener&& opened)
      : TableReader(opened.filter_),
        fs_(&opened.fs_),
        options_(opened.options_),
        held_(std::move(opened.held_)),
        properties_(std::move(opened.properties_)),
        index_(std::move(opened.index_)),
        tags_(std::move(opened.tags_)),
        mapped_bytes_(opened.region_ != nullptr ? opened.region_->bytes().size() : 0),
        source_({opened.path_, options_.table_number, properties_.global_sequence, &properties_}, &index_,
                {std::move(opened.region_), std::move(opened.file_)}, options_),
        large_record_bytes_(LargeRecordBytes(properties_)),
        memory_bytes_(opened.meta_bytes_ + source_.memory_bytes()),
        held_bytes_(opened.held_bytes_ + source_.memory_bytes() + sizeof(OpenTable)) {}

  void FindProbe(const LookupKey& lookup, TableProbe* probe) const override {
    if (tags_.empty())
      Find(probe->guess, lookup, probe);
    else
      probe->passed = MatchRanks(lookup, &probe->ranks, &probe->place);
    if (probe->passed) source_.ExpectBesideOthers(tags_.empty() ? probe->block : probe->place.block);
  }
  void EnterProbe(const LookupKey& lookup, const TableProbe& probe) const override {
    if (tags_.empty()) source_.PrefetchRecord(probe.block, TagOfHash(lookup.hash));
  }
  std::unique_ptr<InternalIterator> NewIterator(const TableReadFlags& flags) const override {
    return NewTableIterator(flags, source_, *fs_);
  }
  Status Verify(VerifyResult* result) const override;
  Status ReadBack() const override;
  uint64_t ApproximateOffset(Slice key) const override {
    if (CompareInternal(key, kFirstTrailer, properties_.largest_key, kLastTrailer) > 0)
      return index_.data_end();
    bool by_model = false;
    return index_.Place(index_.Find(key, kFirstTrailer, &by_model)).offset;
  }
  const TableProperties& properties() const override { return properties_; }
  const std::string& path() const override { return source_.path(); }
  uint64_t memory_bytes() const override { return memory_bytes_; }
  uint64_t mapped_bytes() const override { return mapped_bytes_; }
  uint64_t held_bytes() const override { return held_bytes_; }

 private:
  Status GetPassed(const TableReadFlags& flags, const LookupKey& lookup, Lookup* result) const override {
    TableProbe probe;
    if (!tags_.empty()) {
      probe.ranks = tags_.Find(lookup.key);
      tags_.Prefetch(probe.ranks);
      return MatchRanks(lookup, &probe.ranks, &probe.place) ? SearchRanks(flags, lookup, &probe, result)
                                                            : TurnAway(flags);
    }
    Find(index_.GuessOf(lookup.key), lookup, &probe);
    if (large_record_bytes_ != 0) source_.PrefetchLargeRecords(probe.block, large_record_bytes_);
    return Search(flags, lookup, probe, result);
  }
  void GuessProbe(const LookupKey& lookup, TableProbe* probe) const override {
    if (!tags_.empty()) {
      probe->ranks = tags_.Find(lookup.key);
      tags_.Prefetch(probe->ranks);
      return;
    }
    probe->guess = index_.GuessOf(lookup.key);
    index_.Prefetch(probe->guess);
  }
  Status SearchProbe(const TableReadFlags& flags, const LookupKey& lookup, const TableProbe& probe,
                     Lookup* result) const override {
    if (tags_.empty()) return Search(flags, lookup, probe, result);
    TableProbe rest = probe;
    return SearchRanks(flags, lookup, &rest, result);
  }
  // These two stand in the straight line of Get as well as in the steps of a probe.
  [[gnu::always_inline]] void Find(const BlockGuess& guess, const LookupKey& lookup,
                                   TableProbe* probe) const {
    probe->block = index_.Find(guess, lookup.key, SeekTrailer(lookup.sequence), &probe->by_model);
    source_.Prefetch(probe->block);
    source_.Expect(probe->block, lookup.hash);
  }
  // Leaves of `ranks` those from the first one on that may be the key's, whose `place` it starts to load;
  // false if there is none.
  [[gnu::always_inline]] bool MatchRanks(const LookupKey& lookup, RankRange* ranks, EntryPlace* place) const {
    ranks->begin = tags_.Match(*ranks, RankTag::Of(lookup.hash));
    if (ranks->empty()) return false;
    *place = tags_.Locate(ranks->begin);
    source_.PrefetchEntry(*place, tags_.EntriesOf(place->block), tags_.equal_records());
    source_.Expect(place->block, lookup.hash);
    return true;
  }
  // From probe->place on.
  Status SearchRanks(const TableReadFlags& flags, const LookupKey& lookup, TableProbe* probe,
                     Lookup* result) const;
  static void Take(const TagRecord& record, BlockRef* ref, Lookup* result) {
    result->type = TrailerType(record.trailer);
    result->state = result->type == ValueType::kDeletion ? Lookup::State::kDeleted : Lookup::State::kFound;
    result->sequence = TrailerSequence(record.trailer);
    result->value = record.value;
    if (ref->owner != nullptr || result->owner != nullptr) result->owner = std::move(ref->owner);
  }
  // From probe.block on.
  [[gnu::always_inline]] Status Search(const TableReadFlags& flags, const LookupKey& lookup,
                                       const TableProbe& probe, Lookup* result) const;

  FileSystem* const fs_;  // outlives the reader, like every user of it
  const TableOpenOptions options_;
  const std::vector<std::unique_ptr<std::string>> held_;
  const TableProperties properties_;
  const BlockIndex index_;
  const TagIndex tags_;  // empty: the filter, and tags in the blocks
  const uint64_t mapped_bytes_;
  const BlockSource source_;
  const uint64_t large_record_bytes_;  // of a record, about, if few fit a block; else 0
  const uint64_t memory_bytes_;
  const uint64_t held_bytes_;
};

inline Status OpenTable::Search(const TableReadFlags& flags, const LookupKey& lookup, const TableProbe& probe,
                                Lookup* result) const {
  CounterShard* const shard = flags.shard;
  uint32_t block = probe.block;
  if (shard != nullptr) shard->Add(probe.by_model ? Counter::index_model_hits : Counter::index_fallbacks);
  const uint8_t tag = TagOfHash(lookup.hash);
  BlockRef ref;
  do {
    SEERDB_RETURN_IF_ERROR(source_.Fetch(block, flags, &ref));
    if (shard != nullptr) shard->Add(Counter::blocks_read);
    TagRecord record;
    if (source_.View(ref.bytes).Find(lookup.key, tag, lookup.sequence, &record)) {
      Take(record, &ref, result);
      return Status::Ok();
    }
    ++block;
    if (SEERDB_MUTANT("get-stops-at-block-end")) break;
  } while (block < index_.blocks() && index_.Continues(block, lookup.key));
  if (shard != nullptr && !filter().empty()) shard->Add(Counter::filter_false_positives);
  return Status::Ok();
}

Status OpenTable::SearchRanks(const TableReadFlags& flags, const LookupKey& lookup, TableProbe* probe,
                              Lookup* result) const {
  CounterShard* const shard = flags.shard;
  if (shard != nullptr) shard->Add(Counter::index_model_hits);
  BlockRef ref;
  do {
    const EntryPlace place = probe->place;
    SEERDB_RETURN_IF_ERROR(source_.Fetch(place.block, flags, &ref));
    if (shard != nullptr) shard->Add(Counter::blocks_read);
    const TagBlock block = source_.View(ref.bytes);
    if (block.entries() != tags_.EntriesOf(place.block)) [[unlikely]] {
      return TableCorruption(
          path(), "tag index", index_.Place(place.block).offset,
          FoundExpected("entries of a block", tags_.EntriesOf(place.block), block.entries()));
    }
    TagRecord record;
    if (block.Holds(place.entry, lookup.key, &record)) {
      if (TrailerSequence(record.trailer) <= lookup.sequence) [[likely]] {
        Take(record, &ref, result);
        return Status::Ok();
      }
      // An older version, if there is one, lies behind the newest, in this block or in a later one.
      Find(index_.GuessOf(lookup.key), lookup, probe);
      TableReadFlags counted = flags;
      counted.shard = nullptr;
      SEERDB_RETURN_IF_ERROR(Search(counted, lookup, *probe, result));
      if (shard != nullptr && result->state == Lookup::State::kAbsent)
        shard->Add(Counter::filter_false_positives);
      return Status::Ok();
    }
    ++probe->ranks.begin;
    if (SEERDB_MUTANT("first-tag-decides")) break;
  } while (MatchRanks(lookup, &probe->ranks, &probe->place));
  if (shard != nullptr) shard->Add(Counter::filter_false_positives);
  return Status::Ok();
}

Status OpenTable::Verify(VerifyResult* result) const {
  // Opened again through read calls, so that the meta blocks are those on disk too.
  const std::string name = path();
  TableOpenOptions options = options_;
  options.access = TableAccess::kPread;
  options.cache = nullptr;
  options.statistics = nullptr;
  options.expected_bytes = properties_.file_bytes;
  TableOpener opener(*fs_, name, options);
  SEERDB_RETURN_IF_ERROR(opener.Run());
  SEERDB_RETURN_IF_ERROR(opener.CheckTheRest());
  const OpenTable table(std::move(opener));
  TableVerifier verifier(*fs_, table.source_, {&table.filter(), &table.tags_}, table.properties_);
  return verifier.Run(result);
}

Status OpenTable::ReadBack() const {
  if (SEERDB_MUTANT("table-not-read-back")) return Status::Ok();
  SequentialBlocks blocks(source_, kReadBackBytes, options_.statistics.get());
  // A device that fails is to be an error here, and no signal.
  SEERDB_RETURN_IF_ERROR(mapped_bytes_ == 0 ? blocks.Open(*fs_) : source_.LoadAll());
  for (uint32_t block = 0; block < index_.blocks(); ++block) {
    Slice content;
    SEERDB_RETURN_IF_ERROR(mapped_bytes_ != 0 ? source_.Confirm(block) : blocks.Fetch(block, &content));
  }
  return Status::Ok();
}

}  // namespace

Result<std::shared_ptr<TableReader>> TableReader::Open(FileSystem& fs, const std::string& path,
                                                       const TableOpenOptions& options) {
  TableOpener opener(fs, path, options);
  SEERDB_RETURN_IF_ERROR(opener.Run());
  return std::shared_ptr<TableReader>(std::make_shared<OpenTable>(std::move(opener)));
}

}  // namespace seerdb
