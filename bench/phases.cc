// The db_bench phases. A phase draws its operations before its clock starts.
#include <algorithm>
#include <array>
#include <vector>

#include "bench.h"

namespace seerdb::bench {
namespace {

std::vector<uint64_t> UniformDraws(Worker* w, uint64_t count) {
  std::vector<uint64_t> draws(count);
  for (uint64_t& draw : draws) draw = w->rng.Below(w->data.records);
  return draws;
}

void PutAll(Worker* w, const std::vector<uint64_t>& records, uint64_t version) {
  w->ops = records.size();
  w->Loop(records.size(), [&](uint64_t i) { w->Put(records[i], version); });
}

// This thread's share of 0 .. num-1, in order or permuted.
std::vector<uint64_t> FillRecords(Worker* w, uint64_t count, bool permuted) {
  const Permutation permutation(w->config.num, w->config.seed);
  std::vector<uint64_t> records(w->Share(count));
  const uint64_t begin = w->ShareBegin(count);
  for (uint64_t i = 0; i < records.size(); ++i) records[i] = permuted ? permutation(begin + i) : begin + i;
  return records;
}

void FillSequential(Worker* w) { PutAll(w, FillRecords(w, w->config.num, false), 0); }
void FillRandom(Worker* w) { PutAll(w, FillRecords(w, w->config.num, true), 0); }
void FillSync(Worker* w) { PutAll(w, FillRecords(w, std::min(w->config.sync_ops, w->config.num), true), 0); }

void FillBatch(Worker* w) {
  constexpr uint64_t kBatchSize = 100;
  const std::vector<uint64_t> records = FillRecords(w, w->config.num, true);
  std::vector<KeyBuffer> keys(kBatchSize, KeyBuffer(&w->data.codec));
  std::vector<KeyValue> batch;
  w->ops = records.size();
  w->Loop((records.size() + kBatchSize - 1) / kBatchSize, [&](uint64_t i) {
    batch.clear();
    const uint64_t end = std::min<uint64_t>(records.size(), (i + 1) * kBatchSize);
    for (uint64_t j = i * kBatchSize; j < end; ++j) {
      batch.push_back({keys[j % kBatchSize].Set(records[j]), w->data.values.Value(records[j], 0)});
      w->bytes_written += batch.back().key.size() + batch.back().value.size();
    }
    w->session->PutBatch(batch);
  });
}

void Overwrite(Worker* w) {
  std::vector<uint64_t> records = UniformDraws(w, w->Share(w->config.operations()));
  for (uint64_t& record : records) record = w->OwnRecord(record);
  w->ops = records.size();
  w->Loop(records.size(), [&](uint64_t i) { w->Put(records[i], w->version + i); });
}

// At most half the records, so that later reads find something.
void DeleteRandom(Worker* w) {
  const uint64_t count = std::min(w->config.operations(), w->config.num / 2);
  const Permutation permutation(w->config.num, w->config.seed + 1);
  const uint64_t begin = w->ShareBegin(count);
  std::vector<uint64_t> records(w->Share(count));
  for (uint64_t i = 0; i < records.size(); ++i) records[i] = permutation(begin + i);
  w->ops = records.size();
  w->Loop(records.size(), [&](uint64_t i) {
    const std::string_view k = w->key.Set(records[i]);
    w->session->Delete(k);
    w->bytes_written += k.size();
  });
}

void GetAll(Worker* w, const std::vector<uint64_t>& records, bool absent) {
  w->ops = records.size();
  w->Loop(records.size(), [&](uint64_t i) { w->session->Get(w->key.Set(records[i], absent), &w->digest); });
}

void ReadRandom(Worker* w) { GetAll(w, UniformDraws(w, w->Share(w->config.operations())), false); }
void ReadMissing(Worker* w) { GetAll(w, UniformDraws(w, w->Share(w->config.operations())), true); }

// Skewed reads whose popular records lie scattered over the key space.
void ReadZipf(Worker* w) {
  const Zipfian zipfian(w->data.records);
  const Permutation scatter(w->data.records, w->config.seed + 2);
  std::vector<uint64_t> records(w->Share(w->config.operations()));
  for (uint64_t& record : records) record = scatter(zipfian.Draw(&w->rng));
  GetAll(w, records, false);
}

// Writes a few records (not timed), then reads those at random.
void ReadRecent(Worker* w) {
  constexpr uint64_t kMostRecent = 50'000;
  std::vector<uint64_t> recent = UniformDraws(w, w->Share(std::min(kMostRecent, w->config.num / 4 + 1)));
  for (uint64_t i = 0; i < recent.size(); ++i) {
    recent[i] = w->OwnRecord(recent[i]);
    w->Put(recent[i], w->version + i);
  }
  w->bytes_written = 0;
  std::vector<uint64_t> records(recent.empty() ? 0 : w->Share(w->config.operations()));
  for (uint64_t& record : records) record = recent[w->rng.Below(recent.size())];
  GetAll(w, records, false);
}

void MultiGet(Worker* w) {
  constexpr uint64_t kKeys = 32;
  const uint64_t calls = (w->Share(w->config.operations()) + kKeys - 1) / kKeys;
  const std::vector<uint64_t> records = UniformDraws(w, calls * kKeys);
  std::vector<KeyBuffer> buffers(kKeys, KeyBuffer(&w->data.codec));
  std::array<std::string_view, kKeys> keys;
  w->ops = records.size();
  w->Loop(calls, [&](uint64_t i) {
    for (uint64_t j = 0; j < kKeys; ++j) keys[j] = buffers[j].Set(records[i * kKeys + j]);
    w->session->MultiGet(keys, &w->digest);
  });
}

// Each seek sees the database as it is then, not a view shared by all of them.
void Seek(Worker* w, uint64_t entries) {
  const std::vector<uint64_t> records = UniformDraws(w, w->Share(w->config.operations()));
  w->ops = records.size();
  w->Loop(records.size(), [&](uint64_t i) {
    // Half the targets exist.
    w->session->Scan(w->key.Set(records[i], i % 2 == 1), entries, &w->digest);
  });
}

void SeekReverse100(Worker* w) {
  const std::vector<uint64_t> records = UniformDraws(w, w->Share(w->config.operations()));
  w->ops = records.size();
  w->Loop(records.size(),
          [&](uint64_t i) { w->session->ScanReverse(w->key.Set(records[i], i % 2 == 1), 100, &w->digest); });
}

// Half gets, half puts of existing keys, all drawn alike.
void ReadWrite(Worker* w) {
  std::vector<uint64_t> records = UniformDraws(w, w->Share(w->config.operations()));
  for (size_t i = 1; i < records.size(); i += 2) records[i] = w->OwnRecord(records[i]);
  w->ops = records.size();
  w->Loop(records.size(), [&](uint64_t i) {
    if (i % 2 == 1) {
      w->Put(records[i], w->version + i);
    } else {
      w->session->Get(w->key.Set(records[i]), &w->digest);
    }
  });
}

void SeekRandom(Worker* w) { Seek(w, 10); }
void Seek100(Worker* w) { Seek(w, 100); }

void ReadSequential(Worker* w) {
  w->Loop(1, [&](uint64_t) { w->session->Scan("", UINT64_MAX, &w->digest); });
  w->samples_ns.clear();
  w->ops = w->digest.hits();
}

void ReadReverse(Worker* w) {
  w->Loop(1, [&](uint64_t) { w->session->ScanReverse("", UINT64_MAX, &w->digest); });
  w->samples_ns.clear();
  w->ops = w->digest.hits();
}

// Brings caches to a steady state: one scan, then gets.
void Warm(Worker* w) {
  constexpr uint64_t kMostGets = 2'000'000;
  const std::vector<uint64_t> records = UniformDraws(w, w->Share(std::min(w->config.num / 2 + 1, kMostGets)));
  w->ops = records.size() + 1;
  w->Loop(records.size() + 1, [&](uint64_t i) {
    if (i == 0) {
      w->session->Scan("", UINT64_MAX, &w->digest);
    } else {
      w->session->Get(w->key.Set(records[i - 1]), &w->digest);
    }
  });
}

}  // namespace

const std::vector<Phase>& Phases() {
  static const std::vector<Phase>& phases = *new std::vector<Phase>{
      {.name = "fillseq", .run = FillSequential, .fresh = true},
      {.name = "fillrandom", .run = FillRandom, .fresh = true},
      {.name = "fillsync", .run = FillSync, .fresh = true, .always_sync = true},
      {.name = "fillbatch", .run = FillBatch, .fresh = true, .keys_a_sample = 100},
      {.name = "overwrite", .run = Overwrite},
      {.name = "deleterandom", .run = DeleteRandom},
      {.name = "warm", .run = Warm, .only_reads = true, .warms = true},
      {.name = "readrandom", .run = ReadRandom, .only_reads = true},
      {.name = "readzipf", .run = ReadZipf, .only_reads = true},
      {.name = "readmissing", .run = ReadMissing, .only_reads = true},
      {.name = "readrecent", .run = ReadRecent},
      {.name = "multiget", .run = MultiGet, .only_reads = true, .keys_a_sample = 32},
      {.name = "seekrandom", .run = SeekRandom, .only_reads = true},
      {.name = "seek100", .run = Seek100, .only_reads = true},
      {.name = "seekreverse100", .run = SeekReverse100, .only_reads = true},
      {.name = "readwrite", .run = ReadWrite, .racy = true},
      {.name = "readseq", .run = ReadSequential, .only_reads = true},
      {.name = "readreverse", .run = ReadReverse, .only_reads = true},
  };
  return phases;
}

}  // namespace seerdb::bench
