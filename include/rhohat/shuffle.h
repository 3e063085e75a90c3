// All rows in a random order, however many there are.
#pragma once

#include <cstdint>
#include <string>

#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "rhohat/output.h"

namespace rhohat {

struct ShuffleOptions {
  DataOptions data;
  // HDF5 file to write, of the first input's type; an empty name of the data set stands for the
  // first input's.
  OutputOptions output{.dataset = ""};
  // Key of the permutation, which depends on this and on the number of rows, and on nothing else.
  uint64_t seed = 0;
  uint64_t memory_bytes = 0;  // limit of the process's resident memory; 0: 1 GiB
  bool restart = false;       // start anew where an earlier run was interrupted
};

struct ShuffleResult {
  int64_t rows = 0;
  int64_t columns = 0;
  std::string type;
  std::string dataset;  // name of the data set in the output
  uint64_t bytes_written = 0;
};

// Every permutation of the rows is equally likely over all seeds. Reads and writes every row twice,
// in large pieces. The output appears whole or not at all.
//
// What is half done is kept beside the output, in the folder <output.path>.shuffle, which takes as
// much disk as the rows do. After an interruption, a kill or a full disk the same call goes on from
// there; with other inputs or another seed it throws Error(kUsage). The folder is deleted at the
// end. Throws Error(kCannotCreate) while another process works in it.
ShuffleResult Shuffle(const ShuffleOptions& options, const RunControl& control);

}  // namespace rhohat
