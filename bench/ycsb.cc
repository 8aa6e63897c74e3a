// The YCSB core workloads: load, then A (half updates), B (5 % updates), C (reads), D (reads of the latest,
// 5 % inserts), E (scans of 1 to 100 entries, 5 % inserts), F (half read-modify-writes). Requests follow the
// scattered Zipfian distribution with exponent 0.99, in D by age.
#include <algorithm>
#include <vector>

#include "bench.h"

namespace seerdb::bench {
namespace {

enum class OpKind : unsigned char { kRead, kUpdate, kInsert, kScan, kReadModifyWrite };

struct Op {
  OpKind kind;
  uint32_t entries;  // kScan
  uint64_t record;
};

struct Mix {
  double other_share;  // of operations that are `other`
  OpKind main;
  OpKind other;
  bool latest;
};

// This thread's n-th insert: no other thread inserts it.
uint64_t InsertedRecord(const Worker& w, uint64_t n) {
  return w.data.records + n * w.config.threads + w.index;
}

std::vector<Op> DrawOps(Worker* w, const Mix& mix) {
  const Zipfian zipfian(w->data.records);
  const Permutation scatter(w->data.records, w->config.seed + 2);
  std::vector<Op> ops(w->Share(w->config.operations()));
  for (Op& op : ops) {
    op = {w->rng.Unit() < mix.other_share ? mix.other : mix.main, 0, 0};
    if (op.kind == OpKind::kInsert) {
      op.record = InsertedRecord(*w, w->inserted++);
      continue;
    }
    const uint64_t rank = zipfian.Draw(&w->rng);
    if (!mix.latest) {
      op.record = scatter(rank);
    } else if (rank < w->inserted) {
      op.record = InsertedRecord(*w, w->inserted - 1 - rank);
    } else {
      op.record = w->data.records - 1 - std::min(rank - w->inserted, w->data.records - 1);
    }
    const bool writes = op.kind == OpKind::kUpdate || op.kind == OpKind::kReadModifyWrite;
    if (writes) op.record = w->OwnRecord(op.record);
    if (op.kind == OpKind::kScan) op.entries = static_cast<uint32_t>(1 + w->rng.Below(100));
  }
  return ops;
}

void RunMix(Worker* w, const Mix& mix) {
  const std::vector<Op> ops = DrawOps(w, mix);
  w->ops = ops.size();
  w->Loop(ops.size(), [&](uint64_t i) {
    const Op& op = ops[i];
    switch (op.kind) {
      case OpKind::kRead:
        w->session->Get(w->key.Set(op.record), &w->digest);
        break;
      case OpKind::kUpdate:
        w->Put(op.record, w->version + i);
        break;
      case OpKind::kInsert:
        w->Put(op.record, 0);
        break;
      case OpKind::kScan:
        w->session->Scan(w->key.Set(op.record), op.entries, &w->digest);
        break;
      case OpKind::kReadModifyWrite:
        w->session->Get(w->key.Set(op.record), &w->digest);
        w->Put(op.record, w->version + i);
        break;
    }
  });
}

void Load(Worker* w) {
  const Permutation permutation(w->config.num, w->config.seed);
  std::vector<uint64_t> records(w->Share(w->config.num));
  const uint64_t begin = w->ShareBegin(w->config.num);
  for (uint64_t i = 0; i < records.size(); ++i) records[i] = permutation(begin + i);
  w->ops = records.size();
  w->Loop(records.size(), [&](uint64_t i) { w->Put(records[i], 0); });
}

void A(Worker* w) { RunMix(w, {0.5, OpKind::kRead, OpKind::kUpdate, false}); }
void B(Worker* w) { RunMix(w, {0.05, OpKind::kRead, OpKind::kUpdate, false}); }
void C(Worker* w) { RunMix(w, {0.0, OpKind::kRead, OpKind::kRead, false}); }
void D(Worker* w) { RunMix(w, {0.05, OpKind::kRead, OpKind::kInsert, true}); }
void E(Worker* w) { RunMix(w, {0.05, OpKind::kScan, OpKind::kInsert, false}); }
void F(Worker* w) { RunMix(w, {0.5, OpKind::kRead, OpKind::kReadModifyWrite, false}); }

}  // namespace

const std::vector<Phase>& YcsbPhases() {
  static const std::vector<Phase>& phases = *new std::vector<Phase>{
      {.name = "ycsbload", .run = Load, .fresh = true},
      {.name = "ycsba", .run = A, .racy = true},
      {.name = "ycsbb", .run = B, .racy = true},
      {.name = "ycsbc", .run = C, .only_reads = true},
      {.name = "ycsbd", .run = D},
      {.name = "ycsbe", .run = E, .racy = true},
      {.name = "ycsbf", .run = F, .racy = true},
  };
  return phases;
}

}  // namespace seerdb::bench
