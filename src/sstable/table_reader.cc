#include "sstable/table_reader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/coding.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "learned/model_codec.h"
#include "sstable/block_source.h"
#include "sstable/bloom_filter.h"
#include "sstable/properties_codec.h"
#include "sstable/table_format.h"
#include "sstable/table_iterator.h"
#include "sstable/table_verifier.h"
#include "sstable/tag_block.h"

namespace seerdb {
namespace {

// Adds the file's name to an error of a decoder that does not know it.
Status InFile(const Status& status, const std::string& path, const char* part, uint64_t offset) {
  if (!status.IsCorruption()) return status.WithContext("table " + path);
  return TableCorruption(path, part, offset, status.message());
}

// What Open learns, in the order in which it may be trusted.
class TableOpener {
 public:
  TableOpener(FileSystem& fs, const std::string& path, const TableOpenOptions& options)
      : fs_(fs), path_(path), options_(options) {}

  Status Run();
  // For verification: what no read needs, so that no byte of the file is outside some check: meta blocks
  // that this version skips, and the padding before each. Requires: Run succeeded, in read mode.
  Status CheckTheRest();

  FileSystem& fs_;
  const std::string& path_;
  const TableOpenOptions& options_;
  std::unique_ptr<RandomAccessFile> file_;
  std::shared_ptr<const MappedRegion> region_;
  TableProperties properties_;
  BlockIndex index_;
  BloomFilter filter_;
  // Read mode: what index and filter borrow. unique_ptr, so that moving the list moves no bytes.
  std::vector<std::unique_ptr<std::string>> held_;
  uint64_t meta_bytes_ = 0;
  uint64_t held_bytes_ = 0;  // of them, what is not mapped

 private:
  Status ReadFooter();
  Status MapFile();
  // A view of the mapping, or of bytes added to held_.
  Result<Slice> Load(const char* part, uint64_t offset, uint64_t bytes);
  Result<std::optional<Slice>> LoadMeta(uint32_t id, const char* part, bool required);
  void ExpectMeta() const;
  Status LoadParts();
  Status CheckAgreement() const;
  void CountRead(uint64_t bytes) const {
    if (options_.statistics != nullptr) options_.statistics->Add(Counter::table_bytes_read, bytes);
  }

