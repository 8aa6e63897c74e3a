// Keys drawn from a seed: counters, known distributions, identifiers, and shapes like those of SOSD's data.
//
// Each function returns exactly `count` keys, ascending and distinct. Thread safety: functions may be called
// concurrently.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workload.h"

namespace seerdb::bench {

// 8 bytes, so that keys order as the numbers do.
std::string BigEndianKey(uint64_t number);
std::vector<std::string> BigEndianKeys(const std::vector<uint64_t>& numbers);

// 0, 1, 2, ... as 16 digits.
std::vector<std::string> SequentialDecimals(size_t count);
std::vector<uint64_t> UniformNumbers(size_t count, Rng* rng);
// As SOSD draws them: exp(N(0, 2)) * 10^9.
std::vector<uint64_t> LognormalNumbers(size_t count, Rng* rng);
// RFC 9562 as text: random ones, and those that begin with the millisecond, some of each of which has
// several.
std::vector<std::string> RandomUuids(size_t count, Rng* rng);
std::vector<std::string> TimedUuids(size_t count, Rng* rng);
// "tenant-000123/1700000000000": few tenants have most of the keys, each at times of its own.
std::vector<std::string> TenantTimes(size_t count, Rng* rng);

// Identifiers that are spread evenly, and 21 outliers up to the greatest numbers.
std::vector<uint64_t> OutlierNumbers(size_t count, Rng* rng);
// Cells of a plane: at each of 24 levels one of four quarters, which are chosen unevenly and anew in each
// cell.
std::vector<uint64_t> CellNumbers(size_t count, Rng* rng);
// Seconds at which something was changed: more by day than by night, fewer at the end of a week.
std::vector<uint64_t> EditTimes(size_t count, Rng* rng);
// How often something was asked for: many little, few very much (Pareto).
std::vector<uint64_t> PopularityNumbers(size_t count, Rng* rng);

// Nanoseconds of files that were written in bursts: what ModificationTimes finds, drawn.
std::vector<uint64_t> BurstTimes(size_t count, Rng* rng);
// Words of syllables: what Words finds, drawn.
std::vector<std::string> SyllableWords(size_t count, Rng* rng);
// 40 digits each, as good as those of a hash.
std::vector<std::string> DrawnObjectIds(size_t count, Rng* rng);

}  // namespace seerdb::bench
