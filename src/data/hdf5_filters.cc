#include "data/hdf5_filters.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <new>
#include <utility>

#include "data/chunk_codecs.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// The most that a chunk may have where nobody says: sizes in a file are not to be believed.
constexpr size_t kMostChunkBytes = size_t{1} << 30;

// Of the ExpectedChunk there is, or 0. Guarded by the Hdf5Lock.
size_t& ExpectedBytes() {
  static size_t bytes = 0;
  return bytes;
}

// Buffers that the library hands over and takes over. What is never written is never resident.
struct FreeByLibrary {
  void operator()(void* memory) const { H5free_memory(memory); }
};
using LibraryBuffer = std::unique_ptr<void, FreeByLibrary>;

LibraryBuffer Allocate(size_t size) {
  LibraryBuffer buffer(H5allocate_memory(size, false));
  if (buffer == nullptr) throw std::bad_alloc();
  return buffer;
}

// A result on its way to the library.
struct Filtered {
  LibraryBuffer buffer;
  size_t capacity = 0;
  size_t size = 0;
  std::span<std::byte> space() const { return {static_cast<std::byte*>(buffer.get()), capacity}; }
};

Filtered Unfilter(FilterKind kind, std::span<const std::byte> in) {
  const size_t expected = ExpectedBytes();
  const size_t most = expected > 0 ? ForeignBound(expected) : kMostChunkBytes;
  Filtered out;
  out.capacity = std::max<size_t>(1, std::min(ClaimedSize(kind, in), most));
  out.buffer = Allocate(out.capacity);
  CodecStates states;
  out.size = Decompress(kind, in, out.space(), states);
  if (out.size < expected) {
    throw Error(ErrorKind::kBadData,
                fmt::format("expected {} bytes, found {}", expected, out.size));
  }
  return out;
}

// Size 0: does not shrink.
Filtered Filter(const ChunkFilter& filter, std::span<const std::byte> in) {
  Filtered out;
  out.capacity = std::max<size_t>(1, CompressedBound(filter, in.size()));
  out.buffer = Allocate(out.capacity);
  CodecStates states;
  out.size = Compress(filter, in, out.space(), states);
  return out;
}

void Report(const char* reason) {
  H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_PLINE, H5E_CANTFILTER, "%s",
           reason);
}

// The library's way to call a filter: replaces the buffer and returns how much of it is used, or
// returns 0 for a failure.
template <FilterKind kKind>
size_t RunFilter(unsigned flags, size_t value_count, const unsigned* values, size_t size,
                 size_t* capacity, void** buffer) {
  try {
    const std::span<const std::byte> in(static_cast<const std::byte*>(*buffer), size);
    Filtered out =
        (flags & H5Z_FLAG_REVERSE) != 0
            ? Unfilter(kKind, in)
            : Filter(FilterFromValues(kKind, std::vector<uint32_t>(values, values + value_count)),
                     in);
    if (out.size == 0) return 0;
    H5free_memory(std::exchange(*buffer, out.buffer.release()));
    *capacity = out.capacity;
    return out.size;
  } catch (const std::exception& error) {
    Report(error.what());
    return 0;
  }
}

// h5py's LZF wants to find the size of a chunk among its values.
herr_t NoteLzfChunk(hid_t creation, hid_t type, hid_t /*space*/) {
  std::array<hsize_t, H5S_MAX_RANK> shape = {};
  const int axes = H5Pget_chunk(creation, static_cast<int>(shape.size()), shape.data());
  hsize_t bytes = H5Tget_size(type);
  for (int axis = 0; axis < axes; ++axis) bytes *= shape[static_cast<size_t>(axis)];
  if (axes < 1 || bytes == 0 || bytes >> 32 != 0) return -1;
  const int number = NumberOf(FilterKind::kLzf);
  unsigned flags = 0;
  size_t no_values = 0;
  if (H5Pget_filter_by_id2(creation, number, &flags, &no_values, nullptr, 0, nullptr, nullptr) <
      0) {
    return -1;
  }
  const std::vector<uint32_t> values = MakeFilter(FilterKind::kLzf, 0, 1, bytes).values;
  return H5Pmodify_filter(creation, number, flags, values.size(), values.data());
}

template <FilterKind kKind>
void Register(H5Z_set_local_func_t set_local = nullptr) {
  const int number = NumberOf(kKind);
  if (H5Zfilter_avail(number) > 0) return;
  const H5Z_class2_t filter = {.version = H5Z_CLASS_T_VERS,
                               .id = number,
                               .encoder_present = kKind != FilterKind::kBlosc,
                               .decoder_present = 1,
                               .name = KindName(kKind).data(),
                               .can_apply = nullptr,
                               .set_local = set_local,
                               .filter = RunFilter<kKind>};
  if (H5Zregister(&filter) < 0) {
    throw Error(ErrorKind::kInternal,
                fmt::format("the HDF5 library does not take the filter {}", KindName(kKind)));
  }
}

ListedFilter ListFilter(hid_t creation, unsigned place) {
  // More than any filter has; values beyond are not looked at.
  std::array<unsigned, 64> values = {};
  std::array<char, 64> name = {};
  size_t count = values.size();
  unsigned flags = 0;
  ListedFilter listed;
  listed.number = H5Pget_filter2(creation, place, &flags, &count, values.data(), name.size(),
                                 name.data(), nullptr);
  if (listed.number < 0) {
    H5Eclear2(H5E_DEFAULT);
    throw Error(ErrorKind::kBadData, fmt::format("its filter {} cannot be read", place));
  }
  name.back() = '\0';
  listed.name = name.data();
  listed.optional = (flags & H5Z_FLAG_OPTIONAL) != 0;
  if (const auto kind = FilterOfNumber(listed.number)) {
    const size_t known = std::min(count, values.size());
    listed.filter =
        FilterFromValues(*kind, std::vector<uint32_t>(values.data(), values.data() + known));
    if (listed.name.empty()) listed.name = KindName(*kind);
  }
  return listed;
}

}  // namespace

std::vector<ListedFilter> ListFilters(hid_t creation) {
  const int count = H5Pget_nfilters(creation);
  if (count < 0) {
    H5Eclear2(H5E_DEFAULT);
    throw Error(ErrorKind::kBadData, "its filters cannot be read");
  }
  std::vector<ListedFilter> filters;
  filters.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    filters.push_back(ListFilter(creation, static_cast<unsigned>(i)));
  }
  return filters;
}

void AddFilters(hid_t creation, std::span<const ChunkFilter> filters) {
  for (const ChunkFilter& filter : filters) {
    // LZF must be: it cannot store what does not shrink.
    const unsigned flags = filter.kind == FilterKind::kLzf ? H5Z_FLAG_OPTIONAL : H5Z_FLAG_MANDATORY;
    if (H5Pset_filter(creation, NumberOf(filter.kind), flags, filter.values.size(),
                      filter.values.data()) < 0) {
      throw Error(ErrorKind::kInternal,
                  fmt::format("the HDF5 library does not take the filter {}", FilterName(filter)));
    }
  }
}

void RegisterFilters() {
  static const bool registered = [] {
    Register<FilterKind::kLzf>(NoteLzfChunk);
    Register<FilterKind::kZstd>();
    Register<FilterKind::kLz4>();
    Register<FilterKind::kBlosc>();
    return true;
  }();
  static_cast<void>(registered);
}

ExpectedChunk::ExpectedChunk(size_t bytes) : before_(std::exchange(ExpectedBytes(), bytes)) {}

ExpectedChunk::~ExpectedChunk() { ExpectedBytes() = before_; }

}  // namespace rhohat
