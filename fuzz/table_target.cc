#include <map>

#include "base/assert.h"
#include "base/hash.h"
#include "fuzz/hostile_files.h"
#include "fuzz/reseal.h"
#include "fuzz/table_script.h"
#include "fuzz/targets.h"
#include "sstable/table_reader.h"

namespace seerdb::fuzz {
namespace {

using Known = std::map<std::string, KnownEntry>;

constexpr uint64_t kStepsMax = 500;  // a damaged table may hold any number of entries
constexpr char kTablePath[] = "/000007.sst";

// How a table is read.
struct Reads {
  explicit Reads(uint8_t choice) {
    open.access = (choice & 1) != 0 ? TableAccess::kPread : TableAccess::kMapped;
    if ((choice & 2) != 0) open.cache = std::make_shared<BlockCache>(64 << 10);
    if ((choice & 4) != 0) open.statistics = std::make_shared<Statistics>(true);
    open.table_number = kFuzzTableNumber;
    flags.keys_only = (choice & 8) != 0;
    flags.sequential_pread = (choice & 16) != 0;
    flags.verify_checksums = (choice & 32) != 0;
    flags.fill_cache = (choice & 64) == 0;
    flags.read_ahead_bytes = (choice & 128) != 0 ? 100 : 0;
  }
  TableOpenOptions open;
  TableReadFlags flags;
};

// Step by step, as lookups side by side are taken, a get has the same answer.
void CheckProbe(const TableReader& table, const TableReadFlags& flags, const LookupKey& lookup,
                const Status& status, const Lookup& found) {
  table.StartProbe(lookup);
  TableProbe probe;
  table.FilterProbe(lookup, &probe);
  if (probe.passed) {
    table.FindProbe(lookup, &probe);
    table.EnterProbe(lookup, probe);
  }
  Lookup again;
  // A fault may meet either of them.
  const bool both = table.FinishProbe(flags, lookup, probe, &again).ok() && status.ok();
  if (both) SEERDB_ASSERT(again.state == found.state && again.value == found.value);
}

// A key's newest version is what `known`, if not null, says it is.
void CheckGet(const TableReader& table, const TableReadFlags& flags, const std::string& key,
              const Known* known) {
  const LookupKey lookup{key, kMaxSequence, Hash64(key)};
  Lookup found;
  const Status status = table.Get(flags, lookup, &found);
  if (status.ok() && found.state == Lookup::State::kFound) Touch(found.value);
  CheckProbe(table, flags, lookup, status, found);
  if (known == nullptr || !status.ok()) return;
  const auto entry = known->find(key);
  if (entry == known->end()) {
    SEERDB_ASSERT(found.state == Lookup::State::kAbsent);
  } else if (entry->second.deleted) {
    SEERDB_ASSERT(found.state == Lookup::State::kDeleted);
  } else {
    SEERDB_ASSERT(found.state == Lookup::State::kFound && found.value == entry->second.value);
  }
}

// A read as of an entry's sequence finds the entry; so does a search for it.
void CheckEntry(const TableReader& table, const TableReadFlags& flags, const InternalIterator& at,
                bool known) {
  const std::string key(at.key());
  const LookupKey lookup{key, at.sequence(), Hash64(key)};
  Lookup found;
  const Status got = table.Get(flags, lookup, &found);
  if (known && got.ok()) SEERDB_ASSERT(found.sequence == at.sequence() && found.value == at.value());
  const auto second = table.NewIterator(flags);
  second->Seek(key, at.trailer());
  const bool sought = second->Valid() && second->key() == key && second->trailer() == at.trailer();
  if (known && second->status().ok()) SEERDB_ASSERT(sought);
  second->SeekForPrev(key, at.trailer());
  const bool sought_back = second->Valid() && second->key() == key && second->trailer() == at.trailer();
  if (known && second->status().ok()) SEERDB_ASSERT(sought_back);
  second->SeekForPrev(key, kFirstTrailer);
}

void Walk(const TableReader& table, const TableReadFlags& flags, bool forward, const Known* known) {
  const auto it = table.NewIterator(flags);
  std::string last;
  uint64_t keys = 0;
  forward ? it->SeekToFirst() : it->SeekToLast();
  for (uint64_t steps = 0; it->Valid() && steps < kStepsMax; ++steps) {
    Touch(it->key());
    Touch(it->value());
    const std::string key(it->key());
    if (keys == 0 || key != last) ++keys;
    const bool ordered = steps == 0 || key == last || (last < key) == forward;
    if (known != nullptr) SEERDB_ASSERT(known->contains(key) && ordered);
    if (steps % 8 == 0) {
      CheckGet(table, flags, key, known);
      CheckEntry(table, flags, *it, known != nullptr);
    }
    last = key;
    forward ? it->Next() : it->Prev();
  }
  const bool whole = !it->Valid() && it->status().ok();
  if (known != nullptr && whole) SEERDB_ASSERT(keys == known->size());
}

// Everything a table can be asked.
void ReadTable(const TableReader& table, const Reads& reads, uint64_t bytes, const Known* known) {
  Walk(table, reads.flags, true, known);
  Walk(table, reads.flags, false, known);
  for (const Slice key : {Slice(""), Slice("\0key1", 5), Slice("b"), Slice("\xff\xff")}) {
    CheckGet(table, reads.flags, std::string(key), known);
    SEERDB_ASSERT(table.ApproximateOffset(key) <= bytes);
    const auto it = table.NewIterator(reads.flags);
    it->Seek(key, kFirstTrailer);
    it->SeekForPrev(key, kLastTrailer);
  }
  SEERDB_ASSERT(table.memory_bytes() <= 64 * (bytes + 1024) && table.path() == kTablePath);
  SEERDB_ASSERT(table.properties().file_bytes == bytes);
}

// A table that was built, or one that differs from it: right answers or errors, and Verify tells which.
void ReadBuilt(HostileFiles* files, Input* input, const Reads& reads, uint8_t fault) {
  const size_t flips = input->Byte() % 4;
  const uint16_t places[] = {input->Word(), input->Word(), input->Word()};
  Known known;
  std::string bytes = BuildTable(input, &known);
  if (bytes.empty()) return;
  const std::string right = bytes;
  for (size_t i = 0; i < flips; ++i) bytes[places[i] % bytes.size()] ^= static_cast<char>(1 << places[i] % 8);
  files->Write(kTablePath, bytes);
  files->ArmFault(fault);
  const auto table = TableReader::Open(files->fs(), kTablePath, reads.open);
  if (table.ok()) ReadTable(**table, reads, bytes.size(), reads.flags.keys_only ? nullptr : &known);
  const bool whole = table.ok() && (*table)->ReadBack().ok();
  VerifyResult verified;
  const bool intact = table.ok() && (*table)->Verify(&verified).ok();
  if (!files->fired()) SEERDB_ASSERT(intact == (bytes == right) && (whole || !intact));
}

}  // namespace

// Byte 0 chooses how the table is read; byte 1 what it is: bytes as they come, the same resealed, parts put
// together, or built and then damaged; byte 2 a fault.
void FuzzTable(Slice bytes) {
  Input input(bytes);
  Reads reads(input.Byte());
  const uint8_t origin = input.Byte();
  const uint8_t fault = input.Byte();
  HostileFiles files;
  if (origin % 4 == 3) return ReadBuilt(&files, &input, reads, fault);
  std::string file = origin % 4 == 2 ? AssembleTable(&input) : std::string(input.Rest());
  if (origin % 4 == 1) ResealTable(kFuzzTableNumber, &file);
  // The number and the size that the manifest says may be others.
  if (origin / 4 % 4 == 1) reads.open.table_number = 8;
  if (origin / 4 % 4 == 2) reads.open.expected_bytes = 1000;
  if (origin / 4 % 4 == 3) reads.open.expected_bytes = file.size();
  files.Write(kTablePath, file);
  files.ArmFault(fault);
  const auto table = TableReader::Open(files.fs(), kTablePath, reads.open);
  if (!table.ok()) return;
  ReadTable(**table, reads, file.size(), nullptr);
  (*table)->ReadBack().IgnoreError("any bytes may come");
  VerifyResult verified;
  (*table)->Verify(&verified).IgnoreError("any bytes may come");
}

}  // namespace seerdb::fuzz
