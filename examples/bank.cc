// A bank: several threads move money between accounts while an auditor adds everything up. The sum never
// changes, no account is overdrawn, and nobody locks anything.
//
//   example_bank DIRECTORY
//
// What is in DIRECTORY is destroyed first.
#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "seerdb/db.h"

namespace {

using seerdb::Result;
using seerdb::Slice;
using seerdb::Status;
using seerdb::Transaction;

constexpr int kAccounts = 20;
constexpr int64_t kOpeningBalance = 1000;
constexpr int kTellers = 4;
constexpr int kTransfersEach = 1000;

std::string Account(int number) { return "account/" + std::to_string(100 + number); }

Result<int64_t> Balance(Transaction& transaction, Slice account) {
  const Result<std::optional<seerdb::PinnedValue>> value = transaction.Get(account);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return Status::InvalidArgument("there is no " + std::string(account));
  return int64_t{std::stoll((*value)->ToString())};
}

// False: there is not enough. RunTransaction calls it again if somebody else was faster, so it only reads and
// writes through the transaction, and sets what it returns anew each time.
Result<bool> Transfer(seerdb::DB* db, const std::string& from, const std::string& to, int64_t amount) {
  bool enough = false;
  const Status status = seerdb::RunTransaction(db, {}, [&](Transaction& transaction) -> Status {
    const Result<int64_t> source = Balance(transaction, from);
    if (!source.ok()) return source.status();
    enough = *source >= amount;
    if (!enough) return Status::Ok();
    if (Status put = transaction.Put(from, std::to_string(*source - amount)); !put.ok()) return put;
    const Result<int64_t> target = Balance(transaction, to);  // also right if both are the same
    if (!target.ok()) return target.status();
    return transaction.Put(to, std::to_string(*target + amount));
  });
  if (!status.ok()) return status;
  return enough;
}

// One consistent look at all accounts. It writes nothing, so it never conflicts.
Result<int64_t> Audit(seerdb::DB* db) {
  Result<std::unique_ptr<Transaction>> transaction = db->BeginTransaction();
  if (!transaction.ok()) return transaction.status();
  int64_t sum = 0;
  seerdb::ReadOptions accounts;
  accounts.prefix = "account/";
  const std::unique_ptr<seerdb::Iterator> it = (*transaction)->NewIterator(accounts);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const int64_t balance = std::stoll(std::string(it->value()));
    if (balance < 0) return Status::InvalidArgument(std::string(it->key()) + " is overdrawn");
    sum += balance;
  }
  if (!it->status().ok()) return it->status();
  if (Status status = (*transaction)->Commit(); !status.ok()) return status;
  return sum;
}

struct Day {
  std::atomic<int> done{0};
  std::atomic<int> refused{0};
  std::atomic<bool> failed{false};

  void Fail(const Status& status) {
    if (!failed.exchange(true)) std::cerr << status.ToString() << "\n";
  }
};

void Work(seerdb::DB* db, unsigned seed, Day* day) {
  std::minstd_rand random(seed);
  for (int i = 0; i < kTransfersEach && !day->failed; ++i) {
    const std::string from = Account(static_cast<int>(random() % kAccounts));
    const std::string to = Account(static_cast<int>(random() % kAccounts));
    const Result<bool> moved = Transfer(db, from, to, static_cast<int64_t>(random() % 700));
    if (!moved.ok()) return day->Fail(moved.status());
    (*moved ? day->done : day->refused) += 1;
  }
}

Status Run(const std::string& path) {
  seerdb::Options options;
  options.wal_sync_policy = seerdb::SyncPolicy::kNone;
  Result<std::unique_ptr<seerdb::DB>> opened = seerdb::DB::Open(options, path);
  if (!opened.ok()) return opened.status();
  seerdb::DB* const db = opened->get();
  seerdb::WriteBatch accounts;
  for (int i = 0; i < kAccounts; ++i) accounts.Put(Account(i), std::to_string(kOpeningBalance));
  if (Status status = db->Write(accounts); !status.ok()) return status;

  Day day;
  std::vector<std::thread> tellers;
  for (int i = 0; i < kTellers; ++i) tellers.emplace_back(Work, db, 17 + i, &day);
  int audits = 0;
  while (!day.failed && (day.done + day.refused < kTellers * kTransfersEach || audits == 0)) {
    const Result<int64_t> sum = Audit(db);
    if (!sum.ok()) {
      day.Fail(sum.status());
    } else if (*sum != kAccounts * kOpeningBalance) {
      day.Fail(Status::InvalidArgument("the accounts add up to " + std::to_string(*sum)));
    }
    ++audits;
  }
  for (std::thread& teller : tellers) teller.join();
  if (day.failed) return Status::InvalidArgument("the day did not end well");
  std::cout << day.done << " transfers, " << day.refused << " refused, " << audits
            << " audits, and the sum was always " << kAccounts * kOpeningBalance << "\n";
  return db->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: example_bank DIRECTORY\n", 2;
  Status status = seerdb::DestroyDatabase({}, argv[1]);
  if (status.ok()) status = Run(argv[1]);
  if (!status.ok()) std::cerr << status.ToString() << "\n";
  return status.ok() ? 0 : 1;
}
