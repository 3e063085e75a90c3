// What goes wrong, as one exception type.
//
// An Error ends the operation that threw it. Its message is one line that names the object, what
// was expected, what was found and, where there is one, the way out; its kind is the exit code that
// the program ends with.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

namespace rhohat {

enum class ErrorKind : int {
  kUsage = 64,         // the options ask for something that cannot be
  kBadData = 65,       // a data set or a model is damaged or does not fit
  kNoInput = 66,       // an input does not exist or may not be read
  kInternal = 70,      // a fault in rhohat itself
  kCannotCreate = 73,  // an output cannot be created
  kIo = 74,            // reading or writing failed part-way, a full disk included
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

// Thrown by an operation that was asked to stop (see RunControl in observer.h) and did.
class Stopped : public std::runtime_error {
 public:
  explicit Stopped(const std::string& message) : std::runtime_error(message) {}
  // One that left what it can be gone on with, and that a program should end with `exit_code` for.
  Stopped(const std::string& message, int exit_code)
      : std::runtime_error(message), exit_code_(exit_code) {}
  std::optional<int> exit_code() const { return exit_code_; }

 private:
  std::optional<int> exit_code_;
};

}  // namespace rhohat
