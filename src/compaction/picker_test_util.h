// Trees and plans in text, for tests of the picker.
#pragma once

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "compaction/compaction_picker.h"

namespace seerdb {

// A tree in text: one string a level, "5:a-m 6:n-z" = tables by number with their ranges, 100 bytes each, "t"
// behind one: half tombstones, "T": nothing else, "e": all of it expires at 2 s. In L0 each table is a run,
// the last one newest; below, " | " begins a newer run.
inline VersionPtr Tree(const std::vector<std::string>& texts, uint32_t num_levels = 4) {
  std::vector<Level> levels(num_levels);
  for (size_t i = 0; i < texts.size(); ++i) {
    std::istringstream words(texts[i]);
    std::vector<Run>& runs = levels[i].runs;
    bool new_run = true;
    for (std::string word; words >> word;) {
      if (word == "|") {
        new_run = true;
        continue;
      }
      auto meta = std::make_shared<TableMeta>();
      size_t used = 0;
      meta->number = std::stoull(word, &used);
      meta->smallest_key = word[used + 1];
      meta->largest_key = word[used + 3];
      meta->bytes = 100;
      meta->entries = 10;
      if (word.back() == 't') meta->tombstones = 5;
      if (word.back() == 'T') meta->tombstones = 10;
      if (word.back() == 'e') meta->expires_us = 2'000'000;
      if (meta->tombstones > 0) meta->tombstones_since_s = 1000;
      meta->largest_sequence = 50;
      if (i == 0 || new_run) runs.insert(runs.begin(), Run{i == 0 ? meta->number : runs.size() + 1, {}});
      new_run = false;
      runs.front().tables.push_back(meta);
    }
  }
  return std::make_shared<const Version>(std::move(levels));
}

inline std::string Show(const std::optional<CompactionPlan>& plan) {
  if (!plan.has_value()) return "none";
  const bool drops = plan->kind == CompactionPlan::Kind::kDrop;
  std::string out = drops ? "drop" : plan->kind == CompactionPlan::Kind::kMove ? "move" : "merge";
  for (const CompactionPlan::Input& input : plan->inputs) {
    out += " L" + std::to_string(input.level) + ":" + std::to_string(input.table->number);
  }
  if (drops) return out;
  out += " -> L" + std::to_string(plan->output_level);
  if (plan->output_run != kFirstRun) out += " run " + std::to_string(plan->output_run);
  return out;
}

inline PickerOptions Shaped(CompactionPolicy policy) {
  PickerOptions options;
  options.shape = ShapeOf(policy, policy == CompactionPolicy::kLeveled ? 2 : 3);
  options.l0_compaction_trigger = 2;
  options.base_level_size = 200;
  return options;
}

}  // namespace seerdb
