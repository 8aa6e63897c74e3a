// The fuzz targets over their seeds (fuzz/seeds), and over random changes of these, as ordinary tests.
// SEERDB_REWRITE=1 writes the seeds anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/random.h"
#include "fuzz/targets.h"
#include "tests/fuzz_seeds/seed_writer.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

std::string Mutated(std::string bytes, Random* random) {
  for (uint64_t n = 1 + random->Uniform(4); n > 0; --n) {
    const size_t at = bytes.empty() ? 0 : random->Uniform(bytes.size());
    switch (random->Uniform(5)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.insert(at, random->Uniform(20), static_cast<char>(random->Next()));
        break;
      case 2:
        bytes.erase(at, random->Uniform(20));
        break;
      default:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random->OneIn(3) ? 0xff : random->Next());
    }
  }
  return bytes;
}

class FuzzSeedsTest : public ::testing::TestWithParam<fuzz::Target> {};

TEST_P(FuzzSeedsTest, SeedsAndTheirNeighbours) {
  if (EnvNumber("SEERDB_REWRITE", 0) != 0) WriteSeeds();
  const fuzz::Target& target = GetParam();
  Random random(TestSeed());
  std::vector<std::string> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(SeedDirectory(target.name))) {
    std::ifstream in(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  ASSERT_GE(seeds.size(), 3u);
  std::sort(seeds.begin(), seeds.end());
  for (const std::string& seed : seeds) target.run(seed);
  // A script opens databases, and takes a hundred times as long as the others.
  const int share = target.name == std::string("script") ? 10 : 1;
  const int runs = (LongRun() ? 200'000 : kSanitized ? 500 : 4000) / share;
  for (int run = 0; run < runs; ++run) target.run(Mutated(seeds[random.Uniform(seeds.size())], &random));
}

INSTANTIATE_TEST_SUITE_P(Fuzz, FuzzSeedsTest, ::testing::ValuesIn(fuzz::kTargets),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace seerdb::testing
