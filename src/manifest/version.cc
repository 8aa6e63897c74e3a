#include "manifest/version.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace seerdb {
namespace {

constexpr size_t kPrintedKeyBytes = 16;

std::string PrintableKey(Slice key) {
  std::string out;
  for (const char c : key.substr(0, kPrintedKeyBytes)) {
    if (c > ' ' && c <= '~' && c != '\\') {
      out.push_back(c);
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped;
    }
  }
  if (key.size() > kPrintedKeyBytes) out += "...";
  return out;
}

// The first table of a run whose largest key is not below `key`.
std::vector<TableMetaPtr>::const_iterator FirstNotBelow(const Run& run, Slice key) {
  return std::partition_point(run.tables.begin(), run.tables.end(),
                              [&](const TableMetaPtr& table) { return Slice(table->largest_key) < key; });
}

}  // namespace

uint64_t Run::bytes() const {
  uint64_t sum = 0;
  for (const TableMetaPtr& table : tables) sum += table->bytes;
  return sum;
}

uint64_t Level::bytes() const {
  uint64_t sum = 0;
  for (const Run& run : runs) sum += run.bytes();
  return sum;
}

uint64_t Level::table_count() const {
  uint64_t sum = 0;
  for (const Run& run : runs) sum += run.tables.size();
  return sum;
}

ValueBytesListPtr Version::ValuesOf(const std::vector<Level>& levels) {
  std::map<uint64_t, uint64_t> bytes_of;
  for (const Level& level : levels) {
    for (const Run& run : level.runs) {
      for (const TableMetaPtr& table : run.tables) {
        for (const ValueBytes& values : table->values) bytes_of[values.segment] += values.bytes;
      }
    }
  }
  if (bytes_of.empty()) return nullptr;
  auto list = std::make_shared<ValueBytesList>();
  for (const auto& [segment, bytes] : bytes_of) list->push_back({segment, bytes});
  return list;
}

uint64_t Version::table_count() const {
  uint64_t sum = 0;
  for (const Level& level : levels_) sum += level.table_count();
  return sum;
}

uint64_t Version::bytes() const {
  uint64_t sum = 0;
  for (const Level& level : levels_) sum += level.bytes();
  return sum;
}

int Version::deepest_level() const {
  for (size_t i = levels_.size(); i > 0; --i) {
    if (!levels_[i - 1].empty()) return static_cast<int>(i - 1);
  }
  return -1;
}

size_t Version::RangesOver(const TableMeta& table, size_t most) const {
  if (ranges_ == nullptr) return 0;
  const SequenceNumber applied = std::max(table.smallest_sequence, table.ranges_applied);
  size_t count = 0;
  for (auto at = ranges_->rbegin(); at != ranges_->rend() && (*at)->sequence > applied && count < most;
       ++at) {
    if (MayHideIn(**at, table)) ++count;
  }
  return count;
}

std::vector<TableMetaPtr> Version::Overlapping(const Run& run, Slice smallest, Slice largest) {
  std::vector<TableMetaPtr> tables;
  for (auto it = FirstNotBelow(run, smallest);
       it != run.tables.end() && Slice((*it)->smallest_key) <= largest; ++it) {
    tables.push_back(*it);
  }
  return tables;
}

std::string Version::ToString() const {
  std::string out;
  for (size_t i = 0; i < levels_.size(); ++i) {
    const Level& level = levels_[i];
    if (level.empty()) continue;
    out += "L" + std::to_string(i) + ": " + std::to_string(level.runs.size()) + " runs, " +
           std::to_string(level.table_count()) + " tables, " + std::to_string(level.bytes()) + " bytes\n";
    for (const Run& run : level.runs) {
      out += "  run " + std::to_string(run.id) + ":";
      for (const TableMetaPtr& table : run.tables) {
        out += " " + std::to_string(table->number) + "[" + PrintableKey(table->smallest_key) + " .. " +
               PrintableKey(table->largest_key) + "](" + std::to_string(table->bytes) + ")";
      }
      out += "\n";
    }
  }
  return out;
}

}  // namespace seerdb
