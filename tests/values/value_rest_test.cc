// Whatever was written, whatever filters make of it: when nobody writes any more, compaction comes to rest. A
// job that leaves as much to be done as there was would write for ever.
#include <algorithm>
#include <deque>

#include "base/hash.h"
#include "base/random.h"
#include "base/units.h"
#include "env/fault_file_system.h"
#include "env/manual_clock.h"
#include "seerdb/compaction_filter.h"
#include "tests/values/value_fixture.h"

namespace seerdb::testing {
namespace {

// So many jobs are more than one write, or rest after the last, takes here: the most of 5000 seeds was 21.
constexpr uint64_t kMostJobs = 200;

// What it makes of a value depends on the value alone; several of these change it each time that they see it.
class Changing final : public CompactionFilter {
 public:
  enum Kind { kKeeps, kCuts, kChangesAll, kChangesHalf, kRemovesSome, kMerges, kKinds };
  explicit Changing(Kind kind) : kind_(kind) {}

  FilterDecision Filter(const Entry& entry, std::string* value) const override {
    const uint64_t hash = Hash64(entry.value);
    *value = std::string(entry.value);
    switch (kind_) {
      case kCuts:
        value->resize(std::min<size_t>(value->size(), 700));
        return FilterDecision::kChangeValue;
      case kChangesHalf:
        if (hash % 2 == 0) return FilterDecision::kKeep;
        [[fallthrough]];
      case kChangesAll:
        if (!value->empty()) value->front() = static_cast<char>('a' + (hash >> 8) % 26);
        std::rotate(value->begin(), value->begin() + static_cast<std::ptrdiff_t>(value->size() / 3),
                    value->end());
        return FilterDecision::kChangeValue;
      case kRemovesSome:
        return hash % 8 == 0 ? FilterDecision::kRemove : FilterDecision::kKeep;
      default:
        return FilterDecision::kKeep;
    }
  }
  bool MergesVersions() const override { return kind_ == kMerges; }
  bool MergeVersions(uint32_t, Slice, std::span<const Slice> values, std::string* merged) const override {
    *merged = std::string(*std::max_element(values.begin(), values.end()));
    return true;
  }

 private:
  const Kind kind_;
};

class ValueRest : public ValueFixture, public ::testing::WithParamInterface<uint64_t> {
 protected:
  ValueRest() : random_(GetParam()) {
    faults_ = std::make_shared<FaultFileSystem>(fs_);
    options_ = TinyOptions();
    options_.file_system = faults_;
    options_.clock = clock_;
    options_.value_segment_bytes = uint64_t{64} << 10;
    options_.merge_operator = StringAppend("+");
    options_.logger = [this](Slice line) { Note(std::string(line)); };
    options_.compaction_filter = AnyFilter();
    spaces_ = {KeyspaceOptions(), KeyspaceOptions()};
    spaces_[0].merge_operator = StringAppend("-");
    spaces_[1].compaction_filter = AnyFilter();
    Change();
    Start();
  }
  ~ValueRest() override {
    snapshots_.clear();
    db_.reset();  // it logs to the end
  }
  std::shared_ptr<const CompactionFilter> AnyFilter() {
    const auto kind = static_cast<Changing::Kind>(random_.Uniform(Changing::kKinds));
    return std::make_shared<Changing>(kind);
  }
  // What an open may change.
  void Change() {
    const uint64_t separations[] = {0, 64, 100, 500, 5000};
    const double targets[] = {0, 0, 1.1, 1.3, 2};
    const CompactionPolicy policies[] = {CompactionPolicy::kLeveled, CompactionPolicy::kTiered,
                                         CompactionPolicy::kLazyLeveling};
    options_.separation_bytes = separations[random_.Uniform(5)];
    options_.space_amplification_target = targets[random_.Uniform(5)];
    options_.compaction_policy = policies[random_.Uniform(3)];
    options_.adaptive_compaction = random_.Uniform(2) == 0;
    options_.tombstone_density_trigger = random_.Uniform(2) == 0 ? 0 : 0.3;
    options_.tombstone_max_age_s = random_.Uniform(2) == 0 ? 0 : 50;
    options_.background_compaction = options_.background_flush = random_.Uniform(2) == 0;
    options_.executor = options_.background_flush ? NewCooperativeExecutor() : nullptr;
    for (KeyspaceOptions& space : spaces_) space.separation_bytes = separations[random_.Uniform(5)];
  }
  void Start() {
    Reopen();
    ASSERT_TRUE(db_);
    for (int i = 0; i < 2; ++i) handles_[i] = Open(i == 0 ? "merges" : "filtered", spaces_[i]);
  }
  // Of a logger: it counts jobs. Should they never end, the file system fails, which ends them.
  void Note(const std::string& line) {
    const bool merge = line.starts_with("event=compaction ");
    if (!merge && !line.starts_with("event=move ") && !line.starts_with("event=drop ")) return;
    last_.push_back(line);
    if (last_.size() > 12) last_.pop_front();
    if (++jobs_ != kMostJobs) return;
    FaultRule rule = FaultRule::Fail(FileOp::kAny, "/db", FaultRule::DeviceError());
    rule.repeat = true;
    faults_->AddRule(rule);
  }

