// What an interrupted shuffle has to remember, as a small text file that is replaced whole.
//
//   rhohat shuffle journal 1
//   seed = 7
//   input 1 = /data/acts.h5
//   …                           what the run works on: it must be the same when the run goes on
//   buckets = 192
//   rows dealt = 1048576        the first so many rows are in the bucket file, on the disk
//   unfinished = .out.h5.4711.part
//
// A line is a name and a value; line breaks inside a value are escaped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/data_set.h"

namespace rhohat {

// Names and values, in order.
using ShuffleIdentity = std::vector<std::pair<std::string, std::string>>;

// The seed, the inputs as they are now, and the type of the output.
ShuffleIdentity IdentityOfShuffle(const DataSet& data, uint64_t seed, ElementType type);

struct ShuffleJournal {
  ShuffleIdentity identity;
  int64_t buckets = 0;
  int64_t rows_dealt = 0;
  // An output being written, in the folder of the final one; whoever finds its name here may
  // delete it.
  std::string unfinished;
};

// Whole and on the disk, or as it was before. Throws Error(kCannotCreate) or Error(kIo).
void WriteJournal(const std::filesystem::path& path, const ShuffleJournal& journal);

// None where there is no such file. Throws Error(kBadData) where it is damaged or of another
// version.
std::optional<ShuffleJournal> ReadJournal(const std::filesystem::path& path);

// "seed = 7, now 8; …": what differs, or "" where nothing does.
std::string DifferenceOf(const ShuffleIdentity& before, const ShuffleIdentity& now);

}  // namespace rhohat
