#include "learned/alex_string_map.h"

#include <algorithm>

#include "base/assert.h"
#include "base/key_window.h"
#include "base/mutant.h"
#include "learned/key_projection.h"

namespace seerdb {
namespace {

constexpr size_t kWindowBytes = 8;
// A group of more keys has a layer below. More than the keys that can end within a window.
constexpr size_t kMaxGroupKeys = 16;

}  // namespace

size_t AlexStringMap::LowerBoundIn(const std::vector<Entry>& entries, Slice key) {
  const auto at = std::lower_bound(entries.begin(), entries.end(), key,
                                   [](const Entry& entry, Slice probe) { return Slice(entry.key) < probe; });
  return static_cast<size_t>(at - entries.begin());
}

bool AlexStringMap::GoesOn(const Layer& layer, Slice key) {
  return key.size() > layer.prefix.size() + kWindowBytes;
}

std::optional<uint64_t> AlexStringMap::Find(Slice key) const {
  for (const Layer* layer = root_; layer != nullptr;) {
    if (!BeginsWith(key, layer->prefix)) return std::nullopt;
    const std::optional<uint64_t> place =
        layer->tree.Find(KeyProjection::BytesWindow(key, layer->prefix.size()));
    if (!place.has_value()) return std::nullopt;
    const Group& group = groups_[*place];
    if (group.below != nullptr && GoesOn(*layer, key)) {
      layer = group.below;
      continue;
    }
    const size_t at = LowerBoundIn(group.entries, key);
    if (at == group.entries.size()) return std::nullopt;
    if (group.entries[at].key != key && !SEERDB_MUTANT("alex-window-decides")) return std::nullopt;
    return group.entries[at].value;
  }
  return std::nullopt;
}

bool AlexStringMap::Put(Slice key, uint64_t value, bool assign) {
  if (root_ == nullptr) root_ = NewLayer(std::string(key), 0, 0);
  size_t owner = kRoot;
  for (;;) {
    Layer* layer = LayerAt(owner);
    if (!BeginsWith(key, layer->prefix)) {
      Widen(owner, key);
      layer = LayerAt(owner);
    }
    ++layer->puts;
    const uint64_t window = KeyProjection::BytesWindow(key, layer->prefix.size());
    const std::optional<uint64_t> place = layer->tree.Find(window);
    if (!place.has_value()) {
      const size_t made = NewGroup();
      groups_[made].entries.push_back({std::string(key), value});
      layer->tree.Insert(window, made);
      ++size_;
      return true;
    }
    if (groups_[*place].below == nullptr || !GoesOn(*layer, key)) {
      return PutInGroup(*layer, *place, key, value, assign);
    }
    owner = *place;
  }
}

bool AlexStringMap::PutInGroup(const Layer& layer, size_t place, Slice key, uint64_t value, bool assign) {
  std::vector<Entry>& entries = groups_[place].entries;
  const size_t at = LowerBoundIn(entries, key);
  if (at < entries.size() && entries[at].key == key) {
    if (assign) entries[at].value = value;
    return false;
  }
  entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(at), {std::string(key), value});
  ++size_;
  if (entries.size() > kMaxGroupKeys) {
    const size_t known = layer.prefix.size() + kWindowBytes;
    std::vector<Entry> taken = TakeLong(layer, &entries);
    Build(place, std::move(taken), known, SIZE_MAX);
  }
  return true;
}

std::vector<AlexStringMap::Entry> AlexStringMap::TakeLong(const Layer& layer, std::vector<Entry>* entries) {
  const auto cut = std::partition_point(entries->begin(), entries->end(),
                                        [&](const Entry& entry) { return !GoesOn(layer, entry.key); });
  std::vector<Entry> taken(std::make_move_iterator(cut), std::make_move_iterator(entries->end()));
  entries->erase(cut, entries->end());
  entries->shrink_to_fit();
  return taken;
}

void AlexStringMap::Widen(size_t owner, Slice key) {
  Layer* const layer = LayerAt(owner);
  const size_t known = layer->known;
  const size_t common = CommonPrefixBytes(layer->prefix, key);
  SEERDB_ASSERT(common >= known && common < layer->prefix.size());
  const bool is_paid = layer->puts >= layer->built / 2;
  if (is_paid || layer->prefix.size() - known <= kWindowBytes) {
    std::vector<Entry> entries = Dissolve(layer);
    Build(owner, std::move(entries), known, is_paid ? common : known);
    return;
  }
  // All keys of the layer go on behind the window of the new one.
  const size_t most = layer->prefix.size() - kWindowBytes - 1;
  const size_t place = NewGroup();
  Layer* const above =
      NewLayer(layer->prefix.substr(0, std::min(common, most)), known, layer->built + layer->puts);
  above->tree.Insert(KeyProjection::BytesWindow(layer->prefix, above->prefix.size()), place);
  layer->known = above->prefix.size() + kWindowBytes;
  groups_[place].below = layer;
  LayerAt(owner) = above;
}

