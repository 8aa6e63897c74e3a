#include "compaction/compaction_job.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "compaction/compaction_stream.h"
#include "compaction/older_data.h"
#include "compaction/table_cuts.h"
#include "iter/concatenating_iterator.h"
#include "iter/merging_iterator.h"

namespace seerdb {
namespace {

// Inputs of one run.
class InputParts final : public RunParts {
 public:
  struct Part {
    TableMetaPtr meta;
    std::shared_ptr<const TableReader> reader;
  };
  InputParts(std::vector<Part> parts, uint64_t read_ahead_bytes)
      : parts_(std::move(parts)), read_ahead_bytes_(read_ahead_bytes) {}
  size_t count() const override { return parts_.size(); }
  Slice smallest(size_t part) const override { return parts_[part].meta->smallest_key; }
  Slice largest(size_t part) const override { return parts_[part].meta->largest_key; }
  std::unique_ptr<InternalIterator> Open(size_t part) const override {
    TableReadFlags flags;
    flags.sequential_pread = true;
    flags.fill_cache = false;
    flags.read_ahead_bytes = read_ahead_bytes_;
    return parts_[part].reader->NewIterator(flags);
  }

 private:
  const std::vector<Part> parts_;
  const uint64_t read_ahead_bytes_;
};

std::unique_ptr<InternalIterator> MergeInputs(const CompactionInputs& inputs) {
  std::vector<std::unique_ptr<InternalIterator>> children;
  std::vector<InputParts::Part> run;
  uint32_t run_level = 0;
  uint64_t run_id = 0;
  const auto end_run = [&] {
    if (!run.empty()) {
      children.push_back(
          NewConcatenatingIterator(std::make_unique<InputParts>(std::move(run), inputs.read_ahead_bytes)));
      run.clear();
    }
  };
  for (size_t i = 0; i < inputs.plan.inputs.size(); ++i) {
    const CompactionPlan::Input& input = inputs.plan.inputs[i];
    if (input.level != run_level || input.run != run_id) end_run();
    run_level = input.level;
    run_id = input.run;
    run.push_back({input.table, inputs.readers[i]});
  }
  end_run();
  return NewMergingIterator(std::move(children));
}

VersionEdit DeleteInputs(const CompactionPlan& plan) {
  VersionEdit edit;
  for (const CompactionPlan::Input& input : plan.inputs) {
    edit.deleted_tables.push_back({input.level, input.table->number});
  }
  return edit;
}

uint64_t OldestTombstone(const CompactionPlan& plan) {
  uint64_t since_s = 0;
  for (const CompactionPlan::Input& input : plan.inputs) {
    const uint64_t input_s = input.table->tombstones_since_s;
    if (input_s != 0 && (since_s == 0 || input_s < since_s)) since_s = input_s;
  }
  return since_s;
}

}  // namespace

VersionEdit DropEdit(const CompactionPlan& plan) { return DeleteInputs(plan); }

VersionEdit MoveEdit(const CompactionPlan& plan) {
  VersionEdit edit = DeleteInputs(plan);
  for (const CompactionPlan::Input& input : plan.inputs) {
    edit.added_tables.push_back({plan.output_level, plan.output_run, *input.table});
  }
  return edit;
}

Result<CompactionOutcome> RunCompaction(FileSystem& fs, const CompactionInputs& inputs,
                                        TableOutputOptions output) {
  const CompactionPlan& plan = inputs.plan;
  CompactionOutcome outcome;
  outcome.edit = DeleteInputs(plan);
  outcome.bytes_read = plan.input_bytes();
  output.expected_bytes = plan.input_bytes();
  for (const CompactionPlan::Input& input : plan.inputs) {
    if (input.table->largest_key > output.largest_key) output.largest_key = input.table->largest_key;
  }
  // Where no input knows an older one, those that expiry and filters make now are the oldest.
  if (const uint64_t since_s = OldestTombstone(plan); since_s != 0) output.tombstones_since_s = since_s;
  TableCuts cuts(*inputs.version, plan, output.target_file_size);
  if (cuts.MayEnd()) {
    output.should_end_before = [&cuts](Slice key, uint64_t bytes) {
      return cuts.ShouldEndBefore(key, bytes);
    };
  }

  OlderData older(*inputs.version, plan);
  output.table.mostly_absent = !older.none();
  output.ranges_applied = inputs.ranges.limit();
  CompactionStreamOptions stream_options = StreamOptionsFor(output);
  TableOutput tables(fs, std::move(output));
  const std::unique_ptr<InternalIterator> merged = MergeInputs(inputs);
  stream_options.snapshots = inputs.snapshots;
  stream_options.may_hold_below = [&older](Slice key) { return older.MayHold(key); };
  stream_options.ranges = inputs.ranges.CoverAt(kMaxSequence);
  stream_options.cancelled = inputs.cancelled;
  stream_options.pace = inputs.pace;
  stream_options.filter_above = inputs.filter_above;
  stream_options.level = plan.output_level;
  CompactionStream stream(merged.get(), std::move(stream_options));
  SEERDB_RETURN_IF_ERROR(WriteStream(&stream, &tables));
  SEERDB_ASSIGN_OR_RETURN(std::vector<TableMeta> written, tables.Finish());
  const bool lose_output =
      SEERDB_MUTANT("compaction-past-last-level") && plan.output_level + 1 == inputs.version->num_levels();
  for (TableMeta& meta : written) {
    if (!lose_output)
      outcome.edit.added_tables.push_back({plan.output_level, plan.output_run, std::move(meta)});
  }
  outcome.bytes_written = tables.bytes_written();
  outcome.entries_read = stream.entries_read();
  outcome.entries_dropped = stream.entries_dropped();
  return outcome;
}

}  // namespace seerdb
