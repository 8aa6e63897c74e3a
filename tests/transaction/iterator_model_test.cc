// A transaction's reads against a map: point reads and iterators, both ways, in the middle of its writes,
// over a database whose entries lie in memtables and tables.
#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "base/random.h"
#include "tests/transaction/transaction_fixture.h"

namespace seerdb::testing {
namespace {

class IteratorModelTest : public TransactionFixture {
 protected:
  using Model = std::map<std::string, std::string>;

  std::string Key() { return "k" + std::to_string(100 + random_.Uniform(60)); }

  using Change = std::function<void(Model*)>;

  // The same random write to a target and to the model; noted in changes_.
  template <typename Target>
  void WriteOne(Target& target, Model* model) {
    const std::string key = Key();
    const std::string value = "v" + std::to_string(++written_);
    Change change;
    switch (random_.Uniform(8)) {
      case 0:
      case 1:
      case 2:
        ASSERT_OK(target.Put(key, value));
        change = [=](Model* m) { (*m)[key] = value; };
        break;
      case 3:
        ASSERT_OK(target.Delete(key));
        change = [=](Model* m) { m->erase(key); };
        break;
      case 4: {
        std::string begin = key;
        std::string end = Key();
        if (end < begin) std::swap(begin, end);
        const bool open = random_.OneIn(10);
        ASSERT_OK(target.DeleteRange(begin, open ? std::nullopt : std::optional<Slice>(end)));
        change = [=](Model* m) { m->erase(m->lower_bound(begin), open ? m->end() : m->lower_bound(end)); };
        break;
      }
      default:
        ASSERT_OK(target.Merge(key, value));
        change = [=](Model* m) {
          const auto [it, made] = m->try_emplace(key, value);
          if (!made) it->second += "+" + value;
        };
    }
    change(model);
    changes_.push_back(std::move(change));
  }

  void ExpectAt(const Iterator& it, const Model& model, Model::const_iterator want,
                const ReadOptions& options) {
    ASSERT_OK(it.status());
    ASSERT_EQ(it.Valid(), want != model.end());
    if (!it.Valid()) return;
    ASSERT_EQ(it.key(), want->first);
    ASSERT_EQ(it.value(), options.keys_only ? "" : want->second);
  }

  // A random walk; with `writes`, the transaction writes in between.
  void Walk(Transaction& transaction, Model* model, bool writes) {
    ReadOptions options;
    options.keys_only = random_.OneIn(5);
    if (random_.OneIn(3)) options.lower_bound = Key();
    if (random_.OneIn(3)) options.upper_bound = Key();
    if (random_.OneIn(6)) options.prefix = "k1" + std::to_string(random_.Uniform(6));
    const auto inside = [&](const std::string& key) {
      return key >= options.lower_bound && (options.upper_bound.empty() || key < options.upper_bound) &&
             key.starts_with(options.prefix);
    };
    const auto it = transaction.NewIterator(options);
    Model seen;  // what is within the bounds
    const auto look = [&] {
      seen.clear();
      for (const auto& [key, value] : *model) {
        if (inside(key)) seen[key] = value;
      }
    };
    look();
    const auto before = [&](const std::string& key, bool with) {
      auto at = with ? seen.upper_bound(key) : seen.lower_bound(key);
      return at == seen.begin() ? seen.end() : std::prev(at);
    };
    std::string at;
    bool valid = false;
    for (int step = 0; step < 40; ++step) {
      if (writes && random_.OneIn(4)) {
        WriteOne(transaction, model);
        look();
      }
      Model::const_iterator want;
      const std::string target = Key();
      switch (valid ? random_.Uniform(10) : random_.Uniform(4)) {
        case 0:
          it->SeekToFirst();
          want = seen.begin();
          break;
        case 1:
          it->SeekToLast();
          want = seen.empty() ? seen.end() : std::prev(seen.end());
          break;
        case 2:
          it->Seek(target);
          want = seen.lower_bound(target);
          break;
        case 3:
          it->SeekForPrev(target);
          want = before(target, true);
          break;
        case 4:
        case 5:
        case 6:
          it->Prev();
          want = before(at, false);
          break;
        default:
          it->Next();
          want = seen.upper_bound(at);
      }
      ExpectAt(*it, seen, want, options);
      if (HasFatalFailure()) return;
      valid = it->Valid();
      if (valid) at = it->key();
    }
  }

  void ExpectGets(Transaction& transaction, const Model& model) {
    for (int i = 0; i < 20; ++i) {
      const std::string key = Key();
      const auto want = model.find(key);
      ASSERT_EQ(Text(random_.OneIn(2) ? transaction.Get(key) : transaction.GetForUpdate(key)),
                want == model.end() ? "none" : "=" + want->second);
    }
  }

