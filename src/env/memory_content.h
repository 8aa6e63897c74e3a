// MemoryContent: the bytes of one file of a MemoryFileSystem, and what a power cut may leave of them.
//
// Besides the bytes it keeps the durable size and the durable form of each 512-byte sector that has been
// changed since the last Sync. Bytes that were handed out by Share never change: the next change copies.
// Thread safety: external synchronization; the string that Share returns may be read by any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/random.h"
#include "seerdb/slice.h"

namespace seerdb {

class MemoryContent {
 public:
  static constexpr uint64_t kSectorBytes = 512;

  uint64_t size() const { return bytes_->size(); }
  uint64_t durable_size() const { return durable_size_; }

  // Copies up to `n` bytes at `offset`; returns how many there were.
  size_t Read(uint64_t offset, size_t n, char* scratch) const;
  // Overwrites and appends; a hole before `offset` reads as zeros.
  void Write(uint64_t offset, Slice bytes);
  void Resize(uint64_t size);
  void Sync();
  // Makes the sectors of [begin, end) durable as they are, and the size if `end` lies behind the durable one.
  void SyncRange(uint64_t begin, uint64_t end);

  // The bytes as they are now.
  std::shared_ptr<const std::string> Share();
  // An equal content that can lose the same bytes.
  MemoryContent Clone();
  // What a power cut leaves: the synced bytes, each unsynced sector or its durable form (zeros behind the
  // durable size), a size between the durable and the written one. All of the result is durable.
  MemoryContent AfterPowerCut(Random* random);
  // The synced bytes alone.
  MemoryContent DurableOnly();

 private:
  std::string* Mutable();
  // Keeps the durable form of the durable sectors in [begin, end) that have none yet.
  void SaveSectors(uint64_t begin, uint64_t end);
  // The durable bytes of the sector at `begin`; shorter than a sector at the end.
  Slice DurableSector(uint64_t begin) const;
  bool IsClean() const { return changed_sectors_.empty() && durable_size_ == size(); }
  static MemoryContent Durable(std::string bytes);

  std::shared_ptr<std::string> bytes_ = std::make_shared<std::string>();
  bool shared_ = false;
  uint64_t durable_size_ = 0;
  // Durable bytes by sector number, for sectors that begin before durable_size_.
  std::map<uint64_t, std::string> changed_sectors_;
};

}  // namespace seerdb
