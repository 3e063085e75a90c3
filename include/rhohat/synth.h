// Data made up: patches of pictures that have the statistics of photographs, any number of them.
#pragma once

#include <cstdint>

#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "rhohat/output.h"

namespace rhohat {

// Row i depends on the seed, on i, and on the options about patches; not on the number of rows.
struct SynthOptions {
  OutputOptions output;
  int64_t rows = 0;
  int64_t patch_height = 16;  // pixels, up to 1024
  int64_t patch_width = 16;
  int64_t seed = 1;
  // Radii of the discs that the pictures are made of, in pixels. From 1 pixel on, power falls about
  // as f⁻², as in photographs; larger smallest discs leave longer and straighter edges.
  double min_radius = 1;
  double max_radius = 0;  // 0: 4 × the patch's longer side
  // Leave each patch as it is painted, greys spread evenly from 0.1 to 0.9, instead of removing its
  // mean and bringing what is left to a standard contrast.
  bool keep_brightness = false;
  ResourceOptions resources;
};

struct SynthResult {
  int64_t rows = 0;
  int64_t columns = 0;
  uint64_t bytes_written = 0;
};

// Writes float32 values in [0.1, 0.9], within reach of a sigmoid decoder. Memory does not grow with
// the number of rows. The output appears whole or not at all.
SynthResult Synthesize(const SynthOptions& options, const RunControl& control);

}  // namespace rhohat
