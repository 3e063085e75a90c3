#include "base/state.h"

#include <fmt/core.h>

#include "rhohat/error.h"

namespace rhohat {

void State::Number(std::string_view name, int64_t& value, int64_t least, int64_t most) {
  Number(name, value);
  if (value >= least && value <= most) return;
  ThrowBad(name, fmt::format("expected {} to {}, found {}", least, most, value));
}

void State::ThrowBad(std::string_view name, std::string_view fault) const {
  throw Error(ErrorKind::kBadData, fmt::format("{}: {}", name, fault));
}

}  // namespace rhohat
