// What a shuffle checks before it begins (shuffler.h), and what it says of its end.
#include "rhohat/shuffle.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "convert/shuffle_folder.h"
#include "convert/shuffle_run.h"
#include "convert/shuffle_table.h"
#include "convert/shuffler.h"
#include "data/data_set.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

void Validate(const ShuffleOptions& options) {
  std::vector<std::string> faults;
  if (options.data.files.empty()) faults.emplace_back("no input was given");
  if (options.output.path.empty()) faults.emplace_back("no output was given");
  if (!faults.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("cannot shuffle: {}", fmt::join(faults, "; ")));
  }
}

void CheckNotThere(const ShuffleOptions& options) {
  std::error_code ignored;
  if (options.output.force || !fs::exists(options.output.path, ignored)) return;
  const fs::path folder = ShuffleFolder::PathFor(options.output.path);
  const bool left_over = fs::exists(folder / "journal", ignored);
  throw Error(ErrorKind::kCannotCreate,
              fmt::format("{}: exists already; --force replaces it{}", options.output.path,
                          left_over ? fmt::format(" ({} is left from an earlier run, and may be "
                                                  "deleted where that one is done)",
                                                  folder.string())
                                    : ""));
}

void NoteWhatIsKept(const ShuffleFolder& folder, const RunControl& control) {
  if (control.observer == nullptr) return;
  control.observer->OnNote(fmt::format(
      "{}: keeps what is done; the same command goes on from there", folder.path().string()));
}

}  // namespace

ShuffleResult ShuffleWith(const ShuffleOptions& options, const ShuffleTuning& tuning,
                          const RunControl& control) {
  Validate(options);
  CheckNotAnInput(options.output.path, options.data.files);
  CheckCreatable(options.output.path);
  CheckNotThere(options);
  std::optional<DataSet> data(std::in_place, options.data);
  const ShuffleTable table = TableOf(*data, options.output, tuning);
  const ShuffleFolder folder(options.output.path);
  CheckNotThere(options);  // whoever had the folder until now may have finished it
  Shuffler shuffler(options, tuning, control, *data, table, folder);
  shuffler.Prepare();
  try {
    shuffler.Deal(*data);
    data.reset();  // its chunks make room for a bucket
    shuffler.Write();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kIo) NoteWhatIsKept(folder, control);
    throw;
  }
  return {.rows = table.rows,
          .columns = table.columns,
          .type = ElementName(table.type),
          .dataset = table.dataset,
          .bytes_written = fs::file_size(options.output.path)};
}

ShuffleResult Shuffle(const ShuffleOptions& options, const RunControl& control) {
  return ShuffleWith(options, {}, control);
}

}  // namespace rhohat
