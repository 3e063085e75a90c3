#include "data/hdf5_handle.h"

#include <fmt/core.h>
#include <hdf5.h>

#include <type_traits>

#include "rhohat/error.h"

namespace rhohat {

static_assert(std::is_same_v<Hdf5Id, hid_t>);

namespace {

std::recursive_mutex& LibraryMutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

// The library reports failures of the operating system as "…, errno = 28, error message = 'No space
// left on device', buf = …": keeps the message between the quotes. Returns whether there was one.
bool TakeSystemMessage(std::string& cause) {
  constexpr std::string_view kBefore = "error message = '";
  const size_t begin = cause.find(kBefore);
  if (begin == std::string::npos) return false;
  const std::string rest = cause.substr(begin + kBefore.size());
  cause = rest.substr(0, rest.find('\''));
  return true;
}

herr_t NoteInnermost(unsigned /*depth*/, const H5E_error2_t* entry, void* data) {
  auto* failure = static_cast<Hdf5Failure*>(data);
  if (entry->desc != nullptr && *entry->desc != '\0') {
    failure->cause = entry->desc;
    failure->is_io = TakeSystemMessage(failure->cause);
  }
  return failure->is_io ? 1 : 0;
}

}  // namespace

Hdf5Lock::Hdf5Lock() : lock_(LibraryMutex()) {
  // The library's own handler at exit would write again to files that it could not write, and
  // crash there. It can only be left out before the first use: a program that embeds us may have
  // used the library before.
  static const bool library_set_up = [] {
    static_cast<void>(H5dont_atexit());
    return H5open() >= 0 && H5PLset_loading_state(0) >= 0;
  }();
  // Where the library is built for threads, each has its own habit of printing errors.
  thread_local const bool thread_set_up =
      library_set_up && H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  if (!thread_set_up) throw Error(ErrorKind::kInternal, "the HDF5 library cannot be set up");
}

bool Hdf5Handle::Close() {
  if (id_ < 0) return true;
  const Hdf5Lock lock;
  return closer_(std::exchange(id_, -1)) >= 0;
}

Hdf5Failure LastHdf5Failure() {
  Hdf5Failure failure;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, NoteInnermost, &failure);
  H5Eclear2(H5E_DEFAULT);
  if (failure.cause.empty()) failure.cause = "the HDF5 library gives no reason";
  return failure;
}

void ThrowHdf5(std::string_view what, std::string_view doing) {
  const Hdf5Failure failure = LastHdf5Failure();
  throw Error(failure.is_io ? ErrorKind::kIo : ErrorKind::kBadData,
              fmt::format("{}: {}: {}", what, doing, failure.cause));
}

}  // namespace rhohat
