// Flags of train that do nothing, since no method that was chosen looks at them.
#pragma once

#include <functional>
#include <string>

#include "rhohat/options.h"

namespace rhohat {

// One line that names them; empty where there are none. `is_given` says whether a flag was given on
// the command line: a configuration file may have every option.
std::string UnusedFlags(const OptimizerOptions& options,
                        const std::function<bool(const std::string& name)>& is_given);

}  // namespace rhohat
