// Faults of some of several files or folders: the others are still of interest, so these wait for
// the end, and are then one error.
#pragma once

#include <fmt/core.h>

#include <optional>

#include "rhohat/error.h"

namespace rhohat {

class Faults {
 public:
  // The first says what kind of error it is.
  void Add(const Error& fault) {
    first_ =
        first_ ? Error(first_->kind(), fmt::format("{}; {}", first_->what(), fault.what())) : fault;
  }

  void ThrowAny() const {
    if (first_) throw *first_;
  }

 private:
  std::optional<Error> first_;
};

}  // namespace rhohat
