#include "convert/shuffler.h"

#include <fmt/core.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "base/atomic_file.h"
#include "base/units.h"
#include "convert/copy_rows.h"
#include "convert/row_encoder.h"
#include "convert/shuffled_source.h"
#include "data/hdf5_writer.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kDefaultMemory = uint64_t{1} << 30;

}  // namespace

Shuffler::Shuffler(const ShuffleOptions& options, const ShuffleTuning& tuning,
                   const RunControl& control, const DataSet& data, const ShuffleTable& table,
                   const ShuffleFolder& folder)
    : options_(options),
      tuning_(tuning),
      control_(control),
      table_(table),
      folder_(folder),
      keys_(options.seed),
      memory_({.rows = table.rows,
               .record_bytes = table.row_bytes + sizeof(int64_t),
               .fixed_bytes = table.fixed_bytes},
              options.memory_bytes > 0 ? options.memory_bytes : kDefaultMemory) {
  journal_.identity = IdentityOfShuffle(data, options.seed, table.type);
}

void Shuffler::Prepare() {
  if (options_.restart) Forget();
  std::optional<ShuffleJournal> before = ReadJournal(folder_.journal());
  if (before) {
    GoOn(std::move(*before));
  } else {
    Begin();
  }
}

void Shuffler::Forget() {
  try {
    const std::optional<ShuffleJournal> before = ReadJournal(folder_.journal());
    if (before) DeleteUnfinished(*before);
  } catch (const Error&) {
    // To start anew is the way out of a journal that cannot be read.
  }
  folder_.Clear();
}

void Shuffler::Begin() {
  folder_.Clear();
  size_t buckets = memory_.FirstBuckets(tuning_.bucket_bytes);
  for (Count(buckets); !memory_.Fits(layout_->most_rows()); Count(buckets)) {
    buckets = ShuffleMemory::MoreBuckets(buckets);
    memory_.CheckFits(buckets, 0);
  }
  file_.emplace(BucketFile::Create(folder_.buckets(), layout_->file_bytes()));
  journal_.buckets = static_cast<int64_t>(buckets);
  WriteJournal(folder_.journal(), journal_);
}

void Shuffler::GoOn(ShuffleJournal before) {
  const std::string difference = DifferenceOf(before.identity, journal_.identity);
  if (!difference.empty()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: an interrupted run left this, and it was another: {}; --restart, "
                            "or deleting the folder, starts anew",
                            folder_.path().string(), difference));
  }
  journal_ = std::move(before);
  const auto buckets = static_cast<size_t>(journal_.buckets);
  memory_.CheckFits(buckets, 0);
  if (journal_.rows_dealt > table_.rows) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected at most {} rows dealt, found {}; --restart starts anew",
                            folder_.journal().string(), table_.rows, journal_.rows_dealt));
  }
  Count(buckets);
  memory_.CheckFits(buckets, layout_->most_rows());
  file_.emplace(BucketFile::Open(folder_.buckets(), layout_->file_bytes()));
  if (control_.observer != nullptr) {
    control_.observer->OnNote(
        fmt::format("{}: goes on where an earlier run was interrupted, "
                    "after {} of {} rows dealt",
                    folder_.path().string(), journal_.rows_dealt, table_.rows));
  }
}

void Shuffler::Count(size_t buckets) {
  const auto stopped = [this] { return control_.stop_requested(); };
  std::vector<int64_t> counts(buckets, 0);
  bool counted = CountRows(keys_, {0, journal_.rows_dealt}, counts, stopped);
  dealt_ = counts;
  counted = counted && CountRows(keys_, {journal_.rows_dealt, table_.rows}, counts, stopped);
  if (!counted) throw Stopped(fmt::format("stopped; {} was not written", options_.output.path));
  layout_.emplace(counts, table_.row_bytes);
}