  uint64_t file_bytes_ = 0;
  TableFooter footer_;
  std::vector<MetaBlock> metas_;
};

Status TableOpener::Run() {
  SEERDB_ASSIGN_OR_RETURN(file_, fs_.NewRandomAccessFile(path_));
  SEERDB_ASSIGN_OR_RETURN(file_bytes_, file_->Size());
  if (options_.expected_bytes != 0 && file_bytes_ != options_.expected_bytes) {
    return TableCorruption(path_, "file", 0,
                           FoundExpected("file bytes", file_bytes_, options_.expected_bytes));
  }
  SEERDB_RETURN_IF_ERROR(ReadFooter());
  SEERDB_RETURN_IF_ERROR(MapFile());
  SEERDB_ASSIGN_OR_RETURN(const Slice list,
                          Load("meta list", footer_.meta_list_offset, footer_.meta_list_bytes));
  const uint32_t found = TableChecksum(footer_.table_number, footer_.meta_list_offset, list);
  if (found != footer_.meta_list_checksum) {
    return TableCorruption(path_, "meta list", footer_.meta_list_offset,
                           ChecksumMismatch(found, footer_.meta_list_checksum));
  }
  Result<std::vector<MetaBlock>> metas = DecodeMetaList(list, footer_.meta_list_offset);
  if (!metas.ok()) return InFile(metas.status(), path_, "meta list", footer_.meta_list_offset);
  metas_ = *std::move(metas);
  if (region_ != nullptr) ExpectMeta();
  SEERDB_RETURN_IF_ERROR(LoadParts());
  if (region_ != nullptr) file_.reset();
  return CheckAgreement();
}

Status TableOpener::ReadFooter() {
  if (file_bytes_ < kTableFooterBytes) {
    return TableCorruption(path_, "file", 0, FoundExpected("file bytes", file_bytes_, kTableFooterBytes));
  }
  const uint64_t offset = file_bytes_ - kTableFooterBytes;
  char scratch[kTableFooterBytes];
  SEERDB_ASSIGN_OR_RETURN(const Slice bytes, file_->Read(offset, sizeof scratch, scratch));
  CountRead(bytes.size());
  Result<TableFooter> footer = DecodeTableFooter(bytes, file_bytes_);
  if (!footer.ok()) return InFile(footer.status(), path_, "footer", offset);
  footer_ = *footer;
  if (footer_.table_number != options_.table_number) {
    return TableCorruption(path_, "footer", offset,
                           FoundExpected("table number", footer_.table_number, options_.table_number));
  }
  return Status::Ok();
}

Status TableOpener::MapFile() {
  if (options_.access == TableAccess::kPread) return Status::Ok();
  Result<std::shared_ptr<const MappedRegion>> region = file_->Map();
  if (region.status().IsNotSupported()) return Status::Ok();
  if (!region.ok()) return region.status();
  if ((*region)->bytes().size() != file_bytes_) {
    return TableCorruption(path_, "file", 0,
                           FoundExpected("mapped bytes", (*region)->bytes().size(), file_bytes_));
  }
  region_ = *std::move(region);
  region_->ExpectRandomReads();
  return Status::Ok();
}

Result<Slice> TableOpener::Load(const char* part, uint64_t offset, uint64_t bytes) {
  if (region_ != nullptr) return region_->bytes().substr(offset, bytes);
  // Lines of the filter want their alignment in memory too.
  auto buffer = std::make_unique<std::string>(bytes + kMetaAlignment, '\0');
  const uintptr_t address = reinterpret_cast<uintptr_t>(buffer->data());
  char* const scratch = buffer->data() + (kMetaAlignment - address % kMetaAlignment) % kMetaAlignment;
  SEERDB_ASSIGN_OR_RETURN(const Slice read, file_->Read(offset, bytes, scratch));
  CountRead(read.size());
  if (read.size() != bytes)
    return TableCorruption(path_, part, offset, FoundExpected("bytes", read.size(), bytes));
  if (read.data() != scratch) std::memcpy(scratch, read.data(), bytes);
  held_bytes_ += buffer->capacity();
  held_.push_back(std::move(buffer));
  return Slice(scratch, bytes);
}

Result<std::optional<Slice>> TableOpener::LoadMeta(uint32_t id, const char* part, bool required) {
  for (const MetaBlock& meta : metas_) {
    if (meta.id != id) continue;
    SEERDB_ASSIGN_OR_RETURN(const Slice bytes, Load(part, meta.offset, meta.bytes));
    const uint32_t found = TableChecksum(footer_.table_number, meta.offset, bytes);
    if (found != meta.checksum) {
      return TableCorruption(path_, part, meta.offset, ChecksumMismatch(found, meta.checksum));
    }
    meta_bytes_ += bytes.size();
    return std::optional<Slice>(bytes);
  }
  if (!required) return std::optional<Slice>();
  return TableCorruption(path_, "meta list", footer_.meta_list_offset, std::string("no ") + part);
}

// All of it is read now; a page fault would load no more than a page.
void TableOpener::ExpectMeta() const {
  uint64_t begin = footer_.meta_list_offset;
  for (const MetaBlock& meta : metas_) begin = std::min(begin, meta.offset);
  region_->WillNeed(begin, file_bytes_ - begin);
}

Status TableOpener::LoadParts() {
  SEERDB_ASSIGN_OR_RETURN(const auto properties, LoadMeta(kMetaProperties, "properties", true));
  Result<TableProperties> decoded = DecodeTableProperties(*properties);
  if (!decoded.ok()) return InFile(decoded.status(), path_, "properties", 0);
  properties_ = *std::move(decoded);
  properties_.file_bytes = file_bytes_;

  SEERDB_ASSIGN_OR_RETURN(const auto sequence, LoadMeta(kMetaGlobalSequence, "global sequence", false));
  if (sequence.has_value()) {
    Result<SequenceNumber> global = DecodeGlobalSequence(*sequence);
    if (!global.ok()) return InFile(global.status(), path_, "global sequence", 0);
    properties_.global_sequence = *global;
  }

  uint64_t data_limit = footer_.meta_list_offset;
  for (const MetaBlock& meta : metas_) data_limit = meta.offset < data_limit ? meta.offset : data_limit;
  SEERDB_ASSIGN_OR_RETURN(const auto index, LoadMeta(kMetaIndex, "index", true));
  Result<BlockIndex> block_index = BlockIndex::Decode(*index, data_limit);
  if (!block_index.ok()) return InFile(block_index.status(), path_, "index", 0);
  index_ = *std::move(block_index);

  SEERDB_ASSIGN_OR_RETURN(const auto model, LoadMeta(kMetaBlockModel, "block model", false));
  if (model.has_value()) {
    Result<PlaModel> pla = DecodePlaModel(*model);
    if (!pla.ok()) return InFile(pla.status(), path_, "block model", 0);
    meta_bytes_ += pla->memory_bytes();
    held_bytes_ += pla->memory_bytes();
    index_.set_model(*std::move(pla));
  }
  SEERDB_ASSIGN_OR_RETURN(const auto filter, LoadMeta(kMetaFilter, "filter", false));
  if (filter.has_value()) {
    Result<BloomFilter> bloom = BloomFilter::Decode(*filter);
    if (!bloom.ok()) return InFile(bloom.status(), path_, "filter", 0);
    filter_ = *bloom;
  }
  return Status::Ok();
}

Status TableOpener::CheckAgreement() const {
  const auto check = [&](const char* what, uint64_t found, uint64_t expected) {
    if (found == expected) return Status::Ok();
    return TableCorruption(path_, "properties", 0, FoundExpected(what, found, expected));
  };
  SEERDB_RETURN_IF_ERROR(check("table number", properties_.table_number, footer_.table_number));
  SEERDB_RETURN_IF_ERROR(check("data blocks", properties_.data_blocks, index_.blocks()));
  if (const SequenceNumber global = properties_.global_sequence; global != 0) {
    // One version of a key, so that nothing in the index refers to the stored sequences.
    SEERDB_RETURN_IF_ERROR(check("keys", properties_.keys, properties_.entries));
    SEERDB_RETURN_IF_ERROR(check("smallest sequence", properties_.smallest_sequence, global));
    SEERDB_RETURN_IF_ERROR(check("largest sequence", properties_.largest_sequence, global));
  }
  return check("data bytes", properties_.data_bytes, index_.data_end());
}

Status TableOpener::CheckTheRest() {
  uint64_t end = index_.data_end();
  for (const MetaBlock& meta : metas_) {
    if (meta.offset - end >= kMetaAlignment) {
      return TableCorruption(path_, "padding", end,
                             FoundExpected("bytes", meta.offset - end, kMetaAlignment - 1));
    }
    SEERDB_ASSIGN_OR_RETURN(const Slice padding, Load("padding", end, meta.offset - end));
    if (padding.find_first_not_of('\0') != Slice::npos) {
      return TableCorruption(path_, "padding", end, "found other bytes than zeros");
    }
    SEERDB_RETURN_IF_ERROR(LoadMeta(meta.id, "meta block", true).status());
    end = meta.offset + meta.bytes;
  }
  if (end == footer_.meta_list_offset) return Status::Ok();
  return TableCorruption(path_, "meta list", footer_.meta_list_offset,
                         FoundExpected("end of meta blocks", end, footer_.meta_list_offset));
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
        mapped_bytes_(opened.region_ != nullptr ? opened.region_->bytes().size() : 0),
        source_({opened.path_, options_.table_number, properties_.global_sequence}, &index_,
                {std::move(opened.region_), std::move(opened.file_)}, options_),
        memory_bytes_(opened.meta_bytes_ + source_.memory_bytes()),
        held_bytes_(opened.held_bytes_ + source_.memory_bytes() + sizeof(OpenTable)) {}

  void FindProbe(const LookupKey& lookup, TableProbe* probe) const override {
    Find(probe->guess, lookup, probe);
  }
  void EnterProbe(const LookupKey& lookup, const TableProbe& probe) const override {
    source_.PrefetchRecord(probe.block, TagOfHash(lookup.hash));
  }
  std::unique_ptr<InternalIterator> NewIterator(const TableReadFlags& flags) const override {
    return NewTableIterator(flags, source_, *fs_);
  }
  Status Verify(VerifyResult* result) const override;
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
    Find(index_.GuessOf(lookup.key), lookup, &probe);
    return Search(flags, lookup, probe, result);
  }
  void GuessProbe(const LookupKey& lookup, TableProbe* probe) const override {
    probe->guess = index_.GuessOf(lookup.key);
    index_.Prefetch(probe->guess);
  }
  Status SearchProbe(const TableReadFlags& flags, const LookupKey& lookup, const TableProbe& probe,
                     Lookup* result) const override {
    return Search(flags, lookup, probe, result);
  }
  // These two stand in the straight line of Get as well as in the steps of a probe.
  [[gnu::always_inline]] void Find(const BlockGuess& guess, const LookupKey& lookup,
                                   TableProbe* probe) const {
    probe->block = index_.Find(guess, lookup.key, SeekTrailer(lookup.sequence), &probe->by_model);
    source_.Prefetch(probe->block);
    source_.Expect(probe->block, lookup.hash);
  }
  // From probe.block on.
  [[gnu::always_inline]] Status Search(const TableReadFlags& flags, const LookupKey& lookup,
                                       const TableProbe& probe, Lookup* result) const;

