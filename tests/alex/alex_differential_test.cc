// Millions of random operations on AlexTree beside a std::map, over every distribution of keys and several
// sizes of nodes. SEERDB_ALEX_OPS sets how many in all, SEERDB_SEED replays a run.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "learned/alex_test_util.h"
#include "tests/support/test_support.h"

namespace seerdb {
namespace {

uint64_t EnvNumber(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(AlexDifferentialTest, MillionsOfOperationsAnswerLikeAMap) {
  const uint64_t seed = EnvNumber("SEERDB_SEED", SystemSeed());
  const uint64_t wanted = EnvNumber("SEERDB_ALEX_OPS", testing::kSanitized ? 300'000 : 5'000'000);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  const AlexOptions kSizes[] = {{.max_leaf_keys = 16, .max_fanout_bits = 1},
                                {.max_leaf_keys = 64, .max_fanout_bits = 4},
                                {.max_leaf_keys = 1000, .max_fanout_bits = 8},
                                {}};
  const uint64_t each = wanted / std::size(kSizes) / std::size(kAllAlexKeys) + 1;
  uint64_t operations = 0;
  for (const AlexKeys kind : kAllAlexKeys) {
    for (const AlexOptions& options : kSizes) {
      SCOPED_TRACE(AlexKeySource::Name(kind));
      SCOPED_TRACE(options.max_leaf_keys);
      AlexDifferential differential(kind, options, seed + operations);
      differential.Run(each, each / 6 + 1);
      ASSERT_FALSE(HasFatalFailure());
      operations += differential.operations();
      const AlexShape shape = differential.tree().Shape();
      const AlexCounters& counters = differential.tree().counters();
      std::printf("%-10s leaves of %4u: %6zu keys, depth %2zu; %llu splits, %llu joins, %llu extensions\n",
                  AlexKeySource::Name(kind), options.max_leaf_keys, differential.tree().size(), shape.depth,
                  static_cast<unsigned long long>(counters.splits_sideways + counters.splits_down),
                  static_cast<unsigned long long>(counters.joins),
                  static_cast<unsigned long long>(counters.extensions));
    }
  }
  std::printf("operations that answered like std::map: %llu\n", static_cast<unsigned long long>(operations));
  EXPECT_GE(operations, wanted);
}

}  // namespace
}  // namespace seerdb
