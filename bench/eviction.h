// Eviction: makes the processor's caches forget, by reading a buffer that is larger than they are.
//
// How much is enough is measured: what the processor says of its last level cache may be that of many cores,
// of which one reaches a part. Thread safety: external synchronization.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace seerdb::bench {

class Eviction {
 public:
  // Walks `bytes`; 0: as much as makes lines of another buffer take at least nine tenths of the time that
  // they take after the longest walk tried, which is twice the last level cache, within 64 MiB .. 1 GiB.
  explicit Eviction(size_t bytes);

  void Evict();
  size_t bytes() const { return walked_; }
  // What the processor says of its last level cache, and the measurements, if there were some.
  nlohmann::json Facts() const;

 private:
  struct Trial {
    size_t bytes;
    double ns;  // to load a line of the other buffer after the walk
  };
  void Measure();

  std::vector<uint64_t> buffer_;
  size_t walked_;
  std::vector<Trial> trials_;
};

}  // namespace seerdb::bench
