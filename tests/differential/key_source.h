// KeySource: the keys and values of the differential test, drawn so that they collide, nest and surprise.
//
// A pool of keys of all shapes (short and random, with shared prefixes, with \0 and 0xff, empty, prefixes of
// one another, up to 64 KiB) is drawn once; most operations take from it, so that keys meet again.
// Thread safety: external synchronization.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"

namespace seerdb::testing {

class KeySource {
 public:
  KeySource(Random* random, size_t keys);

  // A key to write.
  std::string WriteKey();
  // A key to read or seek to: often one that was written, sometimes one beside it.
  std::string ReadKey();
  // A prefix that several keys share, or none does.
  std::string Prefix();
  // 0 .. 100 KiB, mostly short.
  std::string Value();

 private:
  std::string FreshKey();
  std::string Beside(std::string key);
  std::string Bytes(size_t n);

  Random* const random_;
  std::vector<std::string> pool_;
};

}  // namespace seerdb::testing
