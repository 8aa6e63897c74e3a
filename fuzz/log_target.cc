#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/coding.h"
#include "format/batch_codec.h"
#include "fuzz/hostile_files.h"
#include "fuzz/log_script.h"
#include "fuzz/reseal.h"
#include "fuzz/targets.h"
#include "wal/log_replay.h"
#include "wal/log_salvage.h"

namespace seerdb::fuzz {
namespace {

constexpr uint8_t kFromScript = 1, kReseal = 2, kRenumber = 4, kCheckBatches = 8;

std::string PathOf(uint64_t number) { return "/" + std::to_string(number) + ".log"; }

// Records and payloads that a script wrote come back as written, from the first one on; all of them from a
// whole log. Where replay stops nothing was durable.
void ReplayScript(HostileFiles* files, Input* input, uint8_t fault) {
  const LogScript script(input);
  std::vector<ReplayLog> logs;
  for (const LogScript::Segment& segment : script.segments()) {
    const std::string path = PathOf(segment.identity.log_number);
    logs.push_back({path, segment.identity});
    files->Write(path, segment.bytes);
  }
  files->ArmFault(fault);
  uint64_t next = 1;
  const auto replayed = ReplayLogs(files->fs(), logs, {1}, [&](SequenceNumber sequence, Slice operations) {
    const std::string* const written = script.payload(next);
    if (script.own_frames_only()) {
      SEERDB_ASSERT(written != nullptr);
      SEERDB_ASSERT(sequence == LoadU64(written->data()) && operations == Slice(*written).substr(8));
    }
    ++next;
    return Status::Ok();
  });
  if (files->fired()) return;
  if (script.whole()) SEERDB_ASSERT(replayed.ok() && next == script.next_record());
  if (script.whole() && script.last_segment_used()) SEERDB_ASSERT(!replayed->torn);
  if (!replayed.ok()) return;
  SEERDB_ASSERT(replayed->next_record == next && replayed->records == next - 1);
  if (script.own_frames_only()) SEERDB_ASSERT(!script.WasDurable(next));
}

// Each number below the end is applied or listed as missing.
void CheckLedger(const SalvageSummary& salvaged) {
  uint64_t missing = 0;
  for (const LogGap& gap : salvaged.gaps) missing += gap.records;
  SEERDB_ASSERT(salvaged.skipped == 0 && salvaged.replay.records + missing == salvaged.next_record - 1);
}

using Records = std::vector<std::pair<SequenceNumber, std::string>>;

// True if a record that both have is not the same in them.
bool Differ(const Records& a, const Records& b) {
  const auto n = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return !std::equal(a.begin(), a.begin() + n, b.begin());
}

// Whatever a log holds: no more than its bytes come back.
void ReplayBytes(HostileFiles* files, Slice bytes, uint8_t choice, uint8_t fault) {
  const size_t segments = choice / 16 % 4 + 1;
  std::vector<ReplayLog> logs;
  uint64_t record = 1;
  for (size_t i = 0; i < segments; ++i) {
    const LogIdentity identity{{0x0123456789abcdef, 0xfedcba9876543210}, 7 + i, 99};
    const size_t begin = bytes.size() * i / segments;
    std::string part(bytes.substr(begin, bytes.size() * (i + 1) / segments - begin));
    if ((choice & kReseal) != 0) {
      if (i > 0) part.insert(0, kLogHeaderBytes, '\0');
      record = ResealLog(identity, record, (choice & kRenumber) != 0, &part);
    }
    logs.push_back({PathOf(identity.log_number), identity});
    if (i == 0 || !part.empty()) files->Write(logs.back().path, part);
  }
  files->ArmFault(fault);
  Records records;
  uint64_t payload_bytes = 0;
  const auto replayed = ReplayLogs(files->fs(), logs, {1}, [&](SequenceNumber sequence, Slice operations) {
    records.emplace_back(sequence, operations);
    payload_bytes += operations.size();
    uint32_t count = 0;
    return (choice & kCheckBatches) != 0 ? CheckBatchOperations(operations, &count) : Status::Ok();
  });
  SEERDB_ASSERT(payload_bytes <= bytes.size());
  if (replayed.ok()) SEERDB_ASSERT(replayed->records == records.size() && replayed->bytes <= bytes.size());
  Records saved;
  const auto accept = [&saved](SequenceNumber sequence, Slice operations) -> Status {
    saved.emplace_back(sequence, operations);
    return {};
  };
  const auto salvaged =
      SalvageLogs(files->fs(), logs, {1}, SalvageExtent::kWhateverIsLeft, {accept, nullptr});
  if (files->fired()) return;
  SEERDB_ASSERT(salvaged.ok());
  CheckLedger(*salvaged);
  // Salvage finds at least what replay finds. Not if hostile numbers occur twice, which leaves a gap or lets
  // it take the other record of a number, or are not those that a header promises.
  const bool true_headers = segments == 1 || ((choice & kReseal) != 0 && (choice & kRenumber) != 0);
  if (replayed.ok() && salvaged->gaps.empty() && true_headers && !Differ(records, saved)) {
    SEERDB_ASSERT(saved.size() >= records.size());
  }
}

}  // namespace

// Byte 0 chooses: a script of segments, or bytes, resealed or not, cut into segments. Byte 1: a fault.
void FuzzLog(Slice bytes) {
  Input input(bytes);
  const uint8_t choice = input.Byte();
  const uint8_t fault = input.Byte();
  HostileFiles files;
  if ((choice & kFromScript) != 0) {
    ReplayScript(&files, &input, fault);
  } else {
    ReplayBytes(&files, input.Rest(), choice, fault);
  }
}

}  // namespace seerdb::fuzz
