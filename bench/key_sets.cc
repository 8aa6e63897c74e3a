#include "key_sets.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/assert.h"
#include "made_keys.h"
#include "path_names.h"
#include "real_keys.h"
#include "workload.h"

namespace seerdb::bench {
namespace {

// Keys, and how many of them are real; the others are generated.
struct Found {
  std::vector<std::string> keys;
  uint64_t real = 0;
};

struct Request {
  size_t count;
  Rng* rng;
  const KeySources& sources;
};

struct Kind {
  std::string_view name;
  std::string_view what;
  std::string_view real;       // where real keys come from; empty: there are none
  std::string_view generated;  // how the others are made
  Found (*make)(const Request& request);
};

// `count` of `keys`, evenly over their ranks.
std::vector<std::string> Sample(const std::vector<std::string>& keys, size_t count) {
  std::vector<std::string> sample;
  for (size_t i = 0; i < count; ++i) sample.push_back(keys[i * keys.size() / count]);
  return sample;
}

// Exactly `count` keys: of the real ones, and, where they are too few, variations of them: vary(key, n) for n
// of 1 and more. `make`, which is called where nothing is real, has only generated ones.
template <typename Vary, typename Make>
Found Complete(std::vector<std::string> real, const Request& request, const Vary& vary, const Make& make) {
  if (real.empty()) return {make(), 0};
  if (real.size() >= request.count) return {Sample(real, request.count), request.count};
  Found found{real, real.size()};
  for (uint64_t n = 1; found.keys.size() < request.count; ++n) {
    const size_t missing = request.count - found.keys.size();
    for (const std::string& key : Sample(real, std::min(missing, real.size()))) {
      found.keys.push_back(vary(key, n));
    }
    std::sort(found.keys.begin(), found.keys.end());
    found.keys.erase(std::unique(found.keys.begin(), found.keys.end()), found.keys.end());
  }
  return found;
}

// "name.ext" as "name-2.ext".
std::string NumberedPath(const std::string& path, uint64_t n) {
  const size_t name = path.find_last_of('/') + 1;
  const size_t dot = path.find('.', std::min(name + 1, path.size()));
  std::string varied = path;
  varied.insert(std::min(dot, path.size()), "-" + std::to_string(n));
  return varied;
}

Found Paths(const Request& request) {
  return Complete(FilePaths(request.sources.trees), request, NumberedPath, [&] {
    std::vector<std::string> paths;
    char path[kMaxPathBytes];
    for (uint64_t i = 0; i < request.count; ++i) paths.emplace_back(path, PathName(i, path));
    std::sort(paths.begin(), paths.end());
    return paths;
  });
}

Found Packages(const Request& request) {
  return Complete(
      PackageVersions(request.sources.package_status, request.sources.package_lists), request,
      [](const std::string& key, uint64_t n) { return key + "+b" + std::to_string(n); },
      [&] {
        std::vector<std::string> keys = SyllableWords(request.count, request.rng);
        for (std::string& key : keys) {
          const uint64_t drawn = request.rng->Below(12 * 30 * 5);
          key += " " + std::to_string(drawn / 150) + "." + std::to_string(drawn / 5 % 30) + "-" +
                 std::to_string(1 + drawn % 5);
        }
        std::sort(keys.begin(), keys.end());
        return keys;
      });
}

Found WordList(const Request& request) {
  const std::vector<std::string> real = Words(request.sources.dictionaries, request.sources.texts);
  const auto compound = [&](const std::string& key, uint64_t n) {
    std::string varied = key;
    // Of few words there are few pairs.
    for (uint64_t more = 1 + n / 20; more > 0; --more) {
      varied += "-" + real[request.rng->Below(real.size())];
    }
    return varied;
  };
  return Complete(real, request, compound, [&] { return SyllableWords(request.count, request.rng); });
}

Found ObjectIds(const Request& request) {
  return Complete(
      GitObjectIds(request.sources.repository), request,
      [&](const std::string&, uint64_t) { return DrawnObjectIds(1, request.rng).front(); },
      [&] { return DrawnObjectIds(request.count, request.rng); });
}

Found Times(const Request& request) {
  // A variation is a file of the same burst: at most a tenth of a second later.
  return Complete(
      BigEndianKeys(ModificationTimes(request.sources.trees)), request,
      [&](const std::string& key, uint64_t) {
        uint64_t ns = 0;
        for (const char c : key) ns = ns << 8 | static_cast<unsigned char>(c);
        return BigEndianKey(ns + 1 + request.rng->Below(100'000'000));
      },
      [&] { return BigEndianKeys(BurstTimes(request.count, request.rng)); });
}

// The same times as people write them.
Found TimesAsText(const Request& request) {
  Found found = Times(request);
  for (std::string& key : found.keys) {
    uint64_t ns = 0;
    for (const char c : key) ns = ns << 8 | static_cast<unsigned char>(c);
    const auto second = static_cast<time_t>(ns / 1'000'000'000);
    struct tm parts {};
    gmtime_r(&second, &parts);
    char text[64];
    const size_t bytes = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    key.assign(text, bytes);
    std::snprintf(text, sizeof text, ".%09lluZ", static_cast<unsigned long long>(ns % 1'000'000'000));
    key += text;
  }
  return found;
}

template <auto kMake>
Found Texts(const Request& request) {
  return {kMake(request.count, request.rng), 0};
}
template <auto kMake>
Found Numbers(const Request& request) {
  return {BigEndianKeys(kMake(request.count, request.rng)), 0};
}

constexpr std::array<Kind, 16> kKinds = {{
    {"paths", "a file's path", "files of this machine", "a number in a real file's name", &Paths},
    {"packages", "a package's name and version", "Debian's package lists", "rebuilds of real ones",
     &Packages},
    {"words", "a word", "dictionaries or documentation", "compounds of real ones", &WordList},
    {"mtimes", "when a file was modified, 8 bytes", "files of this machine, equal times made distinct",
     "times shortly after real ones", &Times},
    {"mtimes-text", "the same as 2023-06-01T12:00:00.000000000Z",
     "files of this machine, equal times made distinct", "times shortly after real ones", &TimesAsText},
    {"git-ids", "a git object's id in hexadecimal", "the repository at hand", "drawn", &ObjectIds},
    {"decimal16", "a counter as 16 digits", "", "counted",
     [](const Request& request) {
       return Found{SequentialDecimals(request.count), 0};
     }},
    {"uniform64", "8 random bytes", "", "drawn", &Numbers<&UniformNumbers>},
    {"lognormal64", "8 bytes, lognormal", "", "drawn as for SOSD", &Numbers<&LognormalNumbers>},
    {"uuid4", "a random UUID as text", "", "drawn", &Texts<&RandomUuids>},
    {"uuid7", "a timed UUID as text", "", "drawn", &Texts<&TimedUuids>},
    {"tenant-time", "tenant, slash, time", "", "drawn", &Texts<&TenantTimes>},
    {"fb-like", "8 bytes, even but for extreme outliers", "", "drawn in the shape of SOSD's fb",
     &Numbers<&OutlierNumbers>},
    {"osm-like", "8 bytes, clustered cells", "", "drawn in the shape of SOSD's osm", &Numbers<&CellNumbers>},
    {"wiki-like", "8 bytes, times of edits", "", "drawn in the shape of SOSD's wiki, duplicates removed",
     &Numbers<&EditTimes>},
    {"books-like", "8 bytes, popularity", "", "drawn in the shape of SOSD's books",
     &Numbers<&PopularityNumbers>},
}};

const Kind* FindKind(std::string_view name) {
  const auto* const kind =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return k.name == name; });
  return kind == kKinds.end() ? nullptr : kind;
}

}  // namespace

KeySources KeySources::Nowhere() {
  KeySources none;
  none.trees = {};
  none.package_status = none.package_lists = none.dictionaries = none.texts = "/nonexistent";
  none.repository = "/";
  return none;
}

std::vector<std::string> KeySetNames() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

bool IsKeySet(std::string_view name) { return FindKind(name) != nullptr; }

KeySet MakeKeySet(std::string_view name, size_t count, uint64_t seed, const KeySources& sources) {
  const Kind* const kind = FindKind(name);
  SEERDB_ASSERT(kind != nullptr);
  Rng rng(seed);
  Found found = kind->make({count, &rng, sources});
  KeySet set;
  set.name = kind->name;
  set.what = kind->what;
  set.real_keys = found.real;
  set.keys = std::move(found.keys);
  if (set.real_keys == 0) {
    set.source = "generated: " +
                 std::string(kind->real.empty() ? kind->generated : "drawn, as nothing real was found");
  } else if (set.real_keys == set.keys.size()) {
    set.source = "real: " + std::string(kind->real);
  } else {
    set.source = "real: " + std::string(kind->real) + "; generated: " + std::string(kind->generated);
  }
  return set;
}

}  // namespace seerdb::bench
