#include "sstable/table_salvage.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/coding.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "sstable/block_finder.h"
#include "sstable/block_index.h"
#include "sstable/table_format.h"
#include "sstable/tag_block.h"

namespace seerdb {
namespace {

using Visit = std::function<Status(Slice key, uint64_t trailer, Slice value)>;

class Salvage {
 public:
  Salvage(FileSystem& fs, const std::string& path, uint64_t table_number, const SalvageBounds& bounds,
          const Visit& visit)
      : fs_(fs),
        path_(path),
        table_number_(table_number),
        bounds_(bounds),
        visit_(visit),
        global_sequence_(bounds.sequence) {}

  Result<TableSalvage> Run() {
    SEERDB_ASSIGN_OR_RETURN(file_, fs_.NewRandomAccessFile(path_));
    SEERDB_ASSIGN_OR_RETURN(file_bytes_, file_->Size());
    std::string index_bytes;
    const Result<BlockIndex> index = ReadIndex(&index_bytes);
    if (index.ok()) {
      SEERDB_RETURN_IF_ERROR(WalkIndex(*index));
    } else {
      if (!index.status().IsCorruption() && !IsUnreadable(index.status())) return index.status();
      SEERDB_RETURN_IF_ERROR(Search(std::string(index.status().message())));
    }
    // Searched ranges were taken for lost before it was known how much there is.
    if (bounds_.entries != 0 && result_.entries == bounds_.entries) result_.lost.clear();
    return std::move(result_);
  }

 private:
  Result<std::string> Read(uint64_t offset, uint64_t bytes) const {
    if (offset > file_bytes_ || bytes > file_bytes_ - offset)
      return Status::Corruption("the file is too short");
    std::string buffer(bytes, '\0');
    SEERDB_ASSIGN_OR_RETURN(const Slice read, file_->Read(offset, bytes, buffer.data()));
    if (read.size() != bytes) return Status::Corruption("the file is too short");
    if (read.data() != buffer.data()) buffer.assign(read);
    return buffer;
  }

  // Where the meta blocks are. kCorruption if the way to them is damaged.
  Result<std::vector<MetaBlock>> ReadMetas() const {
    if (file_bytes_ < kTableFooterBytes) return Status::Corruption("the file is shorter than a footer");
    const uint64_t footer_at = file_bytes_ - kTableFooterBytes;
    SEERDB_ASSIGN_OR_RETURN(const std::string footer, Read(footer_at, kTableFooterBytes));
    if (Status status = DecodeTableFooter(footer, file_bytes_).status(); status.IsNotSupported())
      return status;
    // A damaged footer may still say rightly where the list is: its checksum decides.
    const uint64_t list_bytes = LoadU32(footer.data() + 8);
    if (list_bytes > footer_at) return Status::Corruption("the footer is damaged");
    const uint64_t list_at = footer_at - list_bytes;
    SEERDB_ASSIGN_OR_RETURN(const std::string list, Read(list_at, list_bytes));
    if (TableChecksum(table_number_, list_at, list) != LoadU32(footer.data() + 12)) {
      return Status::Corruption("footer or meta list are damaged");
    }
    return DecodeMetaList(list, list_at);
  }

  // The sequence of all entries, where they do not have their own. A table that is damaged there too can only
  // be placed in time by the manifest.
  void LearnGlobalSequence(const std::vector<MetaBlock>& metas) {
    needs_sequence_ = false;
    for (const MetaBlock& meta : metas) {
      if (meta.id != kMetaGlobalSequence) continue;
      needs_sequence_ = true;
      const Result<std::string> bytes = Read(meta.offset, meta.bytes);
      if (!bytes.ok() || TableChecksum(table_number_, meta.offset, *bytes) != meta.checksum) return;
      const Result<SequenceNumber> global = DecodeGlobalSequence(*bytes);
      if (global.ok()) global_sequence_ = *global;
    }
  }

  // The index, borrowing `bytes`.
  Result<BlockIndex> ReadIndex(std::string* bytes) {
    SEERDB_ASSIGN_OR_RETURN(const std::vector<MetaBlock> metas, ReadMetas());
    LearnGlobalSequence(metas);
    uint64_t data_limit = file_bytes_;
    for (const MetaBlock& meta : metas) data_limit = std::min(data_limit, meta.offset);
    for (const MetaBlock& meta : metas) {
      if (meta.id != kMetaIndex) continue;
      SEERDB_ASSIGN_OR_RETURN(*bytes, Read(meta.offset, meta.bytes));
      if (TableChecksum(table_number_, meta.offset, *bytes) != meta.checksum) break;
      return BlockIndex::Decode(*bytes, data_limit);
    }
    return Status::Corruption("the index is damaged");
  }