  Random random_{TestSeed()};
  uint64_t written_ = 0;
  std::vector<Change> changes_;
};

TEST_F(IteratorModelTest, ReadsAreThoseOfTheSnapshotWithItsWritesAbove) {
  Model committed;
  int conflicts = 0;
  const int rounds = kSanitized ? 60 : 400;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    for (uint64_t i = random_.Uniform(40); i-- > 0;) WriteOne(*db_, &committed);
    if (random_.OneIn(4)) ASSERT_OK(db_->Flush());
    if (random_.OneIn(8)) ASSERT_OK(db_->CompactRange());
    const bool serializable = random_.OneIn(2);
    const auto transaction = Begin(serializable ? IsolationLevel::kSerializable : IsolationLevel::kSnapshot);
    Model own = committed;
    const bool disturbed = random_.OneIn(2);
    if (disturbed) {
      for (uint64_t i = random_.Uniform(20); i-- > 0;) WriteOne(*db_, &committed);
      if (random_.OneIn(2)) ASSERT_OK(db_->CompactRange());
    }
    changes_.clear();
    for (int part = 0; part < 4; ++part) {
      for (uint64_t i = random_.Uniform(15); i-- > 0;) WriteOne(*transaction, &own);
      ExpectGets(*transaction, own);
      Walk(*transaction, &own, /*writes=*/part % 2 == 1);
      if (HasFatalFailure()) return;
      if (random_.OneIn(3)) {
        const Model before = own;
        const size_t changes = changes_.size();
        ASSERT_OK(transaction->SetSavepoint());
        for (uint64_t i = random_.Uniform(15); i-- > 0;) WriteOne(*transaction, &own);
        ExpectGets(*transaction, own);
        if (random_.OneIn(2)) {
          ASSERT_OK(transaction->RollbackToSavepoint());
          own = before;
          changes_.resize(changes);
        } else {
          ASSERT_OK(transaction->ReleaseSavepoint());
        }
        ExpectGets(*transaction, own);
        Walk(*transaction, &own, /*writes=*/false);
        if (HasFatalFailure()) return;
      }
    }
    const Status status = transaction->Commit();
    if (!disturbed) ASSERT_OK(status);
    if (status.ok()) {
      // What it wrote, over what the others have written meanwhile.
      for (const Change& change : changes_) change(&committed);
    } else {
      ASSERT_TRUE(status.IsConflict()) << status.ToString();
      ++conflicts;
    }
    ASSERT_EQ(Difference(committed, ReadAll(*db_)), "");
  }
  EXPECT_GT(conflicts, rounds / 10);
}

// An iterator that may pass over so few hidden entries only goes on where it stopped.
TEST_F(IteratorModelTest, ASkipLimitStopsAndGoesOn) {
  for (int i = 0; i < 50; ++i) ASSERT_OK(db_->Put("k" + std::to_string(100 + i), "1"));
  for (int i = 5; i < 45; ++i) ASSERT_OK(db_->Delete("k" + std::to_string(100 + i)));
  const auto transaction = Begin();
  ASSERT_OK(transaction->Put("k120", "own"));
  ReadOptions options;
  options.max_skipped = 7;
  for (const bool backward : {false, true}) {
    const auto it = transaction->NewIterator(options);
    int entries = 0;
    int stops = 0;
    for (backward ? it->SeekToLast() : it->SeekToFirst();;) {
      if (it->Valid()) {
        ++entries;
      } else if (it->status().detail() == StatusDetail::kSkipLimit) {
        ++stops;
      } else {
        ASSERT_OK(it->status());
        break;
      }
      backward ? it->Prev() : it->Next();
    }
    EXPECT_EQ(entries, 11);
    EXPECT_GE(stops, 4);
  }
}

// What the iterator has passed over because it was deleted is there again.
TEST_F(IteratorModelTest, AfterARollbackItSeesWhatWasDeletedBefore) {
  for (const char* key : {"a", "d", "m", "x"}) ASSERT_OK(db_->Put(key, "1"));
  for (const bool backward : {false, true}) {
    const auto transaction = Begin();
    ASSERT_OK(transaction->SetSavepoint());
    ASSERT_OK(transaction->DeleteRange("b", "z"));
    ASSERT_OK(transaction->Put("h", "own"));
    const auto it = transaction->NewIterator();
    std::string seen;
    for (backward ? it->SeekToLast() : it->SeekToFirst(); it->Valid(); backward ? it->Prev() : it->Next()) {
      seen += it->key();
      if (it->key() == "h") ASSERT_OK(transaction->RollbackToSavepoint());
    }
    EXPECT_OK(it->status());
    EXPECT_EQ(seen, backward ? "hda" : "ahmx");
  }
}

// The error that an iterator stopped on is not overlooked.
TEST_F(IteratorModelTest, AnErrorThatNobodyAskedForFailsTheCommit) {
  for (const bool asked : {false, true}) {
    const auto transaction = Begin();
    const auto it = transaction->NewIterator();
    ASSERT_OK(db_->Put("unrelated", "1"));
    KeyspaceOptions numbers;
    numbers.merge_operator = U64Add();
    const Keyspace keyspace = Open("numbers", numbers);
    ASSERT_OK(transaction->Put(keyspace, "n", "not a number"));
    ASSERT_OK(transaction->Merge(keyspace, "n", U64Operand(1)));
    ReadOptions options;
    options.keyspace = &keyspace;
    {
      const auto numbers_it = transaction->NewIterator(options);
      numbers_it->SeekToFirst();
      EXPECT_FALSE(numbers_it->Valid());
      if (asked) {
        EXPECT_EQ(numbers_it->status().detail(), StatusDetail::kMergeFailed);
      }
    }
    EXPECT_EQ(transaction->Commit().detail(), asked ? StatusDetail::kNone : StatusDetail::kMergeFailed);
  }
}

}  // namespace
}  // namespace seerdb::testing
