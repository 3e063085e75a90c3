// The HDF5 library, tamed: handles that close themselves, one thread at a time, and errors that
// say what happened.
//
// Does not include hdf5.h, so that what holds a handle can be used by the layers above. Every
// function that calls the library holds an Hdf5Lock: the library takes a global lock of its own
// anyway, and is not built for threads everywhere.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace rhohat {

// Held during any call of the library. The first one also sets the library up: no printing, no
// plugins from the user's environment.
class Hdf5Lock {
 public:
  Hdf5Lock();

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

// The library's hid_t.
using Hdf5Id = int64_t;

// Owns an identifier of any kind.
class Hdf5Handle {
 public:
  using Closer = int (*)(Hdf5Id);

  Hdf5Handle() = default;
  Hdf5Handle(Hdf5Id id, Closer closer) : id_(id), closer_(closer) {}
  ~Hdf5Handle() { Close(); }
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    Close();
    id_ = std::exchange(other.id_, -1);
    closer_ = other.closer_;
    return *this;
  }

  // Returns whether the library reported success.
  bool Close();
  // Leaves the object open inside the library: for files that cannot be written, which closing
  // would try to write once more.
  void Abandon() { id_ = -1; }
  Hdf5Id id() const { return id_; }
  bool valid() const { return id_ >= 0; }

 private:
  Hdf5Id id_ = -1;
  Closer closer_ = nullptr;
};

// The library's account of its last failure: the innermost cause, and whether the operating system
// refused to read or write (as against content that makes no sense).
struct Hdf5Failure {
  std::string cause;
  bool is_io = false;
};
Hdf5Failure LastHdf5Failure();

// Throws Error about the library's last failure: "WHAT: DOING: cause". Its kind is kIo where the
// operating system failed, else kBadData.
[[noreturn]] void ThrowHdf5(std::string_view what, std::string_view doing);

}  // namespace rhohat
