// study_bench: when does learning pay? Measures kinds of index over sets of keys, or databases of these under
// several options, and checks each answer. One JSON object a line; see docs/learned.md, which is made of
// them.
//
// Exit status: 0; 1 if an answer was wrong or a database failed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "key_sets.h"
#include "study_engine.h"
#include "study_indexes.h"
#include "study_kinds.h"
#include "study_measure.h"

namespace seerdb::bench {
namespace {

struct Arguments {
  std::string mode = "index";
  std::vector<std::string> sets;
  std::vector<size_t> sizes = {100'000};
  std::vector<std::string> kinds;
  StudyPlan plan;
  uint64_t seed = 1;
  uint64_t value_bytes = 100;
  size_t evict_bytes = 0;
  std::string folder = "study-bench-data";
  KeySources sources;
};

void Print(const nlohmann::json& line) {
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

// What is known of the keys before any index is built.
nlohmann::json KeysJson(const KeySet& set, const SortedKeys& keys) {
  const KeyProjection projection = ProjectionOf(keys);
  std::vector<uint64_t> windows = WindowsOf(keys, projection);
  windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
  const auto count = static_cast<double>(keys.size());
  constexpr const char* kNames[] = {"bytes", "decimal", "hex"};
  return {{"line", "keys"},
          {"set", set.name},
          {"keys", keys.size()},
          {"what", set.what},
          {"source", set.source},
          {"real_keys", set.real_keys},
          {"mean_key_bytes", static_cast<double>(keys.bytes()) / count},
          {"projection", kNames[static_cast<size_t>(projection.kind())]},
          {"prefix_bytes", projection.prefix().size()},
          {"distinct_window_share", static_cast<double>(windows.size()) / count}};
}

// Returns how many answers were wrong.
uint64_t StudySet(const Arguments& args, const std::string& name, size_t size, Eviction* eviction) {
  const KeySet set = MakeKeySet(name, size, args.seed, args.sources);
  const SortedKeys keys(set.keys);
  Print(KeysJson(set, keys));
  const bool engine = args.mode == "engine";
  auto subjects =
      engine ? MakeEngineSubjects(&keys, args.value_bytes, args.folder) : MakeIndexSubjects(&keys);
  std::erase_if(subjects, [&](const std::unique_ptr<Subject>& subject) {
    return !args.kinds.empty() && std::count(args.kinds.begin(), args.kinds.end(), subject->name()) == 0;
  });
  if (subjects.empty()) return 0;
  StudyPlan plan = args.plan;
  plan.rebuild = !engine;
  Rng rng(args.seed);
  StudyRun run(plan, set.keys, &rng, eviction);
  const std::vector<SubjectResult> results = run.Measure(subjects);
  uint64_t wrong = 0;
  for (size_t i = 0; i < subjects.size(); ++i) {
    const nlohmann::json facts = subjects[i]->Facts();
    nlohmann::json line = ResultJson(results[i], plan, facts.value("learned", false));
    line.update(facts);
    line.update(
        {{"line", args.mode}, {"set", set.name}, {"keys", keys.size()}, {"kind", subjects[i]->name()}});
    line["bits_per_key"] =
        8 * static_cast<double>(subjects[i]->memory_bytes()) / static_cast<double>(keys.size());
    Print(line);
    wrong += results[i].wrong;
  }
  return wrong;
}

void AddOptions(CLI::App* app, Arguments* args) {
  app->add_option("--mode", args->mode, "index: kinds of index; engine: databases")
      ->check(CLI::IsMember({"index", "engine"}));
  app->add_option("--sets", args->sets, "key sets; default all")
      ->delimiter(',')
      ->check(CLI::IsMember(KeySetNames()));
  app->add_option("--sizes", args->sizes, "keys of a set")
      ->delimiter(',')
      ->check(CLI::Range(size_t{1}, size_t{1} << 31));
  app->add_option("--kinds", args->kinds, "kinds or settings, by their whole names; default all");
  app->add_option("--rounds", args->plan.rounds)->check(CLI::PositiveNumber);
  app->add_option("--probes", args->plan.probes, "of each operation")->check(CLI::Range(64, 1 << 30));
  app->add_option("--cold-rounds", args->plan.cold_rounds, "rounds with evictions");
  app->add_option("--cold-groups", args->plan.cold_groups, "evictions of one operation in a round");
  app->add_option("--cold-group", args->plan.cold_group, "probes behind an eviction")
      ->check(CLI::PositiveNumber);
  app->add_option("--evict-bytes", args->evict_bytes,
                  "bytes that an eviction reads; default: as many as are needed");
  app->add_option("--value-bytes", args->value_bytes, "of a value in a database")
      ->check(CLI::Range(4, 1 << 20));
  app->add_option("--data-dir", args->folder, "where databases are while they are measured; removed after");
  app->add_option("--repository", args->sources.repository, "a folder in a git repository");
  app->add_option("--seed", args->seed);
}

int Main(int argc, char** argv) {
  Arguments args;
  args.sets = KeySetNames();
  bool list = false;
  CLI::App app("When does learning pay? Indexes over sets of keys.");
  AddOptions(&app, &args);
  app.add_flag("--list-sets", list, "print the names of the key sets and do nothing");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    for (const std::string& name : KeySetNames()) std::puts(name.c_str());
    return 0;
  }
  Eviction eviction(args.evict_bytes);
  nlohmann::json facts = eviction.Facts();
  facts.update(
      {{"line", "eviction"}, {"cold_group", args.plan.cold_group}, {"cold_groups", args.plan.cold_groups}});
  Print(facts);
  uint64_t wrong = 0;
  for (const std::string& set : args.sets) {
    for (const size_t size : args.sizes) wrong += StudySet(args, set, size, &eviction);
  }
  if (wrong > 0)
    std::fprintf(stderr, "study_bench: %llu wrong answers\n", static_cast<unsigned long long>(wrong));
  return wrong > 0 ? 1 : 0;
}

}  // namespace
}  // namespace seerdb::bench

int main(int argc, char** argv) { return seerdb::bench::Main(argc, argv); }
