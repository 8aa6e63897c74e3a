// seerdb tree: draws levels, runs, files and bytes. Page: docs/cli/tree.md.
#include "cli.h"
#include "level_picture.h"
#include "output.h"

namespace seerdb::cli {

void AddTreeCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<DatabaseArguments>();
  CLI::App* command = app->add_subcommand("tree", "Draw levels, runs, files and bytes");
  AddDatabaseOptions(command, arguments.get());
  command->final_callback([=] {
    *exit_code = WithDatabase(*arguments, MayCreate::kNo, [](DB* db) -> Result<int> {
      Print(LevelPicture(db->Stats()));
      return int{kExitOk};
    });
  });
}

}  // namespace seerdb::cli
