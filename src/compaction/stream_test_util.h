// Entries in text and how a reader reads them, for tests of the compaction stream.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "compaction/compaction_stream.h"
#include "format/entry_payload.h"
#include "iter/vector_iterator.h"
#include "seerdb/merge_operator.h"

namespace seerdb {

using Entry = VectorIterator::Entry;

// "a5" = put of a at 5, "a7-" = tombstone of a at 7, "a7+" = merge, "a7@30" and "a7+@30" = until 30. The
// value is the sequence, or what stands behind "=".
inline std::vector<Entry> Parse(const std::string& text) {
  std::vector<Entry> entries;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    size_t i = 1;
    const auto number = [&] {
      uint64_t n = 0;
      while (i < word.size() && word[i] >= '0' && word[i] <= '9') n = n * 10 + uint64_t(word[i++] - '0');
      return n;
    };
    const auto take = [&](char c) { return i < word.size() && word[i] == c && ++i > 0; };
    Entry entry;
    entry.key = word[0];
    const SequenceNumber sequence = number();
    const bool deletion = take('-');
    const bool merge = take('+');
    const uint64_t expires_us = take('@') ? number() : kNeverExpires;
    entry.trailer = PackTrailer(sequence, deletion ? ValueType::kDeletion : TypeFor(merge, expires_us));
    const std::string value = take('=') ? word.substr(i) : std::to_string(sequence);
    if (!deletion) AppendPayload(&entry.value, expires_us, value);
    entries.push_back(entry);
  }
  return entries;
}

inline std::string Show(const std::vector<Entry>& entries) {
  std::string out;
  for (const Entry& entry : entries) {
    const ValueType type = TrailerType(entry.trailer);
    const std::string sequence = std::to_string(TrailerSequence(entry.trailer));
    out += entry.key + sequence;
    if (type == ValueType::kDeletion) out += '-';
    if (IsMerge(type)) out += '+';
    EntryPayload payload;
    EXPECT_TRUE(ParsePayload(type, entry.value, &payload));
    if (Expires(type)) out += '@' + std::to_string(payload.expires_us);
    if (type != ValueType::kDeletion && payload.value != sequence) out += '=' + std::string(payload.value);
    out += ' ';
  }
  return out;
}

class RemovesAll final : public CompactionFilter {
 public:
  FilterDecision Filter(const Entry&, std::string*) const override { return FilterDecision::kRemove; }
};

// "a", "b" and so on are the prefixes of keyspaces, and each key the only one in its keyspace: "d" is
// dropped, "c" has no merge operator, the others join with ','; a filter removes the values of "e".
inline KeyspaceTablePtr Keyspaces() {
  std::vector<KeyspaceStatePtr> states = KeyspaceTable().states();
  for (const char prefix : {'a', 'b', 'c', 'e'}) {
    KeyspaceOptions options;
    if (prefix != 'c') options.merge_operator = StringAppend();
    if (prefix == 'e') options.compaction_filter = std::make_shared<const RemovesAll>();
    states.push_back(std::make_shared<const KeyspaceState>(0, static_cast<uint32_t>(prefix),
                                                           std::string(1, prefix), options));
  }
  return std::make_shared<const KeyspaceTable>(std::move(states), 'e' + 1);
}

// The newest version at or below `sequence` and what it rests on, read at `now_us`; "none" or "=value".
inline std::string ReadMerged(std::vector<Entry> entries, char key, SequenceNumber sequence,
                              uint64_t now_us) {
  VectorIterator versions(std::move(entries));
  const std::string wanted(1, key);
  MergeChain chain;
  chain.Begin(now_us);
  for (versions.Seek(wanted, SeekTrailer(sequence)); versions.Valid() && versions.key() == wanted;
       versions.Next()) {
    EntryPayload payload;
    EXPECT_TRUE(ParsePayload(versions.type(), versions.value(), &payload));
    if (chain.empty() && !IsMerge(versions.type())) {
      const bool none = versions.type() == ValueType::kDeletion || payload.expires_us <= now_us;
      return none ? "none" : "=" + std::string(payload.value);
    }
    if (!chain.Add(versions.trailer(), versions.value())) break;
  }
  const auto merged = chain.Merge(StringAppend().get(), "", "");
  EXPECT_TRUE(merged.ok());
  return merged.ok() && merged->has_value() ? "=" + **merged : "none";
}

}  // namespace seerdb