void Shuffler::Deal(DataSet& data) {
  if (journal_.rows_dealt == table_.rows) return;
  BucketWriter writer(*file_, *layout_, keys_, dealt_,
                      memory_.BufferBytes(layout_->buckets(), layout_->most_rows()));
  RowEncoder encoder({.type = table_.type.kind});
  const RowRange left = {journal_.rows_dealt, table_.rows};
  const int64_t next =
      ForEachBlock(data, left, table_.block_rows, control_, [&](const RawRows& raw) {
        writer.Append(raw.range.begin, encoder.Encode(data, raw));
        if (CheckpointIsDue(raw.range.end)) Checkpoint(writer, raw.range.end);
        Progress(raw.range.end);
      });
  if (next == table_.rows) CheckInputsAreUnchanged();
  Checkpoint(writer, next);
  if (next < table_.rows) {
    throw Stopped(
        fmt::format("stopped after {} of {} rows were dealt to {}; the same command goes "
                    "on from there",
                    next, table_.rows, folder_.path().string()));
  }
}

bool Shuffler::CheckpointIsDue(int64_t next_row) const {
  const auto rows = static_cast<uint64_t>(next_row - journal_.rows_dealt);
  const std::chrono::duration<double> seconds = Clock::now() - last_checkpoint_;
  return rows * table_.row_bytes >= tuning_.checkpoint_bytes ||
         seconds.count() >= tuning_.checkpoint_seconds;
}

void Shuffler::Checkpoint(BucketWriter& writer, int64_t next_row) {
  writer.WriteOut();
  file_->Flush();
  journal_.rows_dealt = next_row;
  WriteJournal(folder_.journal(), journal_);
  last_checkpoint_ = Clock::now();
}

// A file that was written to while it was read has given half of one data set and half of another.
void Shuffler::CheckInputsAreUnchanged() const {
  const DataSet now(options_.data);
  const std::string difference =
      DifferenceOf(journal_.identity, IdentityOfShuffle(now, options_.seed, table_.type));
  if (!difference.empty()) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: an input has changed while it was read: {}; --restart starts anew",
                            options_.output.path, difference));
  }
}

void Shuffler::Write() {
  DeleteUnfinished(journal_);
  WarnOfLittleDisk();
  journal_.unfinished = TemporaryNameFor(FollowLinks(options_.output.path)).filename().string();
  WriteJournal(folder_.journal(), journal_);
  ShuffledSource source(*file_, *layout_, keys_, table_.type);
  RowEncoder encoder({.type = table_.type.kind});
  Hdf5Writer writer(options_.output.path, WriterOptions(options_.output, table_));
  const int64_t written = CopyRows(source, table_.block_rows, encoder, writer, control_,
                                   [this](int64_t rows) { Progress(table_.rows + rows); });
  if (written < table_.rows) {
    throw Stopped(
        fmt::format("stopped after {} of {} rows were written; the same command writes "
                    "{} from the rows in {}",
                    written, table_.rows, options_.output.path, folder_.path().string()));
  }
  writer.SetAttribute("shuffle_seed", fmt::format("{}", options_.seed));
  writer.Commit();
  folder_.Clear();
}

// What a killed run was writing; a run that ends in any other way deletes it itself.
void Shuffler::DeleteUnfinished(const ShuffleJournal& journal) const {
  const std::string& name = journal.unfinished;
  const bool is_name =
      name.starts_with('.') && name.ends_with(".part") && name.find('/') == std::string::npos;
  if (!is_name) return;
  std::error_code ignored;
  fs::remove(FollowLinks(options_.output.path).parent_path() / name, ignored);
}

// Only a warning: a file system that compresses may well have room.
void Shuffler::WarnOfLittleDisk() const {
  const uint64_t needed = static_cast<uint64_t>(table_.rows) * table_.row_bytes;
  std::error_code failed;
  const fs::space_info space = fs::space(folder_.path(), failed);
  if (failed || space.available >= needed || control_.observer == nullptr) return;
  control_.observer->OnWarning(fmt::format("{}: {} of disk are free, and the output takes {}",
                                           options_.output.path, FormatBytes(space.available),
                                           FormatBytes(needed)));
}

// Every row counts twice, once dealt and once written.
void Shuffler::Progress(int64_t rows) const {
  if (control_.observer != nullptr) control_.observer->OnRows(rows, 2 * table_.rows);
}

}  // namespace rhohat
