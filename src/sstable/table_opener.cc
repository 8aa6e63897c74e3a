#include "sstable/table_opener.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/coding.h"
#include "base/status_macros.h"
#include "sstable/properties_codec.h"

namespace seerdb {
namespace {

// Adds the file's name to an error of a decoder that does not know it.
Status InFile(const Status& status, const std::string& path, const char* part, uint64_t offset) {
  if (!status.IsCorruption()) return status.WithContext("table " + path);
  return TableCorruption(path, part, offset, status.message());
}

}  // namespace

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

  SEERDB_RETURN_IF_ERROR(LoadModel());
  SEERDB_ASSIGN_OR_RETURN(const auto filter, LoadMeta(kMetaFilter, "filter", false));
  if (filter.has_value()) {
    Result<BloomFilter> bloom = BloomFilter::Decode(*filter);
    if (!bloom.ok()) return InFile(bloom.status(), path_, "filter", 0);
    filter_ = *bloom;
  }
  return LoadTags();
}

Status TableOpener::LoadModel() {
  for (const ModelKind kind : kAllModelKinds) {
    if (kind == ModelKind::kNone) continue;
    SEERDB_ASSIGN_OR_RETURN(const auto bytes, LoadMeta(MetaOfModel(kind), "block model", false));
    if (!bytes.has_value()) continue;
    if (properties_.block_model != ModelKind::kNone)
      return TableCorruption(path_, "meta list", footer_.meta_list_offset, "found two block models");
    const std::vector<uint64_t> windows =
        kind == ModelKind::kAlex ? index_.Windows() : std::vector<uint64_t>();
    Result<IndexModel> model = IndexModel::Decode(kind, *bytes, windows);
    if (!model.ok()) return InFile(model.status(), path_, "block model", 0);
    meta_bytes_ += model->memory_bytes();
    held_bytes_ += model->memory_bytes();
    properties_.block_model = kind;
    index_.set_model(*std::move(model));
  }
  return Status::Ok();
}

Status TableOpener::LoadTags() {
  SEERDB_ASSIGN_OR_RETURN(const auto tags, LoadMeta(kMetaTagIndex, "tag index", false));
  if (!tags.has_value()) return Status::Ok();
  Result<TagIndex> index = TagIndex::Decode(*tags, index_.blocks(), properties_.entries);
  if (!index.ok()) return InFile(index.status(), path_, "tag index", 0);
  tags_ = *std::move(index);
  meta_bytes_ += tags_.memory_bytes();
  held_bytes_ += tags_.memory_bytes();
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

}  // namespace seerdb