  FileSystem* const fs_;  // outlives the reader, like every user of it
  const TableOpenOptions options_;
  const std::vector<std::unique_ptr<std::string>> held_;
  const TableProperties properties_;
  const BlockIndex index_;
  const uint64_t mapped_bytes_;
  const BlockSource source_;
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
      result->type = TrailerType(record.trailer);
      result->state = result->type == ValueType::kDeletion ? Lookup::State::kDeleted : Lookup::State::kFound;
      result->sequence = TrailerSequence(record.trailer);
      result->value = record.value;
      if (ref.owner != nullptr || result->owner != nullptr) result->owner = std::move(ref.owner);
      return Status::Ok();
    }
    ++block;
    if (SEERDB_MUTANT("get-stops-at-block-end")) break;
  } while (block < index_.blocks() && index_.Continues(block, lookup.key));
  if (shard != nullptr && !filter().empty()) shard->Add(Counter::filter_false_positives);
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
  TableVerifier verifier(*fs_, table.source_, table.filter(), table.properties_);
  return verifier.Run(result);
}

}  // namespace

Result<std::shared_ptr<TableReader>> TableReader::Open(FileSystem& fs, const std::string& path,
                                                       const TableOpenOptions& options) {
  TableOpener opener(fs, path, options);
  SEERDB_RETURN_IF_ERROR(opener.Run());
  return std::shared_ptr<TableReader>(std::make_shared<OpenTable>(std::move(opener)));
}

}  // namespace seerdb
