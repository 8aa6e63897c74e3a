// The lines that the user's logger gets: one form for all, and one line for each thing that happens.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

#include "db/event_log.h"
#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr char kDirectory[] = "/my db";

TEST(EventLine, QuotesWhatIsNotAPlainWord) {
  EventLine line("open");
  line.Add("n", uint64_t{7}).Add("word", "a/b-c_1.sst:@").Add("plain", "a/b-c_1.sst:0");
  line.Add("empty", "").Add("text", "two \"words\" \\ and\nmore");
  EXPECT_EQ(line.text(),
            "event=open n=7 word=\"a/b-c_1.sst:@\" plain=a/b-c_1.sst:0 empty=\"\" "
            "text=\"two \\\"words\\\" \\\\ and\\nmore\"");
}

using Fields = std::map<std::string, std::string>;

// Every line must have the form that docs/observing.md states.
Fields Parse(const std::string& line) {
  static const std::regex kField(R"(([a-z_]+)=("(?:[^"\\]|\\.)*"|[A-Za-z0-9_.:/-]+)(?: |$))");
  Fields fields;
  size_t consumed = 0;
  for (std::sregex_iterator it(line.begin(), line.end(), kField), end; it != end; ++it) {
    EXPECT_EQ(static_cast<size_t>(it->position()), consumed) << line;
    consumed += static_cast<size_t>(it->length());
    EXPECT_TRUE(fields.emplace((*it)[1], (*it)[2]).second) << "twice in " << line;
  }
  EXPECT_EQ(consumed, line.size()) << line;
  EXPECT_TRUE(line.starts_with("event=")) << line;
  return fields;
}

class Events {
 public:
  std::function<void(Slice)> logger() {
    return [this](Slice line) { lines_.push_back(Parse(std::string(line))); };
  }
  std::vector<Fields> Of(const std::string& event) const {
    std::vector<Fields> found;
    for (const Fields& fields : lines_) {
      if (fields.at("event") == event) found.push_back(fields);
    }
    return found;
  }
  std::set<std::string> Keys(const std::string& event) const {
    std::set<std::string> keys;
    const std::vector<Fields> found = Of(event);
    if (found.empty()) ADD_FAILURE() << "no event " << event;
    if (!found.empty()) {
      for (const auto& [key, value] : found.back()) keys.insert(key);
    }
    return keys;
  }
  void Clear() { lines_.clear(); }

 private:
  std::vector<Fields> lines_;
};

using Keys = std::set<std::string>;

TEST(Events, EachThingThatHappensIsALine) {
  Events events;
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.logger = events.logger();
  auto db = OpenOrFail(options, kDirectory);
  ASSERT_TRUE(db);
  EXPECT_EQ(events.Of("open").at(0).at("directory"), "\"/my db\"");
  EXPECT_EQ(events.Keys("open"),
            (Keys{"event", "directory", "tables", "tables_from_log", "records_replayed"}));
  for (int i = 0; i < 500; ++i) ASSERT_OK(db->Put("key" + std::to_string(i), std::string(40, 'v')));
  ASSERT_OK(db->Flush());
  ASSERT_OK(db->CompactRange());
  EXPECT_EQ(events.Of("flush").size(), db->Stats().total_flushes);
  EXPECT_EQ(events.Keys("flush"), (Keys{"event", "table", "entries", "bytes", "us"}));
  EXPECT_EQ(events.Of("compaction").size(), db->Stats().total_compactions);
  EXPECT_EQ(events.Keys("compaction"),
            (Keys{"event", "inputs", "outputs", "level", "entries_read", "entries_dropped", "bytes_read",
                  "bytes_written", "us", "reason"}));
  for (const Fields& move : events.Of("move")) EXPECT_TRUE(move.contains("level") && move.contains("reason"));
  ASSERT_OK(db->Close());
  EXPECT_EQ(events.Of("close").size(), 1u);
  EXPECT_EQ(events.Of("close")[0].at("status"), "OK");
}

// A writer that finds sealed memtables in its way, and one that finds L0 full.
TEST(Events, AStallBeginsAndEndsOnce) {
  Events events;
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.logger = events.logger();
  options.background_flush = true;
  options.max_immutable_memtables = 1;
  options.executor = NewCooperativeExecutor();
  auto db = OpenOrFail(options, kDirectory);
  ASSERT_TRUE(db);
  for (int i = 0; i < 400; ++i) ASSERT_OK(db->Put("a" + std::to_string(i), std::string(200, 'v')));
  ASSERT_GE(events.Of("stall_begin").size(), 1u);
  EXPECT_EQ(events.Keys("stall_begin"), (Keys{"event", "reason", "effect", "found", "limit"}));
  EXPECT_EQ(events.Of("stall_begin")[0].at("reason"), "immutable_memtables");
  EXPECT_EQ(events.Of("stall_begin")[0].at("effect"), "wait");
  EXPECT_GE(db->Stats().write_stalls, events.Of("stall_begin").size());
  EXPECT_LE(events.Of("stall_end").size(), events.Of("stall_begin").size());
  EXPECT_GE(events.Of("stall_end").size() + 1, events.Of("stall_begin").size());
}

TEST(Events, AnErrorIsToldOnceAndShowsInHealth) {
  for (const bool no_space : {false, true}) {
    Events events;
    const auto faults = std::make_shared<FaultFileSystem>(std::make_shared<MemoryFileSystem>());
    Options options = TinyOptions();
    options.file_system = faults;
    options.logger = events.logger();
    auto db = OpenOrFail(options, kDirectory);
    ASSERT_TRUE(db);
    ASSERT_OK(db->Put("a", "1"));
    const HealthStatus before = db->Health();
    EXPECT_TRUE(before.healthy) << before.ToString();
    FaultRule rule;
    rule.op = FileOp::kAny;
    rule.path_part = ".log";
    rule.repeat = true;
    rule.error = no_space ? Status::IoError("found no space", StatusDetail::kNoSpace)
                          : Status::IoError("found an error");
    faults->AddRule(rule);
    EXPECT_FALSE(db->Put("a", "2").ok());
    EXPECT_FALSE(db->Put("a", "3").ok());
    ASSERT_EQ(events.Of("error").size(), 1u);
    const HealthStatus health = db->Health();
    EXPECT_FALSE(health.healthy);
    const HealthCheck* const workers = health.Find("worker_errors");
    EXPECT_EQ(workers->status, no_space ? CheckStatus::kDegraded : CheckStatus::kUnhealthy)
        << workers->message;
    EXPECT_NE(workers->message.find("log write"), std::string::npos) << workers->message;
  }
}

}  // namespace
}  // namespace seerdb::testing
