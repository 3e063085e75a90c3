// Preparation and noise as people write them: "zca:0.1", "mask:0.3".
//
// One text for flags, configuration files and models. Numbers are written with as many digits as
// bring the same number back, and read and written alike in any locale.
#pragma once

#include <string>
#include <string_view>

#include "rhohat/options.h"

namespace rhohat {

// "none", "range:LO:HI", "standardize", "global", "zca:EPS" or "pca:EPS". Parsing what this gives
// gives `options` again, but for fields that their kind does not use.
std::string PreparationText(const PreparationOptions& options);

// Throws Error(kUsage) for any other text, and for numbers that FaultOf() finds fault with.
PreparationOptions ParsePreparation(std::string_view text);

// "none", "mask:P", "gaussian:S" or "salt-pepper:P".
std::string NoiseText(const NoiseOptions& options);
NoiseOptions ParseNoise(std::string_view text);

// "--prepare: expected …, found …" where a number is out of its range; empty for sound options.
// LO and HI are finite, HI − LO is too, and LO < HI; EPS is finite and above 0.
std::string FaultOf(const PreparationOptions& options);

// The same for "--noise": P is between 0 and 1, both excluded; S is finite and above 0.
std::string FaultOf(const NoiseOptions& options);

}  // namespace rhohat
