// TreeView::GetGroup: lookups that go through the tables of a tree side by side.
//
// A lookup waits for four or five lines of memory, one after another: filter, index, block, record. Here each
// step is taken for all lookups before the next one, so that these waits overlap (group prefetching: Chen,
// Ailamaki, Gibbons, Mowry, ICDE 2004).
#include <algorithm>
#include <array>

#include "base/mutant.h"
#include "db/tree_view.h"

namespace seerdb {
namespace {

// A core waits for no more lines than these at a time: more lookups side by side gain nothing.
constexpr size_t kTogether = 16;
// Of the runs that a lookup asks, filters leave one or two.
constexpr size_t kProbes = 64;

}  // namespace

// The probes of some lookups: for each, one in every run that may hold its key, newest first.
class TreeView::ProbeGroup {
 public:
  ProbeGroup(const TreeView& tree, const TableReadFlags& flags) : tree_(tree), flags_(flags) {}
  // How many lookups there is room for.
  size_t room() const { return std::min(kTogether, kProbes / std::max<size_t>(tree_.runs_.size(), 1)); }
  void Run(std::span<GroupLookup> lookups);

 private:
  struct Probe {
    const std::shared_ptr<TableFile>* file;
    const TableReader* table;  // null: it could not be opened; Finish tries again
    GroupLookup* of;
    TableProbe state;
  };
  void Start(GroupLookup* lookup);
  void Finish(const Probe& probe) const;

  const TreeView& tree_;
  const TableReadFlags& flags_;
  size_t count_ = 0;
  std::array<Probe, kProbes> probes_;
};

void TreeView::ProbeGroup::Start(GroupLookup* lookup) {
  lookup->result->state = Lookup::State::kAbsent;
  for (const RunView& run : tree_.runs_) {
    const std::shared_ptr<TableFile>* const file = run.Locate(lookup->lookup.key);
    if (file == nullptr) continue;
    const TableReader* const table = (*file)->reader_if_open();
    if (table != nullptr) table->StartProbe(lookup->lookup);
    Probe& probe = probes_[count_++];
    probe.file = file;
    probe.table = table;
    probe.of = lookup;
    probe.state.passed = false;
  }
}

void TreeView::ProbeGroup::Finish(const Probe& probe) const {
  GroupLookup& of = *probe.of;
  if (!of.status->ok() || of.result->state != Lookup::State::kAbsent) return;
  if (probe.table == nullptr) {
    const Result<const TableReader*> table = (*probe.file)->reader();
    *of.status = table.ok() ? (*table)->Get(flags_, of.lookup, of.result) : table.status();
  } else {
    *of.status = probe.table->FinishProbe(flags_, of.lookup, probe.state, of.result);
  }
  if (SEERDB_MUTANT("tombstone-falls-through") && of.result->state == Lookup::State::kDeleted) {
    of.result->state = Lookup::State::kAbsent;
  }
  if (of.status->ok() && of.result->state != Lookup::State::kAbsent) *of.file = probe.file;
}

void TreeView::ProbeGroup::Run(std::span<GroupLookup> lookups) {
  count_ = 0;
  for (GroupLookup& lookup : lookups) Start(&lookup);
  const std::span<Probe> probes(probes_.data(), count_);
  for (Probe& probe : probes) {
    if (probe.table != nullptr) probe.table->FilterProbe(probe.of->lookup, &probe.state);
  }
  for (Probe& probe : probes) {
    if (probe.state.passed) probe.table->FindProbe(probe.of->lookup, &probe.state);
  }
  for (const Probe& probe : probes) {
    if (probe.state.passed) probe.table->EnterProbe(probe.of->lookup, probe.state);
  }
  for (const Probe& probe : probes) Finish(probe);
}

void TreeView::GetGroup(const TableReadFlags& flags, std::span<GroupLookup> group) const {
  ProbeGroup probes(*this, flags);
  if (probes.room() < 2) {
    for (GroupLookup& one : group) *one.status = Get(flags, one.lookup, one.result, one.file);
    return;
  }
  while (!group.empty()) {
    const size_t n = std::min(group.size(), probes.room());
    probes.Run(group.first(n));
    group = group.subspan(n);
  }
}

}  // namespace seerdb
