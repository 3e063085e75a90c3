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

herr_t NoteInnermost(unsigned /*depth*/, const H5E_error2_t* entry, void* data) {
  auto* failure = static_cast<Hdf5Failure*>(data);
  if (entry->desc != nullptr && *entry->desc != '\0') {
    failure->cause = entry->desc;
    if (failure->cause.find("errno = ") != std::string::npos) failure->is_io = true;
  }
  return failure->is_io ? 1 : 0;
}

}  // namespace

Hdf5Lock::Hdf5Lock() : lock_(LibraryMutex()) {
  static const bool set_up = [] {
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
    return true;
  }();
  static_cast<void>(set_up);
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
