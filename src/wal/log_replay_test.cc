// Runs the stories of testdata/replay.txt: each writes some segments, damages them, and replays.
//
// A story is lines, "----", and what its replay lines print. SEERDB_REWRITE=1 writes the outcomes back.
//   prepare N BYTES            makes log N
//   recycle OLD NEW            makes log NEW of the released log OLD
//   write N COUNT [durable=R] [size=B] [epoch=E] [skip=K]
//                              appends COUNT records of B payload bytes, numbered on from the last one, K
//                              numbers left out; R = highest record known durable
//   flip AT | zero AT COUNT | set AT U32 | cut AT   damages the file at AT: N@OFFSET or rRECORD+OFFSET
//   copy FROM TO | delete N    whole files
//   replay N... [first=R] [epoch=E]
#include "wal/log_replay.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/coding.h"
#include "env/memory_file_system.h"
#include "wal/log_segment.h"
#include "wal/log_test_util.h"

namespace seerdb {
namespace {

const DatabaseId kReplayedDatabase{0x5eed, 0xdb};

class Story {
 public:
  Story() { EXPECT_TRUE(fs_.CreateDirectory("/db").ok()); }

  std::string Run(const std::string& script) {
    std::istringstream lines(script);
    for (std::string line; std::getline(lines, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::istringstream words(line);
      std::string command;
      words >> command;
      std::vector<std::string> arguments;
      for (std::string word; words >> word;) {
        const size_t equals = word.find('=');
        if (equals == std::string::npos) {
          arguments.push_back(word);
        } else {
          options_[word.substr(0, equals)] = std::stoull(word.substr(equals + 1));
        }
      }
      Command(command, arguments);
      options_.clear();
    }
    return out_;
  }

 private:
  struct At {
    std::string path;
    size_t offset;
  };

  static std::string Operations(uint64_t record, uint64_t bytes) {
    std::string out = "record " + std::to_string(record) + " ";
    out.resize(bytes - sizeof(uint64_t), 'x');
    return out;
  }
  uint64_t Option(const std::string& name, uint64_t otherwise) const {
    const auto it = options_.find(name);
    return it == options_.end() ? otherwise : it->second;
  }
  LogIdentity Identity(uint64_t number) const { return {kReplayedDatabase, number, Option("epoch", 1)}; }

  void Command(const std::string& command, const std::vector<std::string>& arguments) {
    const auto number = [&](size_t i) { return std::stoull(arguments.at(i)); };
    if (command == "prepare") {
      EXPECT_TRUE(PrepareLogFile(fs_, {"/db", LogPath(number(0)), LogMode::kBuffered, number(1), {}}).ok());
    } else if (command == "recycle") {
      EXPECT_TRUE(
          PrepareLogFile(fs_, {"/db", LogPath(number(1)), LogMode::kBuffered, 0, LogPath(number(0))}).ok());
    } else if (command == "write") {
      Write(number(0), number(1));
    } else if (command == "replay") {
      Replay(arguments);
    } else if (command == "delete") {
      EXPECT_TRUE(fs_.DeleteFile(LogPath(number(0))).ok());
    } else if (command == "copy") {
      Store(LogPath(number(1)), *ReadFileToString(fs_, LogPath(number(0))));
    } else {
      Damage(command, Locate(arguments.at(0)), arguments.size() > 1 ? number(1) : 0);
    }
  }

  void Write(uint64_t log, uint64_t count) {
    next_record_ += Option("skip", 0);
    auto& segment = segments_[log];
    if (segment == nullptr) segment = OpenSegment(fs_, LogPath(log), Identity(log), next_record_);
    for (uint64_t i = 0; i < count; ++i, ++next_record_) {
      at_[next_record_] = {LogPath(log), std::max<size_t>(segment->bytes(), kLogHeaderBytes)};
      size_[next_record_] = Option("size", 32);
      const std::string operations = Operations(next_record_, size_[next_record_]);
      EXPECT_TRUE(segment->Append({{10 * next_record_, operations}}, Option("durable", 0)).ok());
    }
  }

  At Locate(const std::string& text) const {
    const size_t mark = text.find_first_of("@+");
    const size_t offset = mark == std::string::npos ? 0 : std::stoull(text.substr(mark + 1));
    if (text[0] != 'r') return {LogPath(std::stoull(text)), offset};
    const At& record = at_.at(std::stoull(text.substr(1)));
    return {record.path, record.offset + offset};
  }

  void Damage(const std::string& command, const At& at, uint64_t argument) {
    std::string contents = *ReadFileToString(fs_, at.path);
    ASSERT_LT(at.offset, contents.size());
    if (command == "flip") {
      contents[at.offset] = static_cast<char>(contents[at.offset] ^ 0x40);
    } else if (command == "zero") {
      for (size_t i = 0; i < argument; ++i) contents.at(at.offset + i) = 0;
    } else if (command == "set") {
      StoreU32(contents.data() + at.offset, static_cast<uint32_t>(argument));
    } else if (command == "cut") {
      contents.resize(at.offset);
    } else {
      ADD_FAILURE() << "unknown command " << command;
    }
    Store(at.path, contents);
  }

  void Store(const std::string& path, const std::string& contents) {
    auto file = fs_.NewWritableFile(path, CreateMode::kTruncate);
    ASSERT_TRUE(file.ok() && (*file)->Append(contents).ok());
  }

  void Replay(const std::vector<std::string>& numbers) {
    std::vector<ReplayLog> logs;
    for (const std::string& number : numbers)
      logs.push_back({LogPath(std::stoull(number)), Identity(std::stoull(number))});
    uint64_t record = Option("first", 1);
    const auto summary =
        ReplayLogs(fs_, logs, {record}, [&](SequenceNumber base, Slice operations) -> Status {
          EXPECT_EQ(base, 10 * record);
          EXPECT_EQ(operations, Operations(record, size_[record]));
          ++record;
          return {};
        });
    if (!summary.ok()) {
      EXPECT_EQ(summary.status().detail(), StatusDetail::kWalCorruption);
      out_ += summary.status().ToString() + "\n";
      return;
    }
    EXPECT_EQ(summary->next_record, record);
    out_ += std::to_string(summary->records) + " records of " + std::to_string(summary->bytes) +
            " bytes, ends at " + summary->end_path + " @" + std::to_string(summary->end_offset) +
            (summary->torn ? ", torn\n" : "\n");
  }

  MemoryFileSystem fs_;
  std::map<std::string, uint64_t> options_;
  std::map<uint64_t, std::unique_ptr<LogSegment>> segments_;
  std::map<uint64_t, At> at_;
  std::map<uint64_t, uint64_t> size_;
  uint64_t next_record_ = 1;
  std::string out_;
};

TEST(LogReplay, Stories) {
  const std::string path = std::string(SEERDB_SOURCE_DIR) + "/src/wal/testdata/replay.txt";
  const auto fs = PosixFileSystem();
  const auto contents = ReadFileToString(*fs, path);
  ASSERT_TRUE(contents.ok()) << contents.status().ToString();
  std::string rewritten;
  size_t stories = 0;
  for (size_t begin = 0; begin < contents->size();) {
    const size_t end = std::min(contents->find("\n\n", begin), contents->size());
    const std::string block = contents->substr(begin, end - begin) + "\n";
    const size_t mark = block.find("----\n");
    ASSERT_NE(mark, std::string::npos) << block;
    const std::string script = block.substr(0, mark);
    SCOPED_TRACE(script);
    std::string got = Story().Run(script);
    if (!got.empty()) got.pop_back();
    std::string wanted = block.substr(mark + 5);
    while (!wanted.empty() && wanted.back() == '\n') wanted.pop_back();
    if (std::getenv("SEERDB_REWRITE") == nullptr) {
      EXPECT_EQ(got, wanted);
    }
    rewritten += (rewritten.empty() ? "" : "\n") + script + "----\n" + got + "\n";
    begin = end + 2;
    ++stories;
  }
  EXPECT_GE(stories, 20u);
  if (std::getenv("SEERDB_REWRITE") != nullptr) {
    auto file = fs->NewWritableFile(path, CreateMode::kTruncate);
    ASSERT_TRUE(file.ok() && (*file)->Append(rewritten).ok());
  }
}

TEST(LogReplay, NoLogs) {
  MemoryFileSystem fs;
  const auto summary = ReplayLogs(fs, {}, {5}, [](SequenceNumber, Slice) -> Status { return {}; });
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->records, 0u);
  EXPECT_EQ(summary->next_record, 5u);
  EXPECT_FALSE(summary->torn);
}

TEST(LogReplay, ErrorOfApplyEndsIt) {
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectory("/db").ok());
  const LogIdentity identity{kReplayedDatabase, 1, 1};
  ASSERT_TRUE(PrepareLogFile(fs, {"/db", "/db/1.log", LogMode::kBuffered, 0, {}}).ok());
  auto segment = OpenSegment(fs, "/db/1.log", identity, 1);
  ASSERT_TRUE(segment->Append({{1, "one"}, {2, "two"}, {3, "three"}}, 0).ok());
  int calls = 0;
  const auto summary = ReplayLogs(fs, {{"/db/1.log", identity}}, {1}, [&](SequenceNumber, Slice) -> Status {
    return ++calls == 2 ? Status::Busy("full") : Status();
  });
  EXPECT_EQ(summary.status().ToString(), "Busy: replay /db/1.log @91: full");
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace seerdb
