// Keys of many shapes for the tests of filters, with absent keys of the same shapes.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/key_window.h"
#include "base/random.h"
#include "learned/key_filter.h"
#include "learned/key_projection.h"

namespace seerdb::testing {

inline std::string Digits(uint64_t n, int width) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%0*llu", width, static_cast<unsigned long long>(n));
  return buffer;
}

inline std::string BigEndian(uint64_t n) {
  n = __builtin_bswap64(n);
  return std::string(reinterpret_cast<const char*>(&n), sizeof n);
}

// Keys of one table as a filter is built from them, projected as a table's index does it.
class FilterKeySet {
 public:
  // Keys in any order; `absent` may hold some of them, which are left out.
  FilterKeySet(std::string name, std::vector<std::string> keys, std::vector<std::string> absent)
      : name_(std::move(name)), keys_(std::move(keys)) {
    std::sort(keys_.begin(), keys_.end());
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
    for (std::string& key : absent) {
      if (!std::binary_search(keys_.begin(), keys_.end(), key)) absent_.push_back(std::move(key));
    }
    if (!keys_.empty()) {
      prefix_ = keys_.front().substr(0, CommonPrefixBytes(keys_.front(), keys_.back()));
      if (keys_.size() == 1) prefix_.clear();
    }
    const size_t skip = prefix_.size();
    kind_ = KeyProjection::Choose(keys_.size(), skip, [&](size_t i) { return Slice(keys_[i]); });
    for (const std::string& key : keys_) {
      hashes_.push_back(Hash64(key));
      windows_.push_back(projection().Window(key));
      tells_ = tells_ && key.size() == keys_.front().size() && projection().Tells(key);
    }
  }

  const std::string& name() const { return name_; }
  const std::vector<std::string>& keys() const { return keys_; }
  const std::vector<std::string>& absent() const { return absent_; }
  KeyProjection projection() const { return KeyProjection(prefix_, kind_); }
  FilterKeys input() const { return {hashes_, windows_, tells_}; }
  // Each key `times` times.
  void Repeat(size_t times) {
    std::vector<uint64_t> hashes;
    std::vector<uint64_t> windows;
    for (size_t i = 0; i < hashes_.size(); ++i) {
      hashes.insert(hashes.end(), times, hashes_[i]);
      windows.insert(windows.end(), times, windows_[i]);
    }
    hashes_ = std::move(hashes);
    windows_ = std::move(windows);
  }

 private:
  std::string name_;
  std::vector<std::string> keys_;
  std::vector<std::string> absent_;
  std::string prefix_;
  KeyProjection::Kind kind_ = KeyProjection::Kind::kBytes;
  std::vector<uint64_t> hashes_;
  std::vector<uint64_t> windows_;
  bool tells_ = true;
};

inline std::string RandomPath(Random* random) {
  static constexpr const char* kFolders[] = {"bin", "lib", "share", "include", "src", "doc"};
  std::string path = "/usr";
  for (uint64_t depth = 1 + random->Uniform(4); depth > 0; --depth) {
    path += std::string("/") + kFolders[random->Uniform(6)] + std::to_string(random->Uniform(40));
  }
  return path + "/file" + std::to_string(random->Uniform(1000)) + ".txt";
}

inline std::string RandomUuid(Random* random) {
  std::string out;
  for (int i = 0; i < 36; ++i) {
    out += i == 8 || i == 13 || i == 18 || i == 23 ? '-' : "0123456789abcdef"[random->Uniform(16)];
  }
  return out;
}

