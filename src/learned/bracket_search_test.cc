// Conformance of every part of the learned index: whatever the keys, the answer is std::lower_bound's.
#include "learned/bracket_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "base/digits_test_util.h"
#include "base/random.h"
#include "learned/key_projection.h"
#include "learned/model_codec.h"
#include "learned/pla_builder.h"

namespace seerdb {
namespace {

std::string BigEndian(uint64_t n) {
  n = __builtin_bswap64(n);
  return std::string(reinterpret_cast<const char*>(&n), sizeof n);
}

std::string Hex(uint64_t n) {
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(n));
  return buffer;
}

std::string Uuid(Random& random) {
  std::string out;
  for (int i = 0; i < 36; ++i) {
    out += i == 8 || i == 13 || i == 18 || i == 23 ? '-' : "0123456789abcdef"[random.Uniform(16)];
  }
  return out;
}

std::vector<std::string> RealPaths(Random& random, size_t limit) {
  std::vector<std::string> paths;
  std::error_code error;
  std::filesystem::recursive_directory_iterator walk(
      "/usr", std::filesystem::directory_options::skip_permission_denied, error);
  const std::filesystem::recursive_directory_iterator end;
  while (!error && walk != end && paths.size() < limit) {
    paths.push_back(walk->path().string());
    walk.increment(error);
  }
  while (paths.size() < 5000) {
    paths.push_back("/usr/share/pkg" + Digits(random.Uniform(50), 2) + "/doc/file" +
                    Digits(random.Uniform(9999), 0));
  }
  return paths;
}

struct KeySet {
  const char* name;
  bool must_hold;  // at least 99 % of the answers without fallback
  std::vector<std::string> keys;
};

std::vector<KeySet> KeySets(Random& random) {
  constexpr uint64_t kKeysOfASet = 20'000;
  std::vector<KeySet> sets;
  const auto add = [&](const char* name, bool must_hold, auto make) {
    KeySet set{name, must_hold, {}};
    for (uint64_t i = 0; i < kKeysOfASet; ++i) set.keys.push_back(make(i));
    sets.push_back(std::move(set));
  };
  sets.push_back({"file paths", false, RealPaths(random, 60'000)});
  add("sequential decimal", true, [](uint64_t i) { return Digits(i, 16); });
  add("sequential binary", true, [](uint64_t i) { return BigEndian(i); });
  add("uniform decimal", true, [&](uint64_t) { return Digits(random.Uniform(uint64_t{1} << 50), 16); });
  add("uniform binary", true, [&](uint64_t) { return BigEndian(random.Next()); });
  add("uniform hex", true, [&](uint64_t) { return Hex(random.Next()); });
  uint64_t clock = 1'700'000'000'000;
  add("timestamps with gaps", false, [&](uint64_t) {
    clock += random.OneIn(1000) ? random.Uniform(1'000'000'000) : random.Uniform(50);
    return BigEndian(clock);
  });
  add("uuid", true, [&](uint64_t) { return Uuid(random); });
  add("shared 40 bytes", false,
      [&](uint64_t) { return std::string(40, 'p') + Digits(random.Uniform(1'000'000'000), 0); });
  add("two shared prefixes", false, [&](uint64_t i) {
    return std::string(20, i % 2 == 0 ? 'p' : 'q') + Digits(random.Uniform(1'000'000'000), 10);
  });
  add("bytes from 0x80", false, [&](uint64_t) {
    std::string key;
    for (uint64_t n = random.Uniform(12); n > 0; --n)
      key.push_back(static_cast<char>(0x80 + random.Uniform(128)));
    return key;
  });
  add("embedded zeros", false, [&](uint64_t) {
    std::string key;
    for (uint64_t n = random.Uniform(14); n > 0; --n) key.push_back("\0\0a\xff"[random.Uniform(4)]);
    return key;
  });
  add("equal windows", false,
      [](uint64_t i) { return std::string("z") + std::string(i % 9 == 0 ? 0 : 8, 'w') + Digits(i, 7); });
  add("all windows equal", false,
      [](uint64_t i) { return std::string(i, '\0').substr(0, i % 400) + std::string(9, '\0'); });
  add("adversarial gaps", false, [&](uint64_t i) {
    return BigEndian(i % 2 == 0 ? i : (uint64_t{1} << random.Uniform(64)) + random.Uniform(4));
  });
  sets.push_back({"no key", false, {}});
  sets.push_back({"one key", false, {"key"}});
  sets.push_back({"empty key", false, {""}});
  sets.push_back(
      {"empty key and others", false, {"", std::string(1, '\0'), "a", std::string("a\0", 2), "a\xff", "aa"}});
  sets.push_back({"extremes", false, {std::string(8, '\0'), std::string(8, '\xff'), std::string(9, '\xff')}});
  for (KeySet& set : sets) {
    std::sort(set.keys.begin(), set.keys.end());
    set.keys.erase(std::unique(set.keys.begin(), set.keys.end()), set.keys.end());
  }
  return sets;
}

class Index {
 public:
  Index(const std::vector<std::string>& keys, uint32_t epsilon, KeyProjection::Kind kind) : keys_(keys) {
    if (!keys.empty()) {
      prefix_ = keys.front().substr(0, CommonPrefixBytes(keys.front(), keys.back()));
    }
    projection_ = KeyProjection(prefix_, kind);
    PlaBuilder builder(epsilon);
    for (const std::string& key : keys) {
      windows_.push_back(projection_.Window(key));
      builder.Add(windows_.back());
    }
    model_ = builder.Finish();
  }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  BracketResult LowerBound(const std::string& probe) const { return LowerBound(probe, model_); }
  BracketResult LowerBound(const std::string& probe, const PlaModel& model) const {
    return BracketSearch(
        model, keys_.size(), projection_.Window(probe), [&](size_t i) { return windows_[i]; },
        [&](size_t i) { return keys_[i] < probe; });
  }
  const PlaModel& model() const { return model_; }
  const std::vector<uint64_t>& windows() const { return windows_; }

 private:
  const std::vector<std::string>& keys_;
  std::string prefix_;
  KeyProjection projection_;
  std::vector<uint64_t> windows_;
  PlaModel model_;
};

std::vector<std::string> Probes(const std::vector<std::string>& keys) {
  std::vector<std::string> probes = {"", std::string(1, '\0'), std::string(20, '\xff')};
  for (const std::string& key : keys) {
    probes.push_back(key);
    probes.push_back(key + '\0');
    if (key.empty()) continue;
    std::string changed = key;
    ++changed.back();
    probes.push_back(changed);
    changed.back() = static_cast<char>(changed.back() - 2);
    probes.push_back(changed);
    probes.push_back(key.substr(0, key.size() / 2));
  }
  return probes;
}

constexpr KeyProjection::Kind kBytes = KeyProjection::Kind::kBytes;
constexpr KeyProjection::Kind kDecimal = KeyProjection::Kind::kDecimal;

constexpr KeyProjection::Kind kHex = KeyProjection::Kind::kHex;

KeyProjection::Kind KindFor(const std::vector<std::string>& keys) {
  const size_t skip = keys.empty() ? 0 : CommonPrefixBytes(keys.front(), keys.back());
  return KeyProjection::Choose(keys.size(), skip, [&](size_t i) { return Slice(keys[i]); });
}

TEST(BracketSearchTest, AnswersLikeLowerBoundOnEveryKeySet) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (const KeySet& set : KeySets(random)) {
    SCOPED_TRACE(set.name);
    const std::vector<std::string> probes = Probes(set.keys);
    for (const uint32_t epsilon : {0u, 8u, 64u}) {
      const Index index(set.keys, epsilon, KindFor(set.keys));
      size_t bracketed = 0;
      for (const std::string& probe : probes) {
        const BracketResult found = index.LowerBound(probe);
        const auto expected = std::lower_bound(set.keys.begin(), set.keys.end(), probe) - set.keys.begin();
        ASSERT_EQ(found.rank, static_cast<size_t>(expected)) << testing::PrintToString(probe);
        bracketed += found.bracketed ? 1 : 0;
      }
      const double share = 100.0 * static_cast<double>(bracketed) / static_cast<double>(probes.size());
      std::printf("%-22s epsilon %2u: %6zu keys, %5zu segments, error %4u, %6.2f %% without fallback\n",
                  set.name, epsilon, set.keys.size(), index.model().segments().size(),
                  index.model().max_error(), share);
      if (set.must_hold) {
        EXPECT_GE(share, 99.0);
      }
    }
  }
}

TEST(BracketSearchTest, RecordedErrorHoldsForEveryWindowAndBetween) {
  Random random(11);
  for (const KeySet& set : KeySets(random)) {
    SCOPED_TRACE(set.name);
    const Index index(set.keys, 8, random.OneIn(2) ? kBytes : random.OneIn(2) ? kDecimal : kHex);
    const std::vector<uint64_t>& windows = index.windows();
    for (const uint64_t window : windows) {
      for (const uint64_t probe : {window, window + 1, window - 1}) {
        const auto expected = std::lower_bound(windows.begin(), windows.end(), probe) - windows.begin();
        const ApproxRange range = index.model().Find(probe);
        ASSERT_LE(range.lo, expected);
        ASSERT_GE(range.hi, expected);
        ASSERT_LE(range.hi, windows.size());
      }
    }
  }
}

// A model that lies costs time, never an answer.
TEST(BracketSearchTest, WrongModelsAreProvenWrong) {
  Random random(5);
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back(BigEndian(random.Uniform(100'000)));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const Index index(keys, 8, kBytes);
  const uint32_t ranks = static_cast<uint32_t>(keys.size());
  const std::vector<PlaModel> models = {
      PlaModel(),
      PlaModel({{0, 0, 0, 0}}, ranks, 0),
      PlaModel({{0, UINT64_MAX, 0, 0}}, ranks, 0),
      PlaModel({{0, 1, ranks / 2, 3}}, ranks, 2),
      PlaModel({{0, 1, 0, 3}}, ranks + 7, 2),
  };
  for (const PlaModel& model : models) {
    for (uint64_t n = 0; n < 100'100; n += 7) {
      const std::string probe = BigEndian(n);
      const auto expected = std::lower_bound(keys.begin(), keys.end(), probe) - keys.begin();
      ASSERT_EQ(index.LowerBound(probe, model).rank, static_cast<size_t>(expected));
    }
  }
}

TEST(KeyProjectionTest, IsMonotone) {
  Random random(3);
  for (int i = 0; i < 200'000; ++i) {
    std::string a;
    std::string b;
    const Slice symbols = random.OneIn(2) ? Slice("\0pq\x7f\x80\xff", 6) : Slice("0189019/:0afg`@A");
    for (uint64_t n = random.Uniform(20); n > 0; --n) a.push_back(symbols[random.Uniform(symbols.size())]);
    b = random.OneIn(2) ? a.substr(0, random.Uniform(a.size() + 1)) : "";
    for (uint64_t n = random.Uniform(20); n > 0; --n) b.push_back(symbols[random.Uniform(symbols.size())]);
    const KeyProjection projection(random.OneIn(2) ? Slice("pq") : Slice(),
                                   static_cast<KeyProjection::Kind>(random.Uniform(3)));
    if (a > b) std::swap(a, b);
    ASSERT_LE(projection.Window(a), projection.Window(b))
        << testing::PrintToString(a) << " " << testing::PrintToString(b);
  }
}

TEST(KeyProjectionTest, KnownWindows) {
  const struct {
    const char* name;
    Slice key;
    size_t skip;
    uint64_t bytes;
    uint64_t decimal;
    uint64_t hex;
  } kCases[] = {
      {"empty", "", 0, 0, 0, 0},
      {"eight", "01234567", 0, 0x3031323334353637, 123456700000000, 0x0123456700000000},
      {"sixteen", "9876543210123456", 0, 0x3938373635343332, 9876543210123456, 0x9876543210123456},
      {"seventeen", "98765432101234567", 0, 0x3938373635343332, 9876543210123456, 0x9876543210123456},
      {"short", "12", 0, 0x3132000000000000, 1200000000000000, 0x1200000000000000},
      {"skipped", "prefix:1234567890", 7, 0x3132333435363738, 1234567890000000, 0x1234567890000000},
      {"skipped short", "prefix:12", 7, 0x3132000000000000, 1200000000000000, 0x1200000000000000},
      {"all skipped", "prefix:", 7, 0, 0, 0},
      {"sorts low", "12/4", 0, 0x31322f3400000000, 1200000000000000, 0x1200000000000000},
      {"sorts high", "12:4", 0, 0x31323a3400000000, 1299999999999999, 0x129fffffffffffff},
      {"high byte", "\x80", 0, 0x8000000000000000, 9999999999999999, 0xffffffffffffffff},
      {"hex", "0189abcdef01def9", 0, 0x3031383961626364, 189999999999999, 0x0189abcdef01def9},
      {"upper case", "1A2b", 0, 0x3141326200000000, 1999999999999999, 0x19ffffffffffffff},
      {"behind f", "1fg2", 0, 0x3166673200000000, 1999999999999999, 0x1fffffffffffffff},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(KeyProjection::BytesWindow(c.key, c.skip), c.bytes);
    EXPECT_EQ(KeyProjection::DigitsWindow(kDecimal, c.key, c.skip), c.decimal);
    EXPECT_EQ(KeyProjection::DigitsWindow(kHex, c.key, c.skip), c.hex);
  }
}

TEST(KeyProjectionTest, WindowsTellSuffixes) {
  Random random(7);
  for (const auto kind : {kBytes, kDecimal, kHex}) {
    const Slice symbols = kind == kBytes     ? Slice("\0a\xff", 3)
                          : kind == kDecimal ? Slice("0123456789")
                                             : Slice("0123456789abcdef");
    for (int round = 0; round < 20'000; ++round) {
      std::string suffix;
      for (uint64_t n = random.Uniform(KeyProjection::WindowBytes(kind) + 1); n > 0; --n)
        suffix.push_back(symbols[random.Uniform(symbols.size())]);
      const uint64_t window = KeyProjection(Slice(), kind).WindowWithin(suffix);
      ASSERT_TRUE(KeyProjection::IsWindowOf(kind, window, suffix.size()));
      char told[16];
      KeyProjection::SuffixOfWindow(kind, window, suffix.size(), told);
      ASSERT_EQ(Slice(told, suffix.size()), suffix);
    }
  }
  EXPECT_FALSE(KeyProjection::IsWindowOf(kBytes, 1, 7));
  EXPECT_FALSE(KeyProjection::IsWindowOf(kDecimal, 1, 15));
  EXPECT_FALSE(KeyProjection::IsWindowOf(kDecimal, 10'000'000'000'000'000, 16));
  EXPECT_FALSE(KeyProjection::IsWindowOf(kHex, 1, 15));
  EXPECT_FALSE(KeyProjection::IsWindowOf(kHex, 1, 0));
}

TEST(ModelCodecTest, RoundTripsAndRefusesWhatItDidNotWrite) {
  PlaBuilder builder(2);
  Random random(9);
  uint64_t window = 0;
  for (int i = 0; i < 500; ++i) builder.Add(window += random.Uniform(random.OneIn(20) ? 100'000 : 10));
  const PlaModel model = builder.Finish();
  std::string bytes;
  AppendPlaModel(model, &bytes);
  const Result<PlaModel> decoded = DecodePlaModel(bytes);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->segments(), model.segments());
  EXPECT_EQ(decoded->ranks(), model.ranks());
  EXPECT_EQ(decoded->max_error(), model.max_error());
  for (size_t n = 0; n < bytes.size(); ++n) {
    ASSERT_TRUE(DecodePlaModel(Slice(bytes).substr(0, n)).status().IsCorruption()) << n;
  }
  ASSERT_TRUE(DecodePlaModel(bytes + "x").status().IsCorruption());
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = bytes;
    bad[random.Uniform(random.OneIn(2) ? 16 : bad.size())] = static_cast<char>(random.Uniform(256));
    const Result<PlaModel> result = DecodePlaModel(bad);
    if (!result.ok()) continue;
    // Whatever passes must predict inside its ranks.
    for (const uint64_t probe : {uint64_t{0}, uint64_t{5000}, uint64_t{90'000}, UINT64_MAX}) {
      const ApproxRange range = result->Find(probe);
      ASSERT_LE(range.hi, result->ranks());
      ASSERT_LE(range.lo, range.hi);
    }
  }
}

}  // namespace
}  // namespace seerdb
