// Model: what the database must answer, kept in a std::map; and a cursor over one of its states.
//
// Frozen states (of snapshots, long-lived iterators) are whole copies, shared while nothing changes.
// Thread safety: external synchronization.
#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seerdb/slice.h"

namespace seerdb::testing {

using ModelMap = std::map<std::string, std::shared_ptr<const std::string>, std::less<>>;
using FrozenModel = std::shared_ptr<const ModelMap>;

class Model {
 public:
  void Put(const std::string& key, const std::string& value) {
    map_[key] = std::make_shared<const std::string>(value);
    frozen_.reset();
  }
  void Delete(const std::string& key) {
    map_.erase(key);
    frozen_.reset();
  }
  const ModelMap& map() const { return map_; }
  FrozenModel Freeze() {
    if (!frozen_) frozen_ = std::make_shared<const ModelMap>(map_);
    return frozen_;
  }

 private:
  ModelMap map_;
  FrozenModel frozen_;
};

struct ModelBounds {
  std::string lower;
  std::string upper;   // empty: none
  std::string prefix;  // narrows both
};

// Walks the keys of `map` within bounds, as seerdb::Iterator says it does.
class ModelCursor {
 public:
  ModelCursor(const ModelMap& map, const ModelBounds& bounds) {
    begin_ = map.lower_bound(std::max(bounds.lower, bounds.prefix));
    end_ = map.end();
    if (!bounds.upper.empty()) end_ = map.lower_bound(bounds.upper);
    std::string after = bounds.prefix;
    while (!after.empty() && after.back() == '\xff') after.pop_back();
    if (!after.empty()) {
      after.back() = static_cast<char>(after.back() + 1);
      const auto prefix_end = map.lower_bound(after);
      if (end_ == map.end() || (prefix_end != map.end() && prefix_end->first < end_->first))
        end_ = prefix_end;
    }
    // Bounds that cross hold nothing.
    if (begin_ == map.end() || (end_ != map.end() && end_->first < begin_->first)) end_ = begin_;
    map_ = &map;
    at_ = end_;
  }

  bool Valid() const { return at_ != end_; }
  const std::string& key() const { return at_->first; }
  const std::string& value() const { return *at_->second; }
  void SeekToFirst() { at_ = begin_; }
  void SeekToLast() { StepBackFrom(end_); }
  void Seek(const std::string& target) { at_ = Clamp(map_->lower_bound(target)); }
  void SeekForPrev(const std::string& target) { StepBackFrom(Clamp(map_->upper_bound(target))); }
  void Next() { ++at_; }
  void Prev() { StepBackFrom(at_); }

 private:
  using Position = ModelMap::const_iterator;
  Position Clamp(Position p) const {
    if (begin_ == end_) return end_;
    if (p == map_->end() || (end_ != map_->end() && p->first >= end_->first)) return end_;
    return p->first < begin_->first ? begin_ : p;
  }
  void StepBackFrom(Position p) { at_ = p == begin_ ? end_ : std::prev(p); }

  const ModelMap* map_;
  Position begin_, end_, at_;
};

}  // namespace seerdb::testing
