// How an AlexStringMap is walked in the order of its keys, measured and checked.
#include "base/key_window.h"
#include "learned/alex_string_map.h"
#include "learned/key_projection.h"

namespace seerdb {

const AlexStringMap::Entry& AlexStringMap::Cursor::entry() const {
  const Frame& frame = frames_.back();
  return map_->groups_[frame.group.payload()].entries[frame.entry];
}

void AlexStringMap::Cursor::Settle() {
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    if (!frame.group.Valid()) {
      frames_.pop_back();
      if (frames_.empty()) return;
      frames_.back().group.Next();
      frames_.back().entry = 0;
      continue;
    }
    const Group& group = map_->groups_[frame.group.payload()];
    if (frame.entry < group.entries.size()) return;
    if (group.below != nullptr) {
      frames_.push_back({group.below->tree.Begin(), 0});
    } else {
      frame.group.Next();
      frame.entry = 0;
    }
  }
}

AlexStringMap::Cursor AlexStringMap::LowerBound(Slice key) const {
  Cursor cursor(*this);
  for (const Layer* layer = root_; layer != nullptr;) {
    const KeyProjection projection(layer->prefix);
    const KeyProjection::Side side = projection.SideOf(key);
    if (side == KeyProjection::Side::kBefore) {
      cursor.frames_.push_back({layer->tree.Begin(), 0});
      break;
    }
    if (side == KeyProjection::Side::kAfter) {
      // A cursor behind the layer's end; Settle goes on above.
      cursor.frames_.push_back({AlexTree::Cursor(), 0});
      break;
    }
    const uint64_t window = projection.WindowWithin(key);
    const AlexTree::Cursor at = layer->tree.LowerBound(window);
    cursor.frames_.push_back({at, 0});
    if (!at.Valid() || at.key() != window) break;
    const Group& group = groups_[at.payload()];
    cursor.frames_.back().entry = LowerBoundIn(group.entries, key);
    if (cursor.frames_.back().entry < group.entries.size()) break;
    layer = group.below;
  }
  cursor.Settle();
  return cursor;
}

size_t AlexStringMap::memory_bytes() const {
  const auto string_bytes = [](const std::string& text) {
    return text.capacity() > std::string().capacity() ? text.capacity() + 1 : 0;
  };
  size_t bytes = sizeof *this + layers_.capacity() * sizeof layers_[0] + groups_.capacity() * sizeof(Group) +
                 free_groups_.capacity() * sizeof(size_t);
  for (const auto& layer : layers_) {
    bytes += sizeof(Layer) - sizeof(AlexTree) + layer->tree.memory_bytes() + string_bytes(layer->prefix);
  }
  for (const Group& group : groups_) {
    bytes += group.entries.capacity() * sizeof(Entry);
    for (const Entry& entry : group.entries) bytes += string_bytes(entry.key);
  }
  return bytes;
}

std::string AlexStringMap::Broken() const {
  size_t keys = 0;
  size_t groups = 0;
  std::vector<const Layer*> left;
  if (root_ != nullptr) left.push_back(root_);
  size_t layers = 0;
  for (; !left.empty(); ++layers) {
    const Layer* const layer = left.back();
    left.pop_back();
    if (layers_.size() <= layer->place || layers_[layer->place].get() != layer)
      return "a layer is not listed";
    if (layer->tree.empty()) return "a layer is empty";
    if (layer->known > layer->prefix.size()) return "a layer's prefix is too short";
    if (std::string broken = layer->tree.Broken(); !broken.empty()) return broken;
    for (AlexTree::Cursor at = layer->tree.Begin(); at.Valid(); at.Next(), ++groups) {
      const Group& group = groups_[at.payload()];
      if (std::string broken = BrokenGroup(*layer, at.key(), group); !broken.empty()) return broken;
      keys += group.entries.size();
      if (group.below != nullptr) left.push_back(group.below);
    }
  }
  if (layers != layers_.size()) return "layers are left that nothing leads to";
  if (groups + free_groups_.size() != groups_.size()) return "groups are left that nothing leads to";
  size_t walked = 0;
  std::string last;
  for (Cursor cursor = Begin(); cursor.Valid(); cursor.Next(), ++walked) {
    if (walked > 0 && cursor.key() <= Slice(last)) return "keys do not ascend";
    last = cursor.key();
  }
  return keys == size_ && walked == size_ ? "" : "the size is not the number of keys";
}

std::string AlexStringMap::BrokenGroup(const Layer& layer, uint64_t window, const Group& group) const {
  if (group.entries.empty() && group.below == nullptr) return "a group is empty";
  for (const Entry& entry : group.entries) {
    if (!BeginsWith(entry.key, layer.prefix)) return "a key lacks its layer's prefix";
    if (KeyProjection::BytesWindow(entry.key, layer.prefix.size()) != window)
      return "a key is in another group";
    if (group.below != nullptr && GoesOn(layer, entry.key)) return "a key is not in the layer below";
  }
  if (group.below == nullptr) return "";
  const Layer& below = *group.below;
  if (below.known != layer.prefix.size() + sizeof window) return "a layer does not know what is given";
  const bool agrees = BeginsWith(below.prefix, layer.prefix) &&
                      KeyProjection::BytesWindow(below.prefix, layer.prefix.size()) == window;
  return agrees ? "" : "a layer below has another prefix";
}

}  // namespace seerdb
