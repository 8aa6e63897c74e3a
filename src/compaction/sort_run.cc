#include "compaction/sort_run.h"

#include <algorithm>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "seerdb/types.h"

namespace seerdb {
namespace {

constexpr size_t kChunkHeaderBytes = 8;
// A larger chunk holds one entry, whose key is found in its front.
constexpr uint64_t kLargeChunkBytes = uint64_t{512} << 10;
constexpr uint64_t kFrontBytes = kMaxKeyBytes + 64;

uint32_t ChunkChecksum(uint64_t offset, Slice records) {
  char place[sizeof(uint64_t)];
  StoreU64(place, offset);
  return crc32c::Extend(crc32c::Value(Slice(place, sizeof place)), records.data(), records.size());
}

}  // namespace

Status SortRunWriter::Add(Slice key, Slice value) {
  const size_t bytes = VarintBytes(key.size()) + VarintBytes(value.size()) + key.size() + value.size();
  if (!chunk_.empty() && chunk_.size() + bytes > chunk_bytes_) SEERDB_RETURN_IF_ERROR(WriteChunk());
  if (chunk_.empty()) chunk_.resize(kChunkHeaderBytes);
  AppendVarint(&chunk_, key.size());
  AppendVarint(&chunk_, value.size());
  chunk_.append(key);
  chunk_.append(value);
  ++entries_;
  return {};
}

Status SortRunWriter::WriteChunk() {
  StoreU32(chunk_.data(), static_cast<uint32_t>(chunk_.size() - kChunkHeaderBytes));
  StoreU32(chunk_.data() + 4, ChunkChecksum(offset_, Slice(chunk_).substr(kChunkHeaderBytes)));
  SEERDB_RETURN_IF_ERROR(file_->Append(chunk_));
  offset_ += chunk_.size();
  chunk_.clear();
  if (chunk_.capacity() > 2 * chunk_bytes_) chunk_.shrink_to_fit();
  return {};
}

Status SortRunWriter::Finish() {
  if (!chunk_.empty()) SEERDB_RETURN_IF_ERROR(WriteChunk());
  return file_->Close();
}

Result<std::unique_ptr<SortRunReader>> SortRunReader::Open(FileSystem& fs, const SortRun& run) {
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs.NewRandomAccessFile(run.path));
  SEERDB_ASSIGN_OR_RETURN(const uint64_t file_bytes, file->Size());
  return std::unique_ptr<SortRunReader>(new SortRunReader(run, std::move(file), file_bytes));
}

Status SortRunReader::Corrupt(Slice what) const {
  return Status::Corruption("sort run " + run_.path + " @" + std::to_string(offset_) + ": " +
                            std::string(what));
}

Result<Slice> SortRunReader::Read(uint64_t bytes) {
  const uint64_t left = file_bytes_ - std::min(offset_, file_bytes_);
  if (bytes > left) {
    return Corrupt("found " + std::to_string(left) + " bytes, expected " + std::to_string(bytes));
  }
  if (buffer_.size() < bytes) buffer_.resize(bytes);
  SEERDB_ASSIGN_OR_RETURN(const Slice read, file_->Read(offset_, bytes, buffer_.data()));
  if (read.size() == bytes) return read;
  return Corrupt("found " + std::to_string(read.size()) + " bytes, expected " + std::to_string(bytes));
}

Status SortRunReader::CheckChunk(Slice records) const {
  const uint32_t found = ChunkChecksum(offset_, records);
  if (found == checksum_) return {};
  return Corrupt("crc found " + std::to_string(found) + " expected " + std::to_string(checksum_));
}

Status SortRunReader::ReadChunk() {
  offset_ = next_offset_;
  if (buffer_.size() > kLargeChunkBytes) std::string().swap(buffer_);
  SEERDB_ASSIGN_OR_RETURN(const Slice header, Read(kChunkHeaderBytes));
  const uint64_t bytes = kChunkHeaderBytes + LoadU32(header.data());
  checksum_ = LoadU32(header.data() + 4);
  next_offset_ = offset_ + bytes;
  value_left_ = bytes > kLargeChunkBytes;
  SEERDB_ASSIGN_OR_RETURN(const Slice chunk, Read(value_left_ ? kFrontBytes : bytes));
  rest_ = chunk.substr(kChunkHeaderBytes);
  if (value_left_) return {};
  SEERDB_RETURN_IF_ERROR(CheckChunk(rest_));
  file_->ReadAhead(next_offset_, bytes);
  return {};
}

Status SortRunReader::LoadValue() {
  if (!value_left_) return {};
  const uint64_t key_bytes = key_.size();
  SEERDB_ASSIGN_OR_RETURN(const Slice chunk, Read(next_offset_ - offset_));
  SEERDB_RETURN_IF_ERROR(CheckChunk(chunk.substr(kChunkHeaderBytes)));
  key_ = chunk.substr(key_offset_, key_bytes);
  value_ = chunk.substr(key_offset_ + key_bytes);
  value_left_ = false;
  return {};
}

Result<bool> SortRunReader::Next() {
  if (entries_ == run_.entries) return false;
  if (rest_.empty()) SEERDB_RETURN_IF_ERROR(ReadChunk());
  const char* p = rest_.data();
  const char* const limit = p + rest_.size();
  uint64_t key_bytes = 0;
  uint64_t value_bytes = 0;
  p = DecodeVarint(p, limit, &key_bytes);
  if (p != nullptr) p = DecodeVarint(p, limit, &value_bytes);
  if (p == nullptr || key_bytes > static_cast<uint64_t>(limit - p)) {
    return Corrupt("a record does not fit its chunk");
  }
  key_ = Slice(p, key_bytes);
  p += key_bytes;
  ++entries_;
  if (value_left_) {
    key_offset_ = kChunkHeaderBytes + static_cast<uint64_t>(key_.data() - rest_.data());
    if (value_bytes != next_offset_ - offset_ - key_offset_ - key_bytes) {
      return Corrupt("a large record does not fill its chunk");
    }
    rest_ = Slice();
    return true;
  }
  if (value_bytes > static_cast<uint64_t>(limit - p)) return Corrupt("a record does not fit its chunk");
  value_ = Slice(p, value_bytes);
  p += value_bytes;
  rest_ = Slice(p, static_cast<size_t>(limit - p));
  return true;
}

}  // namespace seerdb
