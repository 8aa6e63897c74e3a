#include "compaction/bulk_load_job.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "seerdb/types.h"

namespace seerdb {
namespace {

constexpr uint64_t kReportBytes = uint64_t{8} << 20;
// As much is asked for, and then written, at a time.
constexpr uint64_t kAdmittedBytes = uint64_t{8} << 20;
constexpr size_t kPrintedKeyBytes = 40;

// For messages: printable characters as they are, the rest as \xNN, cut after kPrintedKeyBytes.
std::string Printed(Slice key) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "'";
  for (const char c : key.substr(0, kPrintedKeyBytes)) {
    if (c >= ' ' && c <= '~' && c != '\\' && c != '\'') {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append("\\x").push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
  return out + (key.size() > kPrintedKeyBytes ? "'..." : "'");
}

Status OutOfOrder(uint64_t number, Slice before, Slice key) {
  return Status::InvalidArgument("bulk load entry " + std::to_string(number) + ": found key " + Printed(key) +
                                 " behind key " + Printed(before) +
                                 ", expected ascending keys with already_sorted");
}

}  // namespace

BulkLoadJob::BulkLoadJob(FileSystem& fs, const BulkLoadOptions& options, const BulkLoadContext& context)
    : fs_(fs),
      options_(options),
      context_(context),
      tables_(fs, context.output, options.max_entries_per_sst),
      engine_key_(context.key_prefix),
      report_at_bytes_(kReportBytes) {}

Status BulkLoadJob::CheckSizes(const BulkLoadEntry& entry) const {
  const bool key = entry.key.size() > kMaxKeyBytes;
  const uint64_t most = key ? kMaxKeyBytes : std::min(kMaxValueBytes, context_.max_value_bytes);
  const uint64_t found = key ? entry.key.size() : entry.value.size();
  if (found <= most) [[likely]]
    return {};
  const bool for_memory = !key && found <= kMaxValueBytes;
  Status refused = Status::InvalidArgument(
      "bulk load entry " + std::to_string(progress_.entries_read) + ": found a " + (key ? "key" : "value") +
      " of " + std::to_string(found) + " bytes, expected at most " + std::to_string(most) +
      (for_memory ? " with this memory budget" : ""));
  return for_memory ? std::move(refused).WithDetail(StatusDetail::kMemoryFull) : refused;
}

BulkLoadStats BulkLoadJob::stats() const {
  BulkLoadStats stats;
  stats.entries_loaded = progress_.entries_written;
  stats.duplicates_dropped = duplicates_;
  stats.payload_bytes = progress_.bytes_written;
  stats.runs_spilled = runs_spilled_;
  stats.bytes_spilled = bytes_spilled_;
  for (const TableMeta& table : tables_.tables()) {
    ++stats.sstables_created;
    stats.bytes_written += table.bytes;
  }
  return stats;
}

void BulkLoadJob::Report() {
  report_at_bytes_ = progress_.bytes_read + progress_.bytes_written + kReportBytes;
  if (options_.progress != nullptr) options_.progress(progress_);
}

template <typename Take>
Status BulkLoadJob::ReadAll(BulkLoadSource& source, const Take& take) {
  std::vector<BulkLoadEntry> batch;
  for (;;) {
    SEERDB_RETURN_IF_ERROR(context_.may_write(0));
    batch.clear();
    SEERDB_RETURN_IF_ERROR(source.Next(&batch));
    if (batch.empty()) return {};
    for (const BulkLoadEntry& entry : batch) {
      ++progress_.entries_read;
      progress_.bytes_read += entry.key.size() + entry.value.size();
      SEERDB_RETURN_IF_ERROR(CheckSizes(entry));
      SEERDB_RETURN_IF_ERROR(take(entry, &entry == &batch.back()));
    }
    if (progress_.bytes_read + progress_.bytes_written >= report_at_bytes_) Report();
  }
}

Status BulkLoadJob::Write(Slice key, Slice value) {
  engine_key_.resize(context_.key_prefix.size());
  engine_key_.append(key);
  ++progress_.entries_written;
  progress_.bytes_written += key.size() + value.size();
  if (progress_.bytes_written > written_bytes_admitted_) [[unlikely]] {
    const uint64_t bytes = std::max<uint64_t>(kAdmittedBytes, key.size() + value.size());
    SEERDB_RETURN_IF_ERROR(context_.may_write(bytes));
    written_bytes_admitted_ = progress_.bytes_written + bytes;
  }
  return tables_.Add(engine_key_, value);
}

Status BulkLoadJob::LoadSorted(BulkLoadSource& source) {
  // An entry is written when the next one shows that its key does not come again.
  bool held = false;
  BulkLoadEntry last;
  std::string key;  // what `last` points to between two batches
  std::string value;
  const auto take = [&](const BulkLoadEntry& entry, bool ends_batch) -> Status {
    if (held) [[likely]] {
      const int order = last.key.compare(entry.key);
      if (order > 0) [[unlikely]]
        return OutOfOrder(progress_.entries_read, last.key, entry.key);
      if (order == 0) [[unlikely]] {
        ++duplicates_;
      } else {
        SEERDB_RETURN_IF_ERROR(Write(last.key, last.value));
      }
    }
    held = true;
    last = entry;
    if (ends_batch) {
      key.assign(entry.key);
      value.assign(entry.value);
      last = {key, value};
    }
    return {};
  };
  SEERDB_RETURN_IF_ERROR(ReadAll(source, take));
  return held ? Write(last.key, last.value) : Status();
}

Status BulkLoadJob::LoadUnsorted(BulkLoadSource& source) {
  ExternalSorterOptions sort;
  sort.directory = context_.output.directory;
  sort.memory_bytes = context_.sort_memory_bytes;
  sort.new_file_number = context_.output.new_file_number;
  sort.may_write = context_.may_write;
  ExternalSorter sorter(fs_, std::move(sort));
  SEERDB_RETURN_IF_ERROR(
      ReadAll(source, [&](const BulkLoadEntry& entry, bool) { return sorter.Add(entry.key, entry.value); }));
  SEERDB_RETURN_IF_ERROR(sorter.Finish());
  for (;;) {
    SEERDB_ASSIGN_OR_RETURN(const bool more, sorter.Next());
    if (!more) break;
    SEERDB_RETURN_IF_ERROR(Write(sorter.key(), sorter.value()));
    if (progress_.bytes_read + progress_.bytes_written >= report_at_bytes_) {
      SEERDB_RETURN_IF_ERROR(context_.may_write(0));
      Report();
    }
  }
  duplicates_ = sorter.duplicates_dropped();
  runs_spilled_ = sorter.runs_spilled();
  bytes_spilled_ = sorter.bytes_spilled();
  return {};
}

Status BulkLoadJob::Run(BulkLoadSource& source) {
  SEERDB_RETURN_IF_ERROR(context_.may_write(kAdmittedBytes));  // before the source is read in vain
  SEERDB_RETURN_IF_ERROR(options_.already_sorted ? LoadSorted(source) : LoadUnsorted(source));
  SEERDB_RETURN_IF_ERROR(tables_.FinishData());
  Report();
  return {};
}

}  // namespace seerdb
