// seerdb config: prints the options that a preset, or memory, disk and workload, stand for. Page:
// docs/cli/config.md.
#include <map>

#include "cli.h"
#include "output.h"
#include "seerdb/options_for.h"

namespace seerdb::cli {
namespace {

struct ConfigArguments {
  std::string preset = "default";
  uint64_t memory_bytes = 0;
  uint64_t disk_bytes = 0;
  WorkloadHint hint = WorkloadHint::kMixed;
};

Options PresetOf(const std::string& name) {
  if (name == "embedded") return Options::Embedded();
  if (name == "high_throughput") return Options::HighThroughput();
  if (name == "large_scale") return Options::LargeScale();
  return Options::Default();
}

std::map<std::string, WorkloadHint> Hints() {
  std::map<std::string, WorkloadHint> hints;
  for (const WorkloadHint hint : {WorkloadHint::kMixed, WorkloadHint::kWriteHeavy, WorkloadHint::kReadHeavy,
                                  WorkloadHint::kScanHeavy, WorkloadHint::kBulk}) {
    hints[WorkloadHintName(hint)] = hint;
  }
  return hints;
}

}  // namespace

void AddConfigCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<ConfigArguments>();
  CLI::App* command =
      app->add_subcommand("config", "Print the options that a preset or a machine stands for");
  CLI::Option* preset = command->add_option("--preset", arguments->preset, "A preset of options.h");
  preset->check(CLI::IsMember({"default", "embedded", "high_throughput", "large_scale"}))
      ->capture_default_str();
  const auto add_size = [&](const char* name, uint64_t* bytes, const char* what) {
    return command->add_option(name, *bytes, what)->transform(CLI::AsSizeValue(false))->excludes(preset);
  };
  const std::vector<CLI::Option*> machine = {
      add_size("--memory", &arguments->memory_bytes,
               "Memory it may take: bytes, or as 512MB, 2GiB (of 1024)"),
      add_size("--disk", &arguments->disk_bytes, "Disk it has, in the same form"),
      command->add_option("--workload", arguments->hint, "What it will mostly do")
          ->transform(CLI::CheckedTransformer(Hints()))
          ->excludes(preset)};
  command->final_callback([=] {
    const bool by_machine =
        std::any_of(machine.begin(), machine.end(), [](auto* o) { return o->count() > 0; });
    const Options options = by_machine
                                ? OptionsFor(arguments->memory_bytes, arguments->disk_bytes, arguments->hint)
                                : PresetOf(arguments->preset);
    Print(options.ToString());
    const Status status = FlushOutput();
    *exit_code = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace seerdb::cli
