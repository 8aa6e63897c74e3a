#include "vlog/value_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/coding.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "vlog/value_format.h"

namespace seerdb {
namespace {

// Memory that is not set before it is written to.
class ValueBuffer {
 public:
  ValueBuffer(uint64_t bytes, std::shared_ptr<MemoryAccount> account)
      : bytes_(new char[bytes]), charge_(std::move(account), MemoryClass::kPinnedBlocks, bytes) {}
  char* data() const { return bytes_.get(); }

 private:
  const std::unique_ptr<char[]> bytes_;
  const MemoryCharge charge_;
};

}  // namespace

Result<std::shared_ptr<ValueReader>> ValueReader::Open(FileSystem& fs, const std::string& path,
                                                       const ValueOpenOptions& options) {
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs.NewRandomAccessFile(path));
  if (options.forget_cached) file->ForgetClean();
  char scratch[kValueSegmentHeaderBytes];
  SEERDB_ASSIGN_OR_RETURN(const Slice bytes, file->Read(0, sizeof scratch, scratch));
  std::shared_ptr<ValueReader> reader(new ValueReader(path, options, std::move(file)));
  ValueSegmentHeader header;
  if (!DecodeValueSegmentHeader(bytes, &header)) {
    return reader->Damage(0, "found no intact header, expected one");
  }
  if (header.segment != options.segment || header.database != options.database) {
    return reader->Damage(0, "found the header of another segment, or another database's");
  }
  return reader;
}

Status ValueReader::Damage(uint64_t offset, Slice what) const {
  return Status::Corruption("read value " + path_ + " @" + std::to_string(offset) + ": " + std::string(what),
                            StatusDetail::kValueCorruption);
}

void ValueReader::MapOnce() const {
  MutexLock lock(&mu_);
  if (tried_to_map_) return;
  tried_to_map_ = true;
  map_tried_.store(true, std::memory_order_relaxed);
  if (options_.access == TableAccess::kPread) return;
  Result<std::shared_ptr<const MappedRegion>> region = file_->Map();
  if (!region.ok()) return;  // read calls will do
  region_ = *std::move(region);
  mapped_charge_.Set(region_->bytes().size());
  mapped_.store(&region_, std::memory_order_release);
}

Status ValueReader::Get(uint64_t offset, uint64_t bytes, FetchedValue* value) const {
  if (sealed_.load(std::memory_order_acquire) && !map_tried_.load(std::memory_order_relaxed)) MapOnce();
  if (const auto* const region = mapped_.load(std::memory_order_acquire)) {
    const Slice all = (*region)->bytes();
    if (offset > all.size() || bytes > all.size() - offset) return Damage(offset, "the file ends before it");
    value->bytes = all.substr(offset, bytes);
    value->owner = *region;
    return {};
  }
  auto buffer = std::make_shared<const ValueBuffer>(bytes, options_.account);
  SEERDB_ASSIGN_OR_RETURN(const Slice found, file_->Read(offset, bytes, buffer->data()));
  if (found.size() < bytes) return Damage(offset, "the file ends before it");
  value->bytes = found;
  value->owner = std::move(buffer);
  return {};
}

Status ValueReader::CheckCrc(uint64_t offset, Slice bytes, uint32_t expected) const {
  const uint32_t found = ValueChunkCrc(options_.segment, offset, bytes);
  if (found == expected || SEERDB_MUTANT("value-crc-not-checked")) return {};
  return Damage(offset, "found checksum " + std::to_string(found) + ", expected " + std::to_string(expected));
}

Status ValueReader::GetTable(const ValuePointer& pointer, FetchedValue* table) const {
  const uint64_t offset = pointer.offset + pointer.bytes;
  SEERDB_RETURN_IF_ERROR(Get(offset, ChunkTableBytes(pointer.bytes), table));
  return CheckCrc(offset, table->bytes, pointer.crc);
}

Status ValueReader::Read(const ValuePointer& pointer, FetchedValue* value) const {
  const uint64_t table_bytes = ChunkTableBytes(pointer.bytes);
  SEERDB_RETURN_IF_ERROR(Get(pointer.offset, pointer.bytes + table_bytes, value));
  if (table_bytes == 0) return CheckCrc(pointer.offset, value->bytes, pointer.crc);
  const Slice table = value->bytes.substr(pointer.bytes);
  value->bytes = value->bytes.substr(0, pointer.bytes);
  SEERDB_RETURN_IF_ERROR(CheckCrc(pointer.offset + pointer.bytes, table, pointer.crc));
  for (uint64_t begin = 0, i = 0; begin < pointer.bytes; begin += kValueChunkBytes, ++i) {
    SEERDB_RETURN_IF_ERROR(CheckCrc(pointer.offset + begin, value->bytes.substr(begin, kValueChunkBytes),
                                    LoadU32(table.data() + 4 * i)));
  }
  return {};
}

Status ValueReader::ReadPart(const ValuePointer& pointer, uint64_t begin, uint64_t bytes,
                             FetchedValue* value) const {
  if (ChunkTableBytes(pointer.bytes) == 0) {
    SEERDB_RETURN_IF_ERROR(Read(pointer, value));
    value->bytes = value->bytes.substr(begin, bytes);
    return {};
  }
  FetchedValue table;
  SEERDB_RETURN_IF_ERROR(GetTable(pointer, &table));
  const uint64_t first = begin / kValueChunkBytes;
  const uint64_t from = first * kValueChunkBytes;
  const uint64_t last = (begin + std::max<uint64_t>(bytes, 1) - 1) / kValueChunkBytes;
  const uint64_t to = std::min(pointer.bytes, (last + 1) * kValueChunkBytes);
  if (from >= to) {
    *value = {};
    return {};
  }
  SEERDB_RETURN_IF_ERROR(Get(pointer.offset + from, to - from, value));
  for (uint64_t i = first; i <= last; ++i) {
    const uint64_t at = i * kValueChunkBytes - from;
    SEERDB_RETURN_IF_ERROR(CheckCrc(pointer.offset + from + at, value->bytes.substr(at, kValueChunkBytes),
                                    LoadU32(table.bytes.data() + 4 * i)));
  }
  value->bytes = value->bytes.substr(begin - from, bytes);
  return {};
}

Status ValueReader::Check(const ValuePointer& pointer) const {
  constexpr uint64_t kStepBytes = 64 * kValueChunkBytes;
  uint64_t begin = 0;
  do {
    FetchedValue part;
    const uint64_t bytes = std::min(kStepBytes, pointer.bytes - begin);
    SEERDB_RETURN_IF_ERROR(ReadPart(pointer, begin, bytes, &part));
    begin += bytes;
  } while (begin < pointer.bytes);
  return {};
}

}  // namespace seerdb
