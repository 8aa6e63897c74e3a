// Random trees under every shape: whatever is picked, and in whatever order several jobs end, each key keeps
// its newest version, no newer data lies below older, runs stay disjoint, and picking comes to an end.
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "base/random.h"
#include "compaction/compaction_job.h"
#include "compaction/compaction_picker.h"
#include "compaction/older_data.h"
#include "compaction/table_cuts.h"
#include "manifest/version_set.h"

namespace seerdb {
namespace {

constexpr uint64_t kEntryBytes = 100;
constexpr uint64_t kTargetFileSize = 8 * kEntryBytes;
constexpr uint64_t kSegments = 3;  // of values; each table that is not written to empty them points into one

struct TreeEntry {
  SequenceNumber sequence = 0;
  bool tombstone = false;
};
using Content = std::map<std::string, TreeEntry>;  // of one table, or of the whole database

// A database whose tables are maps, one version of a key in each.
class SimulatedTree {
 public:
  explicit SimulatedTree(uint64_t seed, uint32_t num_levels) : random_(seed) {
    state_.num_levels = num_levels;
    state_.version = std::make_shared<const Version>(num_levels);
  }

  const Version& version() const { return *state_.version; }
  uint64_t Uniform(uint64_t n) { return random_.Uniform(n); }

  std::string RandomKey() {
    return std::string(1, static_cast<char>('a' + Uniform(26))) +
           std::string(1, static_cast<char>('a' + Uniform(6)));
  }

  // Some writes, in one L0 table.
  void Flush() {
    Content content;
    const uint64_t writes = 1 + Uniform(12);
    const bool narrow = Uniform(3) == 0;
    const std::string near = RandomKey();
    for (uint64_t i = 0; i < writes; ++i) {
      const std::string key = narrow ? near.substr(0, 1) + RandomKey().substr(1) : RandomKey();
      content[key] = model_[key] = {++sequence_, Uniform(4) == 0};
    }
    VersionEdit edit;
    const TableMeta meta = Write(content);
    edit.added_tables.push_back({0, meta.number, meta});
    PointIntoSegments(&edit);
    Apply(edit);
  }

  void PointIntoSegments(VersionEdit* edit) {
    for (VersionEdit::AddedTable& added : edit->added_tables) {
      added.meta.values = {{1 + Uniform(kSegments), kEntryBytes}};
    }
  }

  // What executing the plan, chosen from `version`, gives.
  VersionEdit Execute(const CompactionPlan& plan, const Version& version) {
    if (plan.kind == CompactionPlan::Kind::kMove) return MoveEdit(plan);
    VersionEdit edit = DropEdit(plan);
    if (plan.kind == CompactionPlan::Kind::kDrop) return edit;
    Content merged;
    for (const CompactionPlan::Input& input : plan.inputs) {
      for (const auto& [key, entry] : tables_.at(input.table->number)) {
        TreeEntry& kept = merged[key];
        if (entry.sequence > kept.sequence) kept = entry;
      }
    }
    OlderData older(version, plan);
    TableCuts cuts(version, plan, kTargetFileSize);
    Content table;
    const auto end_table = [&] {
      if (table.empty()) return;
      edit.added_tables.push_back({plan.output_level, plan.output_run, Write(table)});
      table.clear();
    };
    for (const auto& [key, entry] : merged) {
      if (entry.tombstone && !older.MayHold(key)) continue;
      if (!table.empty() && cuts.ShouldEndBefore(key, table.size() * kEntryBytes)) end_table();
      table[key] = entry;
    }
    end_table();
    if (!plan.for_values) PointIntoSegments(&edit);
    return edit;
  }

  void Apply(const VersionEdit& edit) {
    const Status status = ApplyEdit(edit, &state_);
    ASSERT_TRUE(status.ok()) << status.ToString() << "\n" << version().ToString();
  }

