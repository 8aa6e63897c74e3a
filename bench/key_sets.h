// Key sets of the study of learned indexes: ascending, distinct keys by name and count, some found on the
// machine and some drawn.
//
// What is drawn follows from the seed. What is found is the same for the same files; where the machine has
// fewer, variations of them make up the count, and where it has none at all, keys drawn in the same shape.
// KeySet says how many are real. The four made after SOSD's data sets (Kipf et al., "SOSD: A Benchmark for
// Learned Indexes", 2019) have the shape that is known of these, not their keys.
// Thread safety: functions may be called concurrently.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seerdb::bench {

// Where keys are looked for; what is not there is done without.
struct KeySources {
  std::vector<std::string> trees = {"/usr", "/etc", "/opt"};
  std::string package_status = "/var/lib/dpkg/status";
  std::string package_lists = "/var/lib/apt/lists";
  std::string dictionaries = "/usr/share/dict";
  std::string texts = "/usr/share/doc";
  std::string repository = ".";  // a folder in a git repository

  // Nowhere: the keys are the same on every machine.
  static KeySources Nowhere();
};

struct KeySet {
  std::string name;
  std::string what;               // of a key
  std::string source;             // where its keys come from: what is real and what is generated
  uint64_t real_keys = 0;         // the others are generated
  std::vector<std::string> keys;  // ascending, distinct
};

std::vector<std::string> KeySetNames();
bool IsKeySet(std::string_view name);
// Requires: IsKeySet(name).
KeySet MakeKeySet(std::string_view name, size_t count, uint64_t seed, const KeySources& sources);

}  // namespace seerdb::bench