  Status WalkIndex(const BlockIndex& index) {
    for (uint32_t i = 0; i < index.blocks(); ++i) {
      const BlockPlace place = index.Place(i);
      const uint64_t bytes = place.bytes + kBlockTrailerBytes;
      const Result<std::string> stored = Read(place.offset, bytes);
      // A sector that the device cannot read is one more lost block.
      if (stored.status().IsIoError() && stored.status().detail() != StatusDetail::kNone) {
        return stored.status();
      }
      if (!stored.ok()) {
        Lose(place.offset, bytes, std::string(stored.status().message()));
        continue;
      }
      const Result<std::string> content = OpenStoredBlock(table_number_, place.offset, *stored);
      if (content.ok()) {
        SEERDB_RETURN_IF_ERROR(TakeBlock(place.offset, bytes, *content));
      } else {
        Lose(place.offset, bytes, std::string(content.status().message()));
      }
    }
    return {};
  }

  Status Search(const std::string& why) {
    BlockFinder finder(*file_, file_bytes_, table_number_);
    uint64_t offset = 0;
    for (;;) {
      SEERDB_ASSIGN_OR_RETURN(const std::optional<FoundBlock> found, finder.Find(offset));
      if (!found.has_value()) break;
      if (found->offset > offset) Lose(offset, found->offset - offset, "no intact block; " + why);
      SEERDB_RETURN_IF_ERROR(TakeBlock(found->offset, found->bytes, found->content));
      offset = found->offset + found->bytes;
    }
    Lose(offset, file_bytes_ - offset, "no intact block up to the end; " + why);
    return {};
  }

  // The block's entries with their sequences; none if nobody knows them.
  std::optional<TagBlock> ViewOf(Slice content) const {
    const TagBlock stored(content);
    TagRecord first;
    stored.Parse(stored.RecordStart(0), &first);
    if (TrailerSequence(first.trailer) != 0 || !needs_sequence_) return stored;
    if (global_sequence_ == 0 && !SEERDB_MUTANT("salvage-guesses-sequence")) return std::nullopt;
    return TagBlock(content, global_sequence_);
  }

  // True if the entries ascend, behind those before, and within the bounds.
  bool InOrder(const TagBlock& block) const {
    std::string key = last_key_.value_or("");
    uint64_t trailer = last_trailer_;
    bool first = !last_key_.has_value();
    for (uint32_t i = 0; i < block.entries(); ++i) {
      TagRecord record;
      block.Parse(block.RecordStart(i), &record);
      std::string next = std::string(block.prefix()).append(record.suffix);
      if (!first && CompareInternal(key, trailer, next, record.trailer) >= 0) return false;
      if (bounds_.smallest_key.has_value() && next < *bounds_.smallest_key) return false;
      if (bounds_.largest_key.has_value() && next > *bounds_.largest_key) return false;
      key = std::move(next);
      trailer = record.trailer;
      first = false;
    }
    return true;
  }

  Status TakeBlock(uint64_t offset, uint64_t bytes, Slice content) {
    const std::optional<TagBlock> view = ViewOf(content);
    if (!view.has_value()) {
      Lose(offset, bytes, "its entries are bulk loaded, and what says when is damaged");
      return {};
    }
    const TagBlock& block = *view;
    if (!InOrder(block)) {
      Lose(offset, bytes, "its keys are not in their order");
      return {};
    }
    for (uint32_t i = 0; i < block.entries(); ++i) {
      TagRecord record;
      block.Parse(block.RecordStart(i), &record);
      last_key_ = std::string(block.prefix()).append(record.suffix);
      last_trailer_ = record.trailer;
      if (i == 0 && open_loss_) result_.lost.back().key_behind = last_key_;
      open_loss_ = false;
      SEERDB_RETURN_IF_ERROR(visit_(*last_key_, record.trailer, record.value));
      ++result_.entries;
      result_.largest_sequence = std::max(result_.largest_sequence, TrailerSequence(record.trailer));
    }
    ++result_.blocks;
    return {};
  }

  void Lose(uint64_t offset, uint64_t bytes, std::string reason) {
    if (open_loss_) {
      LostBlocks& last = result_.lost.back();
      last.bytes = offset + bytes - last.offset;
      return;
    }
    result_.lost.push_back({offset, bytes, last_key_, std::nullopt, std::move(reason)});
    open_loss_ = true;
  }

  FileSystem& fs_;
  const std::string& path_;
  const uint64_t table_number_;
  const SalvageBounds& bounds_;
  const Visit& visit_;
  std::unique_ptr<RandomAccessFile> file_;
  uint64_t file_bytes_ = 0;
  bool needs_sequence_ =
      true;  // entries with sequence 0 have global_sequence_; unless the table says otherwise
  SequenceNumber global_sequence_;  // 0: not known
  std::optional<std::string> last_key_;
  uint64_t last_trailer_ = 0;
  bool open_loss_ = false;  // nothing intact has come behind the last loss
  TableSalvage result_;
};

}  // namespace

Result<TableSalvage> SalvageTable(FileSystem& fs, const std::string& path, uint64_t table_number,
                                  const SalvageBounds& bounds, const Visit& visit) {
  return Salvage(fs, path, table_number, bounds, visit).Run();
}

}  // namespace seerdb