// `make(i)` gives key i of a set, `make_absent(i)` an absent key.
template <typename Make, typename MakeAbsent>
FilterKeySet MakeKeySet(const char* name, uint64_t count, const Make& make, const MakeAbsent& make_absent) {
  std::vector<std::string> keys;
  std::vector<std::string> absent;
  for (uint64_t i = 0; i < count; ++i) keys.push_back(make(i));
  for (uint64_t i = 0; i < 20'000; ++i) absent.push_back(make_absent(i));
  return FilterKeySet(name, std::move(keys), std::move(absent));
}

// Sets that an occupancy map pays for.
inline std::vector<FilterKeySet> LearnableKeySets() {
  constexpr uint64_t kKeys = 20'000;
  Random random(11);
  std::vector<FilterKeySet> sets;
  sets.push_back(MakeKeySet(
      "sequential", kKeys, [](uint64_t i) { return Digits(1000 + i, 16); },
      [](uint64_t i) { return Digits(i < 500 ? 500 + i : kKeys + 500 + i, 16); }));
  sets.push_back(MakeKeySet(
      "every seventh", kKeys, [](uint64_t i) { return Digits(i * 7, 16); },
      [](uint64_t i) { return Digits(i * 7 + 1 + i % 6, 16); }));
  sets.push_back(MakeKeySet(
      "with holes", 200 * 99, [](uint64_t i) { return Digits(i + i / 99, 16); },
      [](uint64_t i) { return Digits(i % 2 == 0 ? i / 2 * 100 + 99 : kKeys + 300 + i, 16); }));
  // Far apart and of many sizes, so that no boundary is at a whole position; then just outside.
  const auto run_begin = [](uint64_t run) { return run * 0x1234567'89abcdef; };
  sets.push_back(MakeKeySet(
      "dense runs, far apart", kKeys, [&](uint64_t i) { return BigEndian(run_begin(i % 4) + i / 4); },
      [&](uint64_t i) {
        return BigEndian(run_begin(i % 4) + (i % 8 < 4 ? -1 - i / 8 : kKeys / 4 + i / 8));
      }));
  // Where positions are 1024 windows wide, and every run begins within one.
  const auto wide_begin = [](uint64_t run) { return (run << 37) + run * 77; };
  sets.push_back(MakeKeySet(
      "dense runs, positions of many windows", kKeys,
      [&](uint64_t i) { return BigEndian(wide_begin(i % 8) + i / 8); },
      [&](uint64_t i) {
        return BigEndian(wide_begin(i % 8) + (i % 16 < 8 ? -1 - i / 16 : kKeys / 8 + i / 16));
      }));
  sets.push_back(MakeKeySet(
      "both ends", kKeys, [](uint64_t i) { return BigEndian(i % 2 == 0 ? i / 2 : UINT64_MAX - i / 2); },
      [&](uint64_t i) { return BigEndian(i % 2 == 0 ? kKeys / 2 + i : UINT64_MAX - kKeys / 2 - i); }));
  std::vector<uint64_t> centers;
  for (int i = 0; i < 50; ++i) centers.push_back(random.Next());
  sets.push_back(MakeKeySet(
      "clustered", kKeys,
      [&](uint64_t i) { return BigEndian(centers[i % 50] + random.Uniform(uint64_t{1} << 40)); },
      [&](uint64_t i) {
        return BigEndian(i % 2 == 0 ? random.Next() : centers[i % 50] + random.Uniform(uint64_t{1} << 40));
      }));
  return sets;
}

// Sets that it does not pay for.
inline std::vector<FilterKeySet> PlainKeySets() {
  constexpr uint64_t kKeys = 20'000;
  Random random(12);
  std::vector<FilterKeySet> sets;
  const auto uniform = [&](uint64_t) { return BigEndian(random.Next()); };
  sets.push_back(MakeKeySet("uniform", kKeys, uniform, uniform));
  const auto decimal = [&](uint64_t) { return Digits(random.Uniform(10'000'000'000'000'000), 16); };
  sets.push_back(MakeKeySet("uniform decimal", kKeys, decimal, decimal));
  const auto uuid = [&](uint64_t) { return RandomUuid(&random); };
  sets.push_back(MakeKeySet("uuid", kKeys, uuid, uuid));
  for (const uint64_t keys : {0, 1, 2, 3}) {
    static constexpr const char* kNames[] = {"no key", "one key", "two keys", "three keys"};
    sets.push_back(MakeKeySet(kNames[keys], keys, decimal, decimal));
  }
  sets.push_back(FilterKeySet("empty key", {"", std::string(1, '\0'), "a"}, {"b", "c", "\xff"}));
  return sets;
}

// All of them, and what may go either way.
inline std::vector<FilterKeySet> FilterKeySets() {
  constexpr uint64_t kKeys = 20'000;
  Random random(13);
  std::vector<FilterKeySet> sets = LearnableKeySets();
  for (FilterKeySet& set : PlainKeySets()) sets.push_back(std::move(set));
  const auto path = [&](uint64_t) { return RandomPath(&random); };
  sets.push_back(MakeKeySet("paths", kKeys, path, path));
  const auto event = [&](uint64_t) {
    return "tenant" + Digits(random.Uniform(60), 3) + ":" +
           Digits(1'700'000'000'000 + random.Uniform(1 << 30), 13);
  };
  sets.push_back(MakeKeySet("tenant and time", kKeys, event, event));
  sets.push_back(FilterKeySet("duplicates", sets.back().keys(), sets.back().absent()));
  sets.back().Repeat(3);
  // Windows that many keys share.
  const auto tied = [&](uint64_t) {
    return "z" + std::string(8, 'w') + Digits(random.Uniform(100'000'000), 9);
  };
  sets.push_back(MakeKeySet(
      "windows shared", kKeys, [&](uint64_t i) { return i == 0 ? std::string("a") : tied(i); }, tied));
  const auto uniform = [&](uint64_t) { return BigEndian(random.Next()); };
  sets.push_back(MakeKeySet("a million", 1'000'000, uniform, uniform));
  return sets;
}

}  // namespace seerdb::testing
