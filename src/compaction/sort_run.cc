#include "compaction/sort_run.h"

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/status_macros.h"

namespace seerdb {
namespace {

constexpr size_t kChunkHeaderBytes = 8;

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
  if (bytes > file_bytes_ - offset_) {
    return Corrupt("found " + std::to_string(file_bytes_ - offset_) + " bytes, expected " +
                   std::to_string(bytes));
  }
  if (buffer_.size() < bytes) buffer_.resize(bytes);
  SEERDB_ASSIGN_OR_RETURN(const Slice read, file_->Read(offset_, bytes, buffer_.data()));
  if (read.size() == bytes) return read;
  return Corrupt("found " + std::to_string(read.size()) + " bytes, expected " + std::to_string(bytes));
}

Status SortRunReader::ReadChunk() {
  SEERDB_ASSIGN_OR_RETURN(const Slice header, Read(kChunkHeaderBytes));
  const uint64_t bytes = LoadU32(header.data());
  const uint32_t expected = LoadU32(header.data() + 4);
  SEERDB_ASSIGN_OR_RETURN(const Slice chunk, Read(kChunkHeaderBytes + bytes));
  rest_ = chunk.substr(kChunkHeaderBytes);
  const uint32_t found = ChunkChecksum(offset_, rest_);
  if (found != expected) {
    return Corrupt("crc found " + std::to_string(found) + " expected " + std::to_string(expected));
  }
  file_->ReadAhead(offset_ + chunk.size(), chunk.size());
  offset_ += chunk.size();
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
  if (p == nullptr || key_bytes > static_cast<uint64_t>(limit - p) ||
      value_bytes > static_cast<uint64_t>(limit - p) - key_bytes) {
    return Corrupt("a record does not fit its chunk");
  }
  key_ = Slice(p, key_bytes);
  value_ = Slice(p + key_bytes, value_bytes);
  p += key_bytes + value_bytes;
  rest_ = Slice(p, static_cast<size_t>(limit - p));
  ++entries_;
  return true;
}

}  // namespace seerdb
