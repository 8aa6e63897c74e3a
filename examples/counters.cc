// Page views and tags by merges: nothing is read before it is changed.
//
//   example_counters DIRECTORY
//
// What is in DIRECTORY is destroyed first. The database is closed and opened again between two days.
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "seerdb/db.h"

namespace {

using seerdb::Result;
using seerdb::Slice;
using seerdb::Status;

struct Pages {
  std::unique_ptr<seerdb::DB> db;
  seerdb::Keyspace views;  // page -> number of views
  seerdb::Keyspace tags;   // page -> list of tags
};

Result<Pages> Open(const std::string& path) {
  Result<std::unique_ptr<seerdb::DB>> db = seerdb::DB::Open(path);
  if (!db.ok()) return db.status();
  // Each keyspace keeps the name of its operator. From the second open on it need not be given, as the engine
  // knows both of these by their names; giving it again makes sure that it is the one.
  seerdb::KeyspaceOptions numbers;
  numbers.merge_operator = seerdb::U64Add();
  Result<seerdb::Keyspace> views = (*db)->OpenKeyspace("views", numbers);
  if (!views.ok()) return views.status();
  seerdb::KeyspaceOptions lists;
  lists.merge_operator = seerdb::ListAppend();
  Result<seerdb::Keyspace> tags = (*db)->OpenKeyspace("tags", lists);
  if (!tags.ok()) return tags.status();
  return Pages{*std::move(db), *std::move(views), *std::move(tags)};
}

// Not waited for until it is on disk: a power cut may take the last views, and nothing else.
Status View(const Pages& pages, Slice page) {
  return pages.views.Merge(seerdb::WriteOptions::NoSync(), page, seerdb::U64Operand(1));
}

// Both tags, or none of them.
Status Tag(const Pages& pages, Slice page, const std::vector<std::string>& tags) {
  seerdb::WriteBatch batch;
  for (const std::string& tag : tags) {
    std::string operand;
    seerdb::AppendListItem(&operand, tag);
    batch.Merge(pages.tags, page, operand);
  }
  return pages.db->Write(batch);
}

Result<std::map<std::string, uint64_t>> AllViews(const Pages& pages) {
  std::map<std::string, uint64_t> all;
  for (const seerdb::ScanEntry& entry : pages.views.Scan()) {
    if (!entry.ok()) return entry.status();
    const Result<uint64_t> number = seerdb::U64Value(entry.value());
    if (!number.ok()) return number.status();
    all[std::string(entry.key())] = *number;
  }
  return all;
}

// In the order in which they were added; a list that merges append to does not look for what it has already.
Result<std::vector<std::string>> TagsOf(const Pages& pages, Slice page) {
  const Result<std::optional<seerdb::PinnedValue>> value = pages.tags.Get(page);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::vector<std::string>();
  const Result<std::vector<Slice>> items = seerdb::ListItems(**value);
  if (!items.ok()) return items.status();
  return std::vector<std::string>(items->begin(), items->end());
}

Status FirstDay(const std::string& path) {
  Result<Pages> pages = Open(path);
  if (!pages.ok()) return pages.status();
  for (int i = 0; i < 1000; ++i) {
    if (Status status = View(*pages, i % 4 == 0 ? "about" : "home"); !status.ok()) return status;
  }
  if (Status status = Tag(*pages, "home", {"start", "news"}); !status.ok()) return status;
  return pages->db->Close();
}

Status SecondDay(const std::string& path) {
  Result<Pages> pages = Open(path);
  if (!pages.ok()) return pages.status();
  for (int i = 0; i < 50; ++i) {
    if (Status status = View(*pages, "home"); !status.ok()) return status;
  }
  if (Status status = Tag(*pages, "home", {"2024", "news"}); !status.ok()) return status;

  const Result<std::map<std::string, uint64_t>> views = AllViews(*pages);
  if (!views.ok()) return views.status();
  for (const auto& [page, number] : *views) std::cout << page << ": " << number << " views\n";
  const Result<std::vector<std::string>> tags = TagsOf(*pages, "home");
  if (!tags.ok()) return tags.status();
  std::cout << "home is tagged";
  for (const std::string& tag : *tags) std::cout << " " << tag;
  std::cout << "\n";
  if (*views != std::map<std::string, uint64_t>{{"about", 250}, {"home", 800}}) {
    return Status::InvalidArgument("expected 250 and 800 views");
  }
  if (*tags != std::vector<std::string>{"start", "news", "2024", "news"}) {
    return Status::InvalidArgument("expected the tags of both days, in their order");
  }
  return pages->db->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: example_counters DIRECTORY\n", 2;
  Status status = seerdb::DestroyDatabase({}, argv[1]);
  if (status.ok()) status = FirstDay(argv[1]);
  if (status.ok()) status = SecondDay(argv[1]);
  if (!status.ok()) std::cerr << status.ToString() << "\n";
  return status.ok() ? 0 : 1;
}
