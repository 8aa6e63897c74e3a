// Many tenants in one database, each in a keyspace of its own: apart from one another, changed together where
// that is needed, and gone at once when a tenant leaves.
//
//   example_tenants DIRECTORY
//
// What is in DIRECTORY is destroyed first.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seerdb/db.h"

namespace {

using seerdb::Keyspace;
using seerdb::Result;
using seerdb::Slice;
using seerdb::Status;

Status AddDocuments(const Keyspace& tenant, int count) {
  for (int i = 1; i <= count; ++i) {
    const std::string number = std::to_string(i);
    if (Status status = tenant.Put("doc/" + number, "text " + number); !status.ok()) return status;
  }
  return {};
}

// Moves a document in one step, also across a crash.
Status Hand(seerdb::DB* db, const Keyspace& from, const Keyspace& to, Slice document) {
  const Result<std::optional<seerdb::PinnedValue>> text = from.Get(document);
  if (!text.ok()) return text.status();
  if (!text->has_value()) return Status::InvalidArgument("there is no document " + std::string(document));
  seerdb::WriteBatch batch;
  batch.Delete(from, document);
  batch.Put(to, document, **text);
  batch.Put("last move", from.name() + " to " + to.name());  // in the default keyspace
  return db->Write(batch);
}

// The documents of one tenant. Nothing of another one is ever read.
Result<std::string> Documents(const Keyspace& tenant) {
  std::string documents;
  for (const seerdb::ScanEntry& entry : tenant.Scan().Prefix("doc/").KeysOnly()) {
    if (!entry.ok()) return entry.status();
    documents.append(" ").append(entry.key());
  }
  return documents;
}

// What each tenant has, a line for each.
Result<std::string> Overview(seerdb::DB* db) {
  std::string overview;
  for (const seerdb::KeyspaceInfo& info : db->ListKeyspaces()) {
    if (info.name == "default") continue;
    const Result<Keyspace> tenant = db->FindKeyspace(info.name);
    if (!tenant.ok()) return tenant.status();
    const Result<std::string> documents = Documents(*tenant);
    if (!documents.ok()) return documents.status();
    overview += info.name + ":" + *documents + "\n";
  }
  return overview;
}

// Prints what there is; an error if it is not what is expected.
Status Show(seerdb::DB* db, const char* when, Slice expected) {
  const Result<std::string> overview = Overview(db);
  if (!overview.ok()) return overview.status();
  std::cout << when << "\n" << *overview;
  return *overview == expected ? Status() : Status::InvalidArgument("expected:\n" + std::string(expected));
}

Status Run(const std::string& path) {
  if (Status status = seerdb::DestroyDatabase({}, path); !status.ok()) return status;
  Result<std::unique_ptr<seerdb::DB>> opened = seerdb::DB::Open(path);
  if (!opened.ok()) return opened.status();
  seerdb::DB* const db = opened->get();

  std::vector<Keyspace> tenants;
  for (const char* const name : {"acme", "globex", "initech"}) {
    const Result<Keyspace> tenant = db->OpenKeyspace(name);
    if (!tenant.ok()) return tenant.status();
    if (Status status = AddDocuments(*tenant, 2); !status.ok()) return status;
    tenants.push_back(*tenant);
  }
  const Keyspace& acme = tenants[0];
  const Keyspace& globex = tenants[1];
  if (Status status = acme.Put("doc/3", "a plan"); !status.ok()) return status;
  if (Status status = Hand(db, acme, globex, "doc/3"); !status.ok()) return status;
  Status status = Show(db, "acme has handed doc/3 to globex",
                       "acme: doc/1 doc/2\nglobex: doc/1 doc/2 doc/3\ninitech: doc/1 doc/2\n");
  if (!status.ok()) return status;

  // One edit of the manifest, whatever the tenant has. Its handles serve no more.
  if (status = db->DropKeyspace(globex); !status.ok()) return status;
  status = Show(db, "globex has left", "acme: doc/1 doc/2\ninitech: doc/1 doc/2\n");
  if (!status.ok()) return status;
  if (globex.Get("doc/1").status().detail() != seerdb::StatusDetail::kNotFound) {
    return Status::InvalidArgument("globex is still there");
  }
  // The name is free, and what comes under it has nothing of what was there.
  if (status = db->OpenKeyspace("globex").status(); !status.ok()) return status;
  status = Show(db, "another globex", "acme: doc/1 doc/2\ninitech: doc/1 doc/2\nglobex:\n");
  return status.ok() ? db->Close() : status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: example_tenants DIRECTORY\n", 2;
  const Status status = Run(argv[1]);
  if (!status.ok()) std::cerr << status.ToString() << "\n";
  return status.ok() ? 0 : 1;
}
