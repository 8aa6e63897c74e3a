// Sessions that end by themselves: a keyspace with a time to live, where each put begins the time anew.
//
//   example_session_store DIRECTORY
//
// What is in DIRECTORY is destroyed first. The clock is set by hand, so nobody has to wait.
#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "seerdb/db.h"

namespace {

using seerdb::Result;
using seerdb::Slice;
using seerdb::Status;

constexpr uint64_t kMinute = uint64_t{60} * 1'000'000;
constexpr uint64_t kDay = 24 * 60 * kMinute;

// The system's clock, with a time of day that moves only when told to. Times to live go by the time of day.
class HandSetClock final : public seerdb::Clock {
 public:
  uint64_t NowMicros() override { return seerdb::SystemClock()->NowMicros(); }
  uint64_t WallMicros() override { return wall_us_; }
  void SleepMicros(uint64_t micros) override { seerdb::SystemClock()->SleepMicros(micros); }
  void Advance(uint64_t micros) { wall_us_ += micros; }

 private:
  std::atomic<uint64_t> wall_us_{1'700'000'000'000'000};  // the engine's threads read it as well
};

class SessionStore {
 public:
  // The time to live is kept with the keyspace: a later OpenKeyspace("sessions") finds it again.
  static Result<SessionStore> Open(seerdb::DB* db) {
    seerdb::KeyspaceOptions options;
    options.default_ttl_us = 30 * kMinute;
    Result<seerdb::Keyspace> sessions = db->OpenKeyspace("sessions", options);
    if (!sessions.ok()) return sessions.status();
    return SessionStore(*std::move(sessions));
  }

  Status Begin(Slice id, Slice user) const { return sessions_.Put(id, user); }
  // With a time of its own in the place of the keyspace's.
  Status BeginRemembered(Slice id, Slice user) const {
    return sessions_.Put(seerdb::WriteOptions::Ttl(30 * kDay), id, user);
  }
  // The user of a session, nullopt if there is none or no more; one that is there lives on from now.
  Result<std::optional<std::string>> Touch(Slice id) const {
    Result<std::optional<seerdb::PinnedValue>> found = sessions_.Get(id);
    if (!found.ok()) return found.status();
    if (!found->has_value()) return std::optional<std::string>();
    std::string user = (*found)->ToString();
    if (Status status = Begin(id, user); !status.ok()) return status;
    return std::optional<std::string>(std::move(user));
  }
  Status End(Slice id) const { return sessions_.Delete(id); }
  // The sessions that live, as " id=user id=user".
  Result<std::string> List() const {
    std::string list;
    for (const seerdb::ScanEntry& entry : sessions_.Scan()) {
      if (!entry.ok()) return entry.status();
      list.append(" ").append(entry.key()).append("=").append(entry.value());
    }
    return list;
  }

 private:
  explicit SessionStore(seerdb::Keyspace sessions) : sessions_(std::move(sessions)) {}

  seerdb::Keyspace sessions_;
};

// Prints the sessions that live; an error if they are not those expected.
Status Show(const SessionStore& store, const char* when, Slice expected) {
  const Result<std::string> list = store.List();
  if (!list.ok()) return list.status();
  std::cout << when << ":" << (list->empty() ? " none" : *list) << "\n";
  if (*list == expected) return {};
  return Status::InvalidArgument("expected" + std::string(expected));
}

Status Run(const std::string& path) {
  const auto clock = std::make_shared<HandSetClock>();
  seerdb::Options options;
  options.clock = clock;
  if (Status status = DestroyDatabase(options, path); !status.ok()) return status;
  Result<std::unique_ptr<seerdb::DB>> db = seerdb::DB::Open(options, path);
  if (!db.ok()) return db.status();
  const Result<SessionStore> store = SessionStore::Open(db->get());
  if (!store.ok()) return store.status();

  if (Status status = store->Begin("s1", "ada"); !status.ok()) return status;
  if (Status status = store->Begin("s2", "bob"); !status.ok()) return status;
  if (Status status = store->BeginRemembered("s3", "cy"); !status.ok()) return status;
  if (Status status = Show(*store, "at the beginning", " s1=ada s2=bob s3=cy"); !status.ok()) return status;

  clock->Advance(20 * kMinute);
  Result<std::optional<std::string>> user = store->Touch("s1");
  if (!user.ok()) return user.status();
  clock->Advance(10 * kMinute);
  if (Status status = Show(*store, "after 30 minutes, ada was there after 20", " s1=ada s3=cy"); !status.ok())
    return status;
  user = store->Touch("s2");  // too late: nothing is brought back
  if (!user.ok()) return user.status();
  if (user->has_value()) return Status::InvalidArgument("bob's session is back");

  clock->Advance(kDay);
  if (Status status = Show(*store, "a day later", " s3=cy"); !status.ok()) return status;
  if (Status status = store->End("s3"); !status.ok()) return status;
  if (Status status = Show(*store, "cy has signed out", ""); !status.ok()) return status;
  return (*db)->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: example_session_store DIRECTORY\n", 2;
  const Status status = Run(argv[1]);
  if (!status.ok()) std::cerr << status.ToString() << "\n";
  return status.ok() ? 0 : 1;
}
