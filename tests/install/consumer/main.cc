// Uses every public header of the installed package, and enough of the API to link all of its parts.
#include <cstdio>
#include <string>
#include <vector>

#include "seerdb/db.h"
#include "seerdb/version.h"

namespace {

int Fail(const char* what, const seerdb::Status& status) {
  std::fprintf(stderr, "%s: %s\n", what, status.ToString().c_str());
  return 1;
}

int Use(const std::string& path) {
  seerdb::Options options = seerdb::Options::Embedded();
  options.compression = seerdb::CompressionType::kZstd;
  auto db = seerdb::DB::Open(options, path);
  if (!db.ok()) return Fail("open", db.status());
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "key" + std::to_string(i);
    if (auto s = (*db)->Put(key, "value of " + key); !s.ok()) return Fail("put", s);
  }
  const seerdb::Snapshot snapshot = (*db)->GetSnapshot();
  if (auto s = (*db)->Delete("key7"); !s.ok()) return Fail("delete", s);
  if (auto s = (*db)->Flush(); !s.ok()) return Fail("flush", s);
  const auto verified = (*db)->Verify();
  if (!verified.ok()) return Fail("verify", verified.status());

  int count = 0;
  for (const seerdb::ScanEntry& entry : (*db)->Scan().Prefix("key").AsOf(snapshot)) {
    if (!entry.ok()) return Fail("scan", entry.status());
    ++count;
  }
  const auto found = (*db)->Get("key8");
  if (!found.ok()) return Fail("get", found.status());
  const auto gone = (*db)->Get("key7");
  if (!gone.ok()) return Fail("get", gone.status());
  const bool right = count == 1000 && found->has_value() && **found == "value of key8" && !gone->has_value();
  if (auto s = (*db)->Close(); !s.ok()) return Fail("close", s);
  std::printf("seerdb %s: %d entries, %s\n", seerdb::VersionString(), count, right ? "right" : "WRONG");
  return right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  return Use(argv[1]);
}