  WriteOptions Any() {
    WriteOptions options;
    const uint64_t space = random_.Uniform(4);
    if (space >= 2) options.keyspace = &handles_[space - 2];
    if (random_.Uniform(4) == 0) options.ttl_us = (1 + random_.Uniform(200)) * kMicrosPerSecond;
    return options;
  }
  std::string AnyKey() { return Key(static_cast<int>(random_.Uniform(60))); }
  std::string AnyValue() {
    return Value(static_cast<int>(random_.Uniform(100'000)), random_.Uniform(3) == 0 ? 20 : 1500);
  }
  void Step() {
    const WriteOptions options = Any();
    const uint64_t draw = random_.Uniform(200);
    if (draw < 100) {
      EXPECT_OK(db_->Put(options, AnyKey(), AnyValue()));
    } else if (draw < 140) {
      WriteOptions merge = options;
      if (merge.keyspace == &handles_[1]) merge.keyspace = &handles_[0];
      EXPECT_OK(db_->Merge(merge, AnyKey(), Value(1, 30)));
    } else if (draw < 160) {
      EXPECT_OK(db_->Delete(options, AnyKey()));
    } else if (draw < 166) {
      const int from = static_cast<int>(random_.Uniform(60));
      EXPECT_OK(db_->DeleteRange(options, Key(from), Slice(Key(from + 10))));
    } else if (draw < 176) {
      snapshots_.push_back(db_->GetSnapshot());
    } else if (draw < 186) {
      if (!snapshots_.empty()) snapshots_.pop_front();
    } else if (draw < 191) {
      clock_->Advance(random_.Uniform(60) * kMicrosPerSecond);
    } else if (draw < 194) {
      EXPECT_OK(db_->Flush());
    } else if (draw < 196) {
      EXPECT_OK(db_->CompactRange());
    } else if (draw < 197) {
      EXPECT_OK(db_->DropKeyspace(handles_[1]));
      handles_[1] = Open("filtered", spaces_[1]);
    } else {
      snapshots_.clear();
      db_.reset();
      if (draw == 199) DamageOne();
      Change();
      Start();
    }
  }
  // A bit of some value.
  void DamageOne() {
    const std::vector<std::string> names = Segments();
    if (names.empty()) return;
    const std::string& name = names[random_.Uniform(names.size())];
    std::string bytes = Bytes(name);
    if (bytes.size() < 200) return;
    bytes[100 + random_.Uniform(bytes.size() - 100)] ^= 4;
    Store(name, bytes);
  }
  // False if compaction does not come to rest.
  bool Rests(const char* when) {
    jobs_ = 0;
    EXPECT_OK(db_->Flush());
    EXPECT_OK(db_->WaitForCompaction());
    if (!EndedJobs(when)) return false;
    jobs_ = 0;
    EXPECT_OK(db_->WaitForCompaction());
    EXPECT_EQ(jobs_, 0u) << when << ": it had come to rest";
    return !HasFailure();
  }
  bool EndedJobs(const char* when) {
    if (jobs_ < kMostJobs) return !HasFailure();
    std::string lines;
    for (const std::string& line : last_) lines += line + "\n";
    ADD_FAILURE() << when << ": " << jobs_ << " jobs; the last were\n" << lines;
    return false;
  }

  Random random_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<FaultFileSystem> faults_;
  std::vector<KeyspaceOptions> spaces_;
  Keyspace handles_[2];
  std::deque<Snapshot> snapshots_;
  std::deque<std::string> last_;  // jobs
  uint64_t jobs_ = 0;
};

TEST_P(ValueRest, CompactionComesToRestWhenNobodyWrites) {
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 150; ++i) {
      jobs_ = 0;
      Step();
      if (!EndedJobs("a write")) return;
    }
    if (!Rests("snapshots held")) break;
    snapshots_.clear();
    if (!Rests("snapshots released")) break;
    clock_->Advance(100 * kMicrosPerSecond);
    if (!Rests("some has expired")) break;
    clock_->Advance(1000 * kMicrosPerSecond);
    if (!Rests("all has expired")) break;
    // What could not be moved is tried once more.
    db_.reset();
    Start();
    if (!Rests("reopened")) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ValueRest, ::testing::Range(uint64_t{0}, uint64_t{kSanitized ? 20 : 100}));

}  // namespace
}  // namespace seerdb::testing
