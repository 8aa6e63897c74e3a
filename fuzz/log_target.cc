#include <cstring>

#include "base/assert.h"
#include "base/coding.h"
#include "env/memory_file_system.h"
#include "format/batch_codec.h"
#include "fuzz/targets.h"
#include "wal/log_replay.h"
#include "wal/log_salvage.h"

namespace seerdb::fuzz {
namespace {

constexpr LogIdentity kIdentity{{0x0123456789abcdef, 0xfedcba9876543210}, 7, 99};

// Puts a right header and right checksums over the input, so that the bytes behind them are reached.
std::string Repaired(Slice input) {
  std::string bytes(input);
  if (bytes.size() < kLogHeaderBytes) bytes.resize(kLogHeaderBytes);
  EncodeLogHeader({kIdentity, 1, kLogFormatVersion}, bytes.data());
  uint64_t record = 1;
  for (size_t at = kLogHeaderBytes; at + kLogFrameHeadBytes <= bytes.size(); ++record) {
    char* const head = bytes.data() + at;
    const LogFrameHead decoded = DecodeLogFrameHead(head);
    const size_t room = bytes.size() - at - kLogFrameHeadBytes;
    if (decoded.length > room) break;
    const uint32_t low = static_cast<uint32_t>(record);
    for (int i = 0; i < 4; ++i) head[8 + i] = static_cast<char>(low >> (8 * i));
    const uint32_t crc =
        LogFrameCrc(kIdentity, record, head, Slice(head + kLogFrameHeadBytes, decoded.length));
    for (int i = 0; i < 4; ++i) head[i] = static_cast<char>(crc >> (8 * i));
    at += kLogFrameHeadBytes + decoded.length;
  }
  return bytes;
}

}  // namespace

// The first byte chooses: the rest is a log file as it is, or the same with header and checksums repaired,
// in one segment or cut in two.
void FuzzLog(Slice input) {
  if (input.empty()) return;
  const unsigned char choice = static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  const std::string bytes = choice & 1 ? Repaired(input) : std::string(input);
  MemoryFileSystem fs;
  std::vector<ReplayLog> logs{{"/7.log", kIdentity}};
  const size_t cut = choice & 2 ? bytes.size() / 2 : bytes.size();
  const auto write = [&fs](const std::string& path, Slice content) {
    auto file = fs.NewWritableFile(path, CreateMode::kTruncate);
    SEERDB_ASSERT(file.ok() && (*file)->Append(content).ok());
  };
  write("/7.log", Slice(bytes).substr(0, cut));
  if (choice & 2) {
    LogIdentity second = kIdentity;
    second.log_number = 8;
    write("/8.log", Slice(bytes).substr(cut));
    logs.push_back({"/8.log", second});
  }
  uint64_t records = 0, payload_bytes = 0;
  const auto replayed = ReplayLogs(fs, logs, 1, [&](SequenceNumber, Slice operations) {
    ++records;
    payload_bytes += operations.size();
    uint32_t count = 0;
    return CheckBatchOperations(operations, &count);
  });
  SEERDB_ASSERT(payload_bytes <= bytes.size());
  if (replayed.ok()) SEERDB_ASSERT(replayed->records == records);
  if (replayed.ok()) SEERDB_ASSERT(replayed->bytes <= bytes.size());
  // Salvage finds at least what replay finds, whatever lies around it.
  const auto accept = [](SequenceNumber, Slice) -> Status { return {}; };
  const auto salvaged = SalvageLogs(fs, logs, 1, SalvageExtent::kWhateverIsLeft, {accept, nullptr});
  SEERDB_ASSERT(salvaged.ok());
  if (replayed.ok()) SEERDB_ASSERT(salvaged->replay.records >= records);
}

}  // namespace seerdb::fuzz
