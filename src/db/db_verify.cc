// Verify, ApproximateSize and Quarantine of DbImpl: what looks at whole tables.
#include <algorithm>

#include "base/status_macros.h"
#include "db/db_impl.h"
#include "db/engine_key.h"

namespace seerdb {
namespace {

// So many values are read in the order in which they lie.
constexpr size_t kPointersSorted = 64 << 10;

// Reads the values, in the order of their places.
Status CheckValues(std::vector<ValuePointer>* pointers, const ReadView& view, VerifyResult* result) {
  std::sort(pointers->begin(), pointers->end(), LiesBefore);
  for (const ValuePointer& pointer : *pointers) {
    const ValueFile* const file = view.FindValues(pointer.segment);
    SEERDB_RETURN_IF_ERROR(file == nullptr ? NoSuchSegment(pointer) : file->Check(pointer));
    ++result->vlog_records_verified;
    result->vlog_bytes_verified += pointer.bytes;
  }
  pointers->clear();
  return {};
}

// Everything that entries of the table point to.
Status VerifyValues(const TableReader& table, const ReadView& view, VerifyResult* result) {
  if (table.properties().values.empty()) return {};
  TableReadFlags flags;
  flags.sequential_pread = true;
  flags.fill_cache = false;
  std::vector<ValuePointer> pointers;
  const std::unique_ptr<InternalIterator> entries = table.NewIterator(flags);
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    if (!IsPointer(entries->type())) continue;
    if (!ParsePointerPayload(entries->type(), entries->value(), &pointers.emplace_back())) {
      return Status::Corruption("verify " + table.path() + ": an entry that points to its value is malformed",
                                StatusDetail::kTableCorruption);
    }
    if (pointers.size() == kPointersSorted) SEERDB_RETURN_IF_ERROR(CheckValues(&pointers, view, result));
  }
  SEERDB_RETURN_IF_ERROR(entries->status());
  return CheckValues(&pointers, view, result);
}

}  // namespace

Result<VerifyResult> DbImpl::Verify() {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  VerifyResult result;
  const std::shared_ptr<const ReadView> view = views_->Acquire();
  for (const std::shared_ptr<TableFile>& file : view->tree()->AllFiles()) {
    SEERDB_ASSIGN_OR_RETURN(const TableReader* reader, file->reader());
    SEERDB_RETURN_IF_ERROR(reader->Verify(&result));
    SEERDB_RETURN_IF_ERROR(VerifyValues(*reader, *view, &result));
  }
  if (view->tree()->version()->values() != nullptr) {
    result.vlog_verified = view->tree()->version()->values()->size();
  }
  return result;
}

uint64_t DbImpl::ApproximateSize(Slice begin, Slice end) {
  return ApproximateBytes(EngineKey(kDefaultKeyspacePrefix, begin).slice(),
                          EngineKey(kDefaultKeyspacePrefix, end).slice());
}

uint64_t DbImpl::ApproximateSize(const Keyspace& keyspace, Slice begin, Slice end) {
  if (!keyspaces_.Check(keyspace.state().get()).ok()) return 0;
  const Slice prefix = keyspace.state()->prefix;
  return ApproximateBytes(EngineKey(prefix, begin).slice(), EngineKey(prefix, end).slice());
}

uint64_t DbImpl::ApproximateBytes(Slice first, Slice last) {
  if (last <= first) return 0;
  uint64_t sum = 0;
  const std::shared_ptr<const ReadView> view = views_->Acquire();
  for (const std::shared_ptr<TableFile>& file : view->tree()->AllFiles()) {
    const Result<const TableReader*> reader = file->reader();
    if (!reader.ok()) continue;
    const uint64_t low = (*reader)->ApproximateOffset(first);
    const uint64_t high = (*reader)->ApproximateOffset(last);
    if (high <= low) continue;
    const TableProperties& properties = (*reader)->properties();
    const double part = static_cast<double>(high - low) / static_cast<double>(properties.data_bytes + 1);
    sum += high - low + static_cast<uint64_t>(part * static_cast<double>(TotalBytes(properties.values)));
  }
  return sum;
}

void DbImpl::Quarantine(const CompactionPlan& plan) {
  // Read once more, so that only the damaged ones are kept from the next plan.
  TableNumberSet damaged;
  for (const CompactionPlan::Input& input : plan.inputs) {
    const auto reader = table_files_.Get(input.table)->shared_reader();
    VerifyResult verified;
    if (!reader.ok() || !(*reader)->Verify(&verified).ok()) damaged.insert(input.table->number);
  }
  if (damaged.empty()) {
    for (const CompactionPlan::Input& input : plan.inputs) damaged.insert(input.table->number);
  }
  MutexLock lock(&quarantine_mu_);
  quarantine_.merge(damaged);
}

}  // namespace seerdb
