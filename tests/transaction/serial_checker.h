// SerialChecker: decides from what transactions read and wrote whether they could have run one after another.
//
// Follows A. Adya, "Weak consistency" (MIT 1999): a node for each committed transaction, and edges from
// versions:
//   wr  it wrote the version that the other one read
//   ww  it wrote the version before the other one's, of one key
//   rw  it read the version before the one that the other wrote (an anti-dependency)
// A cycle is an anomaly; which kinds of edges it has says which. Values are written once, so that each read
// names its version; the versions of a key stand in the order of the commits' sequences.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace seerdb::testing {

using KeyId = uint32_t;
// What is written under a key; 0: there was nothing.
using Version = uint64_t;

struct CheckedTransaction {
  struct Access {
    KeyId key = 0;
    Version version = 0;
  };
  // Of the versions written, in the order of all writes; 0 if it wrote nothing.
  uint64_t sequence = 0;
  std::vector<Access> reads;   // not of its own writes
  std::vector<Access> writes;  // the last of each key
};

struct SerialVerdict {
  // Transactions of one cycle, each before the next; empty: there is none.
  std::vector<size_t> cycle;
  uint64_t edges = 0;
  // What is wrong with the history itself: a version that nobody wrote was read, or one was written twice.
  std::string malformed;

  bool serializable() const { return cycle.empty() && malformed.empty(); }
};

SerialVerdict CheckSerial(const std::vector<CheckedTransaction>& transactions);

}  // namespace seerdb::testing
