#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "env/memory_file_system.h"
#include "format/entry_payload.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "vlog/value_reader.h"
#include "vlog/value_writer.h"

namespace seerdb::fuzz {
namespace {

constexpr char kSegmentPath[] = "/db/000017.vlog";
constexpr uint64_t kSegment = 17;
constexpr DatabaseId kDatabase{1, 2};
// Memory for a value is taken before it is read; its pointer was checked by whoever stored it.
constexpr uint64_t kMostBytes = 1 << 20;

struct Written {
  std::string value;
  ValuePointer pointer;
  uint64_t end = 0;  // of what its checksums cover
  bool damaged = false;
};

// An entry that points says when it ends and where its value lies, and both again when written again.
void CheckPayload(ValueType type, Slice bytes) {
  ValuePointer pointer;
  uint64_t expires_us = 0;
  if (!ParsePointerPayload(type, bytes, &pointer, &expires_us)) return;
  std::string again;
  AppendPointerPayload(&again, expires_us, pointer);
  ValuePointer same;
  uint64_t same_us = 0;
  SEERDB_ASSERT(ParsePointerPayload(PointerTypeFor(expires_us), again, &same, &same_us));
  SEERDB_ASSERT(same == pointer && same_us == expires_us);
}

// What parses, encodes to what parses to the same.
void CheckCodecs(Slice bytes) {
  for (const ValueType type : {ValueType::kValue, ValueType::kValuePointer, ValueType::kExpiringPointer}) {
    CheckPayload(type, bytes);
  }
  ValuePointer pointer;
  if (ParseValuePointer(bytes, &pointer)) {
    SEERDB_ASSERT(pointer.segment > 0 && pointer.bytes <= kMaxValueBytes);
    std::string again;
    AppendValuePointer(&again, pointer);
    ValuePointer same;
    SEERDB_ASSERT(ParseValuePointer(again, &same) && same == pointer);
  }
  ValueBytesList list;
  if (ParseValueBytesList(bytes, &list)) {
    uint64_t last = 0;
    uint64_t sum = 0;
    for (const ValueBytes& one : list) {
      SEERDB_ASSERT(one.segment > last && one.bytes > 0);
      last = one.segment;
      sum += one.bytes;
    }
    SEERDB_ASSERT(TotalBytes(list) == sum);
    std::string again;
    AppendValueBytesList(&again, list);
    ValueBytesList same;
    SEERDB_ASSERT(ParseValueBytesList(again, &same) && same == list);
  }
  ValueSegmentHeader header;
  if (DecodeValueSegmentHeader(bytes, &header)) {
    std::string again;
    AppendValueSegmentHeader(&again, header);
    ValueSegmentHeader same;
    SEERDB_ASSERT(DecodeValueSegmentHeader(again, &same) && same == header);
  }
  ValueRecordHead head;
  if (DecodeValueRecordHead(bytes, &head) && bytes.size() >= kValueRecordHeadBytes + head.key_bytes) {
    CheckValueRecordHead(kSegment, 64, bytes.substr(0, kValueRecordHeadBytes),
                         bytes.substr(kValueRecordHeadBytes, head.key_bytes));
  }
}

std::vector<Written> WriteSegment(FileSystem& fs, Input* input) {
  std::vector<Written> written(input->Byte() % 5);
  auto writer = ValueWriter::Create(fs, kSegmentPath, {kDatabase, kSegment, 3});
  SEERDB_ASSERT(writer.ok());
  for (Written& one : written) {
    const uint8_t shape = input->Byte();
    const Slice key = input->Bytes(shape % 8);
    const uint64_t bytes = shape >= 192 ? input->Word() * uint64_t{3} : input->Byte();
    const uint8_t step = input->Byte();
    one.value.resize(bytes);
    for (uint64_t i = 0; i < bytes; ++i) one.value[i] = static_cast<char>(step * i + (i >> 8));
    SEERDB_ASSERT((*writer)->Add(key, Slice("k"), one.value, &one.pointer).ok());
    one.end = one.pointer.offset + bytes + ChunkTableBytes(bytes);
    if (shape % 16 >= 8) SEERDB_ASSERT((*writer)->Flush().ok());
  }
  SEERDB_ASSERT((*writer)->Flush().ok() && (*writer)->Close().ok());
  return written;
}

// Flips bits, or cuts the file; true if its header is damaged.
bool DamageSegment(Input* input, std::string* bytes, std::vector<Written>* written) {
  bool header = false;
  for (uint8_t n = input->Byte() % 4; n > 0; --n) {
    const uint8_t how = input->Byte();
    const uint64_t at = std::min<uint64_t>(input->Word() * uint64_t{how % 16 < 8 ? 1u : 9u}, bytes->size());
    const bool cut = how >= 224;
    for (Written& one : *written) {
      one.damaged |= cut ? at < one.end : at >= one.pointer.offset && at < one.end;
    }
    if (cut) {
      header |= at < kValueSegmentHeaderBytes;
      bytes->resize(at);
    } else if (at < bytes->size()) {
      header |= at < kValueSegmentHeaderBytes;
      (*bytes)[at] ^= static_cast<char>(1 << how % 8);
    }
  }
  return header;
}

void Store(FileSystem& fs, Slice bytes) {
  const auto file = fs.NewWritableFile(kSegmentPath, CreateMode::kTruncate);
  SEERDB_ASSERT(file.ok() && (*file)->Append(bytes).ok() && (*file)->Close().ok());
}

Result<std::shared_ptr<ValueReader>> Open(FileSystem& fs, bool mapped) {
  ValueOpenOptions options;
  options.access = mapped ? TableAccess::kMapped : TableAccess::kPread;
  options.database = kDatabase;
  options.segment = kSegment;
  auto opened = ValueReader::Open(fs, kSegmentPath, options);
  if (opened.ok() && mapped) (*opened)->NoteSealed();
  return opened;
}

void CheckDamage(const Status& status) {
  SEERDB_ASSERT(status.IsCorruption() && status.detail() == StatusDetail::kValueCorruption);
}

// A value is what was written, or reported. A bit that was flipped twice is what it was.
void CheckRead(const ValueReader& reader, const Written& one, Input* input) {
  FetchedValue value;
  const Status status = reader.Read(one.pointer, &value);
  if (status.ok()) {
    SEERDB_ASSERT(value.bytes == Slice(one.value));
  } else {
    SEERDB_ASSERT(one.damaged);
    CheckDamage(status);
  }
  SEERDB_ASSERT(reader.Check(one.pointer).ok() == status.ok());
  const uint64_t begin = std::min<uint64_t>(input->Word() * uint64_t{3}, one.value.size());
  const uint64_t bytes = std::min<uint64_t>(input->Word(), one.value.size() - begin);
  const Status part = reader.ReadPart(one.pointer, begin, bytes, &value);
  SEERDB_ASSERT(part.ok() || !status.ok());
  if (part.ok()) {
    SEERDB_ASSERT(value.bytes == Slice(one.value).substr(begin, bytes));
  } else {
    CheckDamage(part);
  }
}

}  // namespace

// A segment that was written reads as it was; of a damaged one, whatever is not as it was written is
// reported. A pointer that leads anywhere gives bytes with its checksum, or damage.
void FuzzValues(Slice bytes) {
  Input input(bytes);
  MemoryFileSystem fs;
  SEERDB_ASSERT(fs.CreateDirectory("/db").ok());
  const bool mapped = input.Byte() % 2 == 1;
  std::vector<Written> written = WriteSegment(fs, &input);
  Result<std::string> file = ReadFileToString(fs, kSegmentPath);
  SEERDB_ASSERT(file.ok());
  const std::string whole = *file;
  const bool header = DamageSegment(&input, &*file, &written);
  Store(fs, *file);
  const auto reader = Open(fs, mapped);
  if (!reader.ok()) {
    CheckDamage(reader.status());
    SEERDB_ASSERT(header);
  } else {
    for (const Written& one : written) CheckRead(**reader, one, &input);
  }
  const Slice rest = input.Rest();
  CheckCodecs(rest);
  ValuePointer anywhere;
  if (reader.ok() && ParseValuePointer(rest, &anywhere) && anywhere.bytes <= kMostBytes) {
    FetchedValue value;
    const Status status = (*reader)->Read(anywhere, &value);
    if (status.ok()) {
      Touch(value.bytes);
    } else {
      CheckDamage(status);
    }
  }
  // The rest as a segment.
  Store(fs, rest);
  const auto hostile = Open(fs, mapped);
  if (!hostile.ok()) CheckDamage(hostile.status());
}

}  // namespace seerdb::fuzz
