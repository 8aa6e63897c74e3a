#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "learned/binary_fuse_builder.h"
#include "learned/key_filter.h"
#include "learned/prefix_key_filter.h"

namespace seerdb::fuzz {
namespace {

FilterKind KindOf(uint8_t byte) { return kFilterKinds[byte % std::size(kFilterKinds)]; }

// Whatever opens answers any probe, and the same one always alike.
void Ask(const KeyFilter& filter, uint64_t near) {
  FilterProbe probe{1, near};
  for (int i = 0; i < 64; ++i) {
    SEERDB_ASSERT(filter.MayContain(probe) == filter.MayContain(probe));
    probe.hash = probe.hash * 6364136223846793005u + 1442695040888963407u;
    probe.window = i % 2 == 0 ? probe.hash >> (i % 64) : near + static_cast<uint64_t>(i);
  }
  for (const uint64_t extreme : {uint64_t{0}, UINT64_MAX}) filter.MayContain({extreme, extreme});
}

void Decode(FilterKind kind, Slice bytes) {
  // On the heap at its exact size, so that a read beyond it is noticed.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  const auto filter = OpenFilter(kind, Slice(exact.data(), exact.size()));
  if (!filter.ok()) {
    SEERDB_ASSERT(filter.status().IsCorruption());
    return;
  }
  SEERDB_ASSERT((*filter)->memory_bytes() <= 2 * exact.size());
  // Windows of a map begin in front of its tail and its head.
  const size_t at = exact.size() < 32 ? 0 : exact.size() - 32;
  uint64_t near = 0;
  for (size_t i = 0; i < 8 && at + i < exact.size(); ++i) {
    near |= uint64_t{static_cast<uint8_t>(exact[at + i])} << (8 * i);
  }
  Ask(**filter, near);
}

// Every hash passes, with its window, in a filter of any kind.
void CheckKinds(const FilterKeys& keys, uint32_t bits) {
  for (const FilterKind kind : kFilterKinds) {
    const Result<std::string> bytes = BuildFilter(kind, keys, bits);
    SEERDB_ASSERT(bytes.ok());
    const auto filter = OpenFilter(kind, *bytes);
    SEERDB_ASSERT(filter.ok() && (*filter)->kind() == kind);
    for (size_t i = 0; i < keys.hashes.size(); ++i) {
      SEERDB_ASSERT((*filter)->MayContain({keys.hashes[i], keys.windows[i]}));
    }
    Ask(**filter, keys.windows.empty() ? 0 : keys.windows[keys.windows.size() / 2]);
  }
  const auto bytes = BuildBinaryFuse(keys.hashes, {1 + bits % 32, 4});
  SEERDB_ASSERT(bytes.ok());
  const auto filter = BinaryFuseFilter::Decode(*bytes);
  for (const uint64_t hash : keys.hashes) SEERDB_ASSERT(filter->MayContain(hash));
}

// Runs of windows: how many, the step, and how far to the next, as a number of bits.
void BuildFromWindows(Input* input) {
  const uint8_t choice = input->Byte();
  const uint32_t bits = 1 + choice % 20;
  std::vector<uint64_t> windows;
  uint64_t window = input->Word();
  while (!input->empty() && windows.size() < 3000) {
    const uint32_t count = input->Byte();
    const uint64_t step = input->Byte();
    const uint64_t jump = uint64_t{input->Byte()} << (input->Byte() % 57);
    for (uint32_t i = 0; i < count; ++i) windows.push_back(window += step);
    window += jump;
  }
  std::vector<uint64_t> hashes;
  for (const uint64_t w : windows) {
    hashes.push_back(Hash64(Slice(reinterpret_cast<const char*>(&w), sizeof w)));
  }
  // Windows in another order, or too few, are refused.
  const bool ordered = std::is_sorted(windows.begin(), windows.end());
  SEERDB_ASSERT(BuildFilter(FilterKind::kLearned, {hashes, windows, true}, bits).ok() == ordered);
  if (windows.size() > 1) {
    const FilterKeys fewer{hashes, std::span(windows).subspan(1), true};
    SEERDB_ASSERT(!BuildFilter(FilterKind::kLearned, fewer, bits).ok());
  }
  std::sort(windows.begin(), windows.end());
  CheckKinds({hashes, windows, choice >= 128}, bits);
}

// Keys, and the prefixes of those that are long enough.
void BuildFromKeys(Input* input) {
  const FilterKind kind = KindOf(input->Byte());
  const size_t prefix_bytes = 1 + input->Byte() % 12;
  const auto projected = static_cast<KeyProjection::Kind>(input->Byte() % (KeyProjection::kMaxKind + 1));
  std::vector<std::string> keys;
  while (!input->empty() && keys.size() < 500) keys.emplace_back(input->Bytes(input->Byte() % 24));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const KeyProjection projection(Slice(), projected);
  const auto prefix_of = [&](const std::string& key) {
    return key.size() < prefix_bytes ? Slice() : Slice(key).substr(0, prefix_bytes);
  };
  PrefixKeyFilterBuilder builder(kind, 10, projection);
  std::vector<uint64_t> hashes;
  std::vector<uint64_t> windows;
  bool tells = true;
  for (const std::string& key : keys) {
    builder.Add(prefix_of(key));
    const FilterProbe probe = FilterProbe::Of(key, projection);
    hashes.push_back(probe.hash);
    windows.push_back(probe.window);
    tells = tells && key.size() == keys.front().size() && projection.Tells(key);
  }
  CheckKinds({hashes, windows, tells}, 10);
  const Result<std::string> bytes = builder.Finish();
  SEERDB_ASSERT(bytes.ok() && builder.prefixes() <= keys.size());
  const auto filter = PrefixKeyFilter::Open(kind, *bytes, projection);
  SEERDB_ASSERT(filter.ok());
  for (const std::string& key : keys) SEERDB_ASSERT(filter->MayContain(prefix_of(key)));
}

}  // namespace

// Byte 0 chooses: bytes as a filter of a kind, windows to build from, or keys.
void FuzzFilters(Slice bytes) {
  Input input(bytes);
  const uint8_t choice = input.Byte();
  switch (choice % 4) {
    case 0:
    case 1:
      return Decode(KindOf(choice / 4), input.Rest());
    case 2:
      return BuildFromWindows(&input);
    default:
      return BuildFromKeys(&input);
  }
}

}  // namespace seerdb::fuzz