  // Versions of a key, from where reads look first.
  void Check() {
    std::map<std::string, SequenceNumber> last;
    Content seen;
    for (const Level& level : version().levels()) {
      for (const Run& run : level.runs) {
        for (const TableMetaPtr& table : run.tables) {
          for (const auto& [key, entry] : tables_.at(table->number)) {
            if (seen.try_emplace(key, entry).second) continue;
            ASSERT_LT(entry.sequence, last[key]) << "newer data of " << key << " below older";
            last[key] = entry.sequence;
          }
          for (const auto& [key, entry] : tables_.at(table->number)) last[key] = entry.sequence;
        }
      }
    }
    for (const auto& [key, entry] : model_) {
      const auto found = seen.find(key);
      const bool is_there = found != seen.end() && !found->second.tombstone;
      ASSERT_EQ(is_there, !entry.tombstone) << key << "\n" << version().ToString();
      if (!is_there) continue;
      ASSERT_EQ(found->second.sequence, entry.sequence) << key;
    }
  }

  SequenceNumber sequence() const { return sequence_; }

 private:
  TableMeta Write(const Content& content) {
    TableMeta meta;
    meta.number = ++number_;
    meta.bytes = content.size() * kEntryBytes;
    meta.smallest_key = content.begin()->first;
    meta.largest_key = content.rbegin()->first;
    meta.smallest_sequence = kMaxSequence;
    meta.entries = content.size();
    for (const auto& [key, entry] : content) {
      meta.tombstones += entry.tombstone ? 1 : 0;
      meta.smallest_sequence = std::min(meta.smallest_sequence, entry.sequence);
      meta.largest_sequence = std::max(meta.largest_sequence, entry.sequence);
    }
    if (meta.tombstones > 0) meta.tombstones_since_s = 1000;
    tables_[meta.number] = content;
    return meta;
  }

  Random random_;
  ManifestState state_;
  Content model_;
  std::map<uint64_t, Content> tables_;
  uint64_t number_ = 0;
  SequenceNumber sequence_ = 0;
};

// The jobs that run, as the database keeps them.
struct Job {
  CompactionPlan plan;
  VersionEdit edit;
};

class RandomTrees : public ::testing::TestWithParam<uint64_t> {
 protected:
  PickerOptions RandomOptions(SimulatedTree* tree) {
    PickerOptions options;
    options.shape =
        ShapeOf(static_cast<CompactionPolicy>(tree->Uniform(3)), static_cast<uint32_t>(2 + tree->Uniform(4)));
    options.l0_compaction_trigger = static_cast<uint32_t>(1 + tree->Uniform(4));
    options.base_level_size = (4 + tree->Uniform(30)) * kEntryBytes;
    options.merge_bytes = (8 + tree->Uniform(60)) * kEntryBytes;
    // Also less than what is written anew has.
    if (tree->Uniform(2) == 0) options.largest_move_bytes = (1 + tree->Uniform(20)) * kEntryBytes;
    if (tree->Uniform(2) == 0) options.tombstone_density_trigger = 0.4;
    if (tree->Uniform(2) == 0) options.tombstone_max_age_s = 100;
    return options;
  }

  // Picks beside the running jobs; false if there is nothing to pick.
  bool Start(SimulatedTree* tree, const PickerOptions& options, bool for_space, uint64_t now_s,
             bool for_values = false) {
    PickContext context;
    if (for_values) {
      context.values.segments = {1 + tree->Uniform(kSegments), 1 + tree->Uniform(kSegments)};
      context.values.garbage_bytes = uint64_t{1} << 30;
    }
    context.unavailable = damaged_;
    context.now_us = now_s * 1'000'000;
    context.oldest_snapshot = tree->sequence();
    context.too_much_space = for_space;
    for (const Job& job : running_) {
      for (const auto& input : job.plan.inputs) context.unavailable.insert(input.table->number);
      context.running.push_back({job.plan.output_level, job.plan.output_run, job.plan.hull()});
    }
    const auto plan = PickCompaction(options, tree->version(), context);
    if (!plan.has_value()) return false;
    EXPECT_FALSE(plan->inputs.empty());
    EXPECT_FALSE(plan->reason.empty());
    for (const auto& input : plan->inputs) {
      EXPECT_FALSE(context.unavailable.contains(input.table->number));
      if (plan->kind != CompactionPlan::Kind::kMove) continue;
      EXPECT_LE(input.table->bytes, options.largest_move_bytes) << plan->reason;
    }
    running_.push_back({*plan, tree->Execute(*plan, tree->version())});
    return true;
  }