void AlexStringMap::Build(size_t owner, std::vector<Entry> entries, size_t known, size_t most_prefix) {
  struct Work {
    size_t owner;
    std::vector<Entry> entries;
    size_t known;
    size_t most_prefix;
  };
  std::vector<Work> work;
  work.push_back({owner, std::move(entries), known, most_prefix});
  while (!work.empty()) {
    Work now = std::move(work.back());
    work.pop_back();
    const std::string& first = now.entries.front().key;
    const size_t shared = CommonPrefixBytes(first, now.entries.back().key);
    const size_t prefix_bytes = std::min(shared, now.most_prefix);
    Layer* const layer = NewLayer(first.substr(0, prefix_bytes), now.known, now.entries.size());
    LayerAt(now.owner) = layer;
    std::vector<AlexEntry> windows;
    for (Entry& entry : now.entries) {
      const uint64_t window = KeyProjection::BytesWindow(entry.key, prefix_bytes);
      if (windows.empty() || windows.back().key != window) windows.push_back({window, NewGroup()});
      groups_[windows.back().payload].entries.push_back(std::move(entry));
    }
    for (const AlexEntry& window : windows) {
      std::vector<Entry>& group = groups_[window.payload].entries;
      if (group.size() <= kMaxGroupKeys) continue;
      work.push_back({window.payload, TakeLong(*layer, &group), prefix_bytes + kWindowBytes, SIZE_MAX});
    }
    layer->tree.BulkLoad(windows);
  }
}

void AlexStringMap::BulkLoad(std::vector<Entry> entries) {
  layers_.clear();
  groups_.clear();
  free_groups_.clear();
  root_ = nullptr;
  size_ = entries.size();
  if (!entries.empty()) Build(kRoot, std::move(entries), 0, SIZE_MAX);
}

std::vector<AlexStringMap::Entry> AlexStringMap::Dissolve(Layer* layer) {
  struct Frame {
    Layer* layer;
    AlexTree::Cursor at;
  };
  std::vector<Entry> out;
  std::vector<Frame> frames = {{layer, layer->tree.Begin()}};
  while (!frames.empty()) {
    Frame& frame = frames.back();
    if (!frame.at.Valid()) {
      Drop(frame.layer);
      frames.pop_back();
      continue;
    }
    const size_t place = frame.at.payload();
    frame.at.Next();
    Group group = std::move(groups_[place]);
    DropGroup(place);
    std::move(group.entries.begin(), group.entries.end(), std::back_inserter(out));
    if (group.below != nullptr) frames.push_back({group.below, group.below->tree.Begin()});
  }
  return out;
}

bool AlexStringMap::Erase(Slice key) {
  struct Step {
    Layer* layer;
    size_t place;  // of the group that the key leads to
  };
  std::vector<Step> path;
  for (Layer* layer = root_; layer != nullptr; layer = groups_[path.back().place].below) {
    if (!BeginsWith(key, layer->prefix)) return false;
    const std::optional<uint64_t> place =
        layer->tree.Find(KeyProjection::BytesWindow(key, layer->prefix.size()));
    if (!place.has_value()) return false;
    path.push_back({layer, *place});
    if (!GoesOn(*layer, key)) break;
  }
  if (path.empty()) return false;
  std::vector<Entry>& entries = groups_[path.back().place].entries;
  const size_t at = LowerBoundIn(entries, key);
  if (at == entries.size() || entries[at].key != key) return false;
  entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(at));
  --size_;
  // What has no key any more is dropped, up to what has.
  for (; !path.empty(); path.pop_back()) {
    const auto [layer, place] = path.back();
    if (!groups_[place].entries.empty() || groups_[place].below != nullptr) break;
    layer->tree.Erase(KeyProjection::BytesWindow(key, layer->prefix.size()));
    DropGroup(place);
    if (!layer->tree.empty()) break;
    LayerAt(path.size() == 1 ? kRoot : path[path.size() - 2].place) = nullptr;
    Drop(layer);
  }
  return true;
}

AlexStringMap::Layer* AlexStringMap::NewLayer(std::string prefix, size_t known, size_t built) {
  layers_.push_back(std::make_unique<Layer>());
  Layer* const layer = layers_.back().get();
  layer->prefix = std::move(prefix);
  layer->known = known;
  layer->built = built;
  layer->place = layers_.size() - 1;
  return layer;
}

void AlexStringMap::Drop(const Layer* layer) {
  const size_t place = layer->place;
  layers_.back()->place = place;
  std::swap(layers_[place], layers_.back());
  layers_.pop_back();
}

size_t AlexStringMap::NewGroup() {
  if (free_groups_.empty()) {
    groups_.emplace_back();
    return groups_.size() - 1;
  }
  const size_t place = free_groups_.back();
  free_groups_.pop_back();
  return place;
}

void AlexStringMap::DropGroup(size_t place) {
  groups_[place] = Group();
  free_groups_.push_back(place);
}

}  // namespace seerdb
