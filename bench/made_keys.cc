#include "made_keys.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <string_view>

namespace seerdb::bench {
namespace {

constexpr uint64_t kFirstSecond = 1'500'000'000;

// `draw` until there are `count` distinct ones.
template <typename Draw>
auto DrawDistinct(size_t count, const Draw& draw) {
  std::vector<decltype(draw())> drawn;
  while (drawn.size() < count) {
    for (size_t missing = count - drawn.size(); missing > 0; --missing) drawn.push_back(draw());
    std::sort(drawn.begin(), drawn.end());
    drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
  }
  return drawn;
}

// Of mean 0 and deviation 1.
double Normal(Rng* rng) {
  const double radius = std::sqrt(-2 * std::log(1 - rng->Unit()));
  return radius * std::cos(2 * std::numbers::pi * rng->Unit());
}

// Of mean 1.
double Exponential(Rng* rng) { return -std::log(1 - rng->Unit()); }

void AppendHex(uint64_t number, int digits, std::string* text) {
  for (int i = digits - 1; i >= 0; --i) text->push_back("0123456789abcdef"[number >> (4 * i) & 15]);
}

void AppendDecimal(uint64_t number, int digits, std::string* text) {
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, "%0*llu", digits, static_cast<unsigned long long>(number));
  *text += buffer;
}

// Of 128 bits, with the version and variant that RFC 9562 asks for.
std::string UuidText(uint64_t high, uint64_t low, unsigned version) {
  high = (high & ~uint64_t{0xf000}) | uint64_t{version} << 12;
  low = (low & ~(uint64_t{3} << 62)) | uint64_t{1} << 63;
  std::string text;
  AppendHex(high >> 32, 8, &text);
  text.push_back('-');
  AppendHex(high >> 16 & 0xffff, 4, &text);
  text.push_back('-');
  AppendHex(high & 0xffff, 4, &text);
  text.push_back('-');
  AppendHex(low >> 48, 4, &text);
  text.push_back('-');
  AppendHex(low & 0xffffffffffff, 12, &text);
  return text;
}

}  // namespace

std::string BigEndianKey(uint64_t number) {
  std::string key;
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(number >> shift));
  return key;
}

std::vector<std::string> BigEndianKeys(const std::vector<uint64_t>& numbers) {
  std::vector<std::string> keys;
  for (const uint64_t number : numbers) keys.push_back(BigEndianKey(number));
  return keys;
}

std::vector<std::string> SequentialDecimals(size_t count) {
  std::vector<std::string> keys(count);
  for (size_t i = 0; i < count; ++i) AppendDecimal(i, 16, &keys[i]);
  return keys;
}

std::vector<uint64_t> UniformNumbers(size_t count, Rng* rng) {
  return DrawDistinct(count, [&] { return rng->Next(); });
}

std::vector<uint64_t> LognormalNumbers(size_t count, Rng* rng) {
  return DrawDistinct(count, [&] { return static_cast<uint64_t>(std::exp(2 * Normal(rng)) * 1e9); });
}

std::vector<std::string> RandomUuids(size_t count, Rng* rng) {
  return DrawDistinct(count, [&] {
    const uint64_t high = rng->Next();
    return UuidText(high, rng->Next(), 4);
  });
}

std::vector<std::string> TimedUuids(size_t count, Rng* rng) {
  double ms = static_cast<double>(kFirstSecond) * 1e3;
  return DrawDistinct(count, [&] {
    ms += Exponential(rng) / 4;
    const uint64_t high = static_cast<uint64_t>(ms) << 16 | (rng->Next() & 0xffff);
    return UuidText(high, rng->Next(), 7);
  });
}

std::vector<std::string> TenantTimes(size_t count, Rng* rng) {
  constexpr uint64_t kTenants = 1000;
  const Zipfian tenants(kTenants);
  std::vector<double> now(kTenants);
  for (double& ms : now) ms = static_cast<double>(kFirstSecond) * 1e3 + rng->Unit() * 1e9;
  return DrawDistinct(count, [&] {
    // Whose rank is whose number would sort the tenants by their popularity.
    const uint64_t tenant = Mix64(tenants.Draw(rng) + 1) % kTenants;
    now[tenant] += 1 + Exponential(rng) * 1000;
    std::string key = "tenant-";
    AppendDecimal(tenant, 6, &key);
    key.push_back('/');
    AppendDecimal(static_cast<uint64_t>(now[tenant]), 13, &key);
    return key;
  });
}

