// AlexStringMap: an ordered map from byte strings to 64-bit values over AlexTree.
//
// A layer is a prefix that its keys share and an AlexTree from the window behind it (key_projection.h,
// kBytes) to a group: the keys with that window, compared whole. A group with many keys keeps those that end
// within the window, nine at most, and hands the others, which share eight bytes more, to a layer of their
// own. So each layer begins eight bytes behind the one above it at least, and any keys will do: empty ones,
// zeros in them, prefixes of one another. For a key without its prefix a layer is built anew behind a shorter
// one, if it has grown enough since it was built to pay for that; else it gets another layer above it, or,
// where there is no room for one, a prefix that no later key can shorten. Thread safety: external
// synchronization; const methods may be called concurrently.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "learned/alex_tree.h"
#include "seerdb/slice.h"

namespace seerdb {

class AlexStringMap {
 private:
  struct Layer;

 public:
  struct Entry {
    std::string key;
    uint64_t value = 0;
  };

  // At an entry, or behind the last one. Any change to the map ends its life.
  class Cursor {
   public:
    bool Valid() const { return !frames_.empty(); }
    // Require: Valid(). The key lives as long as the cursor.
    Slice key() const { return entry().key; }
    uint64_t value() const { return entry().value; }
    void Next() {
      ++frames_.back().entry;
      Settle();
    }

   private:
    friend class AlexStringMap;
    // A place in a layer: a group, and an entry of it; behind the last one is the group's layer.
    struct Frame {
      AlexTree::Cursor group;
      size_t entry;
    };
    explicit Cursor(const AlexStringMap& map) : map_(&map) {}
    const Entry& entry() const;
    // Goes on to the next entry, if the last frame is not at one.
    void Settle();

    const AlexStringMap* map_;
    std::vector<Frame> frames_;  // each in the layer that the one before leads to
  };

  AlexStringMap() = default;
  AlexStringMap(const AlexStringMap&) = delete;
  AlexStringMap& operator=(const AlexStringMap&) = delete;

  // Replaces all there is. Requires: keys strictly ascend.
  void BulkLoad(std::vector<Entry> entries);
  // False, and nothing changed, if the key is present.
  bool Insert(Slice key, uint64_t value) { return Put(key, value, false); }
  // False if the key was present; it has the new value then.
  bool InsertOrAssign(Slice key, uint64_t value) { return Put(key, value, true); }
  // False if it is absent.
  bool Erase(Slice key);

  std::optional<uint64_t> Find(Slice key) const;
  // At the first key that is not less.
  Cursor LowerBound(Slice key) const;
  Cursor Begin() const { return LowerBound(Slice()); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t layers() const { return layers_.size(); }
  // These visit everything. What is broken of the invariants, or "".
  size_t memory_bytes() const;
  std::string Broken() const;

 private:
  struct Layer {
    std::string prefix;
    size_t known = 0;  // so many bytes of the prefix are given by the layer above
    size_t built = 0;  // the keys it was built of
    size_t puts = 0;   // puts since, in layers below too
    AlexTree tree;     // payloads are places in groups_
    size_t place = 0;  // in layers_
  };
  struct Group {
    std::vector<Entry> entries;  // keys ascend
    Layer* below = nullptr;      // has the keys that go on behind the window
  };
  // What a layer hangs below: a place in groups_, or kRoot.
  static constexpr size_t kRoot = SIZE_MAX;

  static size_t LowerBoundIn(const std::vector<Entry>& entries, Slice key);
  // Whether the key is longer than the layer's window. Those that are not are prefixes of the others.
  static bool GoesOn(const Layer& layer, Slice key);
  Layer*& LayerAt(size_t owner) { return owner == kRoot ? root_ : groups_[owner].below; }
  bool Put(Slice key, uint64_t value, bool assign);
  bool PutInGroup(const Layer& layer, size_t place, Slice key, uint64_t value, bool assign);
  // Has the layer there, or another one in its place, take a key that lacks its prefix.
  void Widen(size_t owner, Slice key);
  // Puts a layer there, for entries that share their first `known` bytes; its prefix has at most
  // `most_prefix`. Requires: there are entries, and their keys strictly ascend.
  void Build(size_t owner, std::vector<Entry> entries, size_t known, size_t most_prefix);
  // Takes the entries that go on.
  static std::vector<Entry> TakeLong(const Layer& layer, std::vector<Entry>* entries);
  // Moves all entries out of a layer and those below it, and drops them.
  std::vector<Entry> Dissolve(Layer* layer);

  Layer* NewLayer(std::string prefix, size_t known, size_t built);
  void Drop(const Layer* layer);
  size_t NewGroup();
  void DropGroup(size_t place);
  std::string BrokenGroup(const Layer& layer, uint64_t window, const Group& group) const;

  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<Group> groups_;
  std::vector<size_t> free_groups_;
  Layer* root_ = nullptr;  // null: no keys
  size_t size_ = 0;
};

}  // namespace seerdb