  void EndOne(SimulatedTree* tree) {
    const size_t i = tree->Uniform(running_.size());
    tree->Apply(running_[i].edit);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    tree->Check();
  }

  std::vector<Job> running_;
  TableNumberSet damaged_;
};

TEST_P(RandomTrees, KeepEveryNewestVersionAndComeToAnEnd) {
  SimulatedTree tree(GetParam(), static_cast<uint32_t>(2 + GetParam() % 5));
  PickerOptions options = RandomOptions(&tree);
  for (int step = 0; step < 300; ++step) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + " step " + std::to_string(step));
    if (tree.Uniform(60) == 0) options = RandomOptions(&tree);
    switch (tree.Uniform(4)) {
      case 0:
      case 1:
        tree.Flush();
        break;
      case 2:
        // Values are moved once nothing else is due, beside what runs.
        for (const bool for_values : {false, tree.Uniform(2) == 0}) {
          if (running_.size() >= 3) break;
          Start(&tree, options, tree.Uniform(4) == 0, 1000 + tree.Uniform(300), for_values);
        }
        break;
      default:
        if (!running_.empty()) EndOne(&tree);
    }
    if (HasFatalFailure() || HasFailure()) return;
  }
  // Nobody writes any more: all work ends, and then nothing is due.
  int jobs = 0;
  for (const bool for_space : {false, true}) {
    while (Start(&tree, options, for_space, 5000) || !running_.empty()) {
      if (!running_.empty()) EndOne(&tree);
      ASSERT_LT(++jobs, 3000) << "picking does not end\n" << tree.version().ToString();
      if (HasFatalFailure()) return;
    }
    const TreeLimits limits = LimitsOf(options.shape, options.base_level_size, tree.version());
    for (uint32_t level = 0; level + 1 < tree.version().num_levels(); ++level) {
      EXPECT_LT(LevelScore(options, limits, tree.version(), level), 1) << tree.version().ToString();
    }
  }
  // After the last round everything is in one run, without a tombstone.
  const int deepest = tree.version().deepest_level();
  for (int level = 0; level <= deepest; ++level) {
    const Level& tables = tree.version().level(static_cast<size_t>(level));
    EXPECT_EQ(tables.runs.size(), level == deepest ? 1 : 0) << tree.version().ToString();
  }
}

// A damaged table stays where it is, and every answer outside it stays right.
TEST_P(RandomTrees, NothingPassesADamagedTable) {
  SimulatedTree tree(GetParam() + 1000, static_cast<uint32_t>(3 + GetParam() % 3));
  const PickerOptions options = RandomOptions(&tree);
  for (int step = 0; step < 150; ++step) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + " step " + std::to_string(step));
    tree.Flush();
    if (step == 40) {
      for (const Level& level : tree.version().levels()) {
        for (const seerdb::Run& run : level.runs) {
          if (tree.Uniform(2) == 0) damaged_.insert(run.tables.front()->number);
        }
      }
    }
    while (running_.size() < 2 && Start(&tree, options, step % 3 == 0, 5000, step % 5 == 0)) {
    }
    if (!running_.empty()) EndOne(&tree);
    if (HasFatalFailure() || HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTrees, ::testing::Range(uint64_t{0}, uint64_t{150}));

}  // namespace
}  // namespace seerdb