std::vector<uint64_t> OutlierNumbers(size_t count, Rng* rng) {
  const size_t outliers = std::min<size_t>(21, count / 100);
  std::vector<uint64_t> numbers = DrawDistinct(count - outliers, [&] { return rng->Next() >> 28; });
  const std::vector<uint64_t> far = DrawDistinct(outliers, [&] { return uint64_t{1} << 63 | rng->Next(); });
  numbers.insert(numbers.end(), far.begin(), far.end());
  return numbers;
}

std::vector<uint64_t> CellNumbers(size_t count, Rng* rng) {
  constexpr int kLevels = 24;
  const uint64_t plane = rng->Next();
  return DrawDistinct(count, [&] {
    uint64_t cell = 0;
    for (int level = 0; level < kLevels; ++level) {
      // Four parts of 16 that add up to 256, drawn from the cell itself.
      const uint64_t drawn = Mix64(plane ^ (cell * 64 + static_cast<uint64_t>(level)));
      uint64_t parts[4];
      uint64_t sum = 0;
      for (int i = 0; i < 4; ++i) sum += parts[i] = 1 + (drawn >> (8 * i) & 31) * (drawn >> (8 * i) & 31);
      uint64_t at = rng->Below(sum);
      uint64_t quarter = 0;
      while (at >= parts[quarter]) at -= parts[quarter++];
      cell = cell * 4 + quarter;
    }
    return cell << (64 - 2 * kLevels);
  });
}

std::vector<uint64_t> EditTimes(size_t count, Rng* rng) {
  constexpr double kDay = 86'400;
  double second = static_cast<double>(kFirstSecond);
  return DrawDistinct(count, [&] {
    const double day = second / kDay;
    const double daily = 1 + 0.7 * std::sin(2 * std::numbers::pi * day);
    const double weekly = 1 + 0.3 * std::sin(2 * std::numbers::pi * day / 7);
    second += 2 * Exponential(rng) / (daily * weekly);
    return static_cast<uint64_t>(second);
  });
}

std::vector<uint64_t> PopularityNumbers(size_t count, Rng* rng) {
  constexpr double kAlpha = 0.8;
  return DrawDistinct(count, [&] {
    const double drawn = std::pow(1 - rng->Unit(), -1 / kAlpha) - 1;
    return static_cast<uint64_t>(std::min(drawn * static_cast<double>(count), 0x1p62));
  });
}

std::vector<uint64_t> BurstTimes(size_t count, Rng* rng) {
  double ns = static_cast<double>(kFirstSecond) * 1e9;
  return DrawDistinct(count, [&] {
    const bool rests = rng->Below(200) == 0;
    ns += 1000 + Exponential(rng) * (rests ? 1e14 : 1e6);
    return static_cast<uint64_t>(ns);
  });
}

std::vector<std::string> SyllableWords(size_t count, Rng* rng) {
  constexpr std::array<std::string_view, 20> kOnsets = {"b",  "c",  "d",  "f",  "g", "h",  "l",
                                                        "m",  "n",  "p",  "r",  "s", "st", "tr",
                                                        "sh", "ch", "pl", "th", "v", "w"};
  constexpr std::array<std::string_view, 12> kRests = {"a",  "e",  "i",  "o",  "u",  "an",
                                                       "er", "in", "on", "al", "es", "ing"};
  return DrawDistinct(count, [&] {
    std::string word;
    for (uint64_t syllables = 2 + rng->Below(4); syllables > 0; --syllables) {
      // The lesser of two draws: some syllables are more frequent.
      word += kOnsets[std::min(rng->Below(kOnsets.size()), rng->Below(kOnsets.size()))];
      word += kRests[std::min(rng->Below(kRests.size()), rng->Below(kRests.size()))];
    }
    return word;
  });
}

std::vector<std::string> DrawnObjectIds(size_t count, Rng* rng) {
  return DrawDistinct(count, [&] {
    std::string id;
    AppendHex(rng->Next(), 16, &id);
    AppendHex(rng->Next(), 16, &id);
    AppendHex(rng->Next(), 8, &id);
    return id;
  });
}

}  // namespace seerdb::bench
