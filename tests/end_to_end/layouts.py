"""HDF5 files of every kind that rhohat promises to read, each with the rows they hold in float64.

A layout is a function of a folder and a random generator; it returns the files, in order, and the
rows. All are COLUMNS wide, so that one model serves them all. Values are small on purpose: they
keep the sigmoids away from saturation, where float32 has nothing left to agree on.
"""

import h5py
import numpy as np

COLUMNS = 12
LAYOUTS = {}


def layout(function):
    LAYOUTS[function.__name__] = function
    return function


def values(random, rows, dtype="float32", columns=COLUMNS):
    """Random rows of any type: fractions for floating point, small whole numbers for integers."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return random.uniform(0.05, 0.95, size=(rows, columns)).astype(dtype)
    low = -2 if dtype.kind == "i" else 0
    return random.integers(low, 4, size=(rows, columns)).astype(dtype)


def write(path, array, name="data", file_options=None, **options):
    """One HDF5 file with one data set; returns its path."""
    with h5py.File(path, "w", **(file_options or {})) as file:
        file.create_dataset(name, data=array, **options)
    return path


def flat(array):
    return array.reshape(len(array), -1).astype(np.float64)


def one_file(folder, array, **options):
    return [write(folder / "rows.h5", array, **options)], flat(array)


@layout
def contiguous(folder, random):
    return one_file(folder, values(random, 97))


@layout
def one_row(folder, random):
    return one_file(folder, values(random, 1))


@layout
def fewer_rows_than_lanes(folder, random):
    return one_file(folder, values(random, 3), chunks=(2, COLUMNS))


@layout
def chunks_that_divide_the_rows(folder, random):
    return one_file(folder, values(random, 96), chunks=(8, COLUMNS))


@layout
def chunks_that_do_not_divide_the_rows(folder, random):
    return one_file(folder, values(random, 97), chunks=(7, COLUMNS))


@layout
def chunks_of_one_row(folder, random):
    return one_file(folder, values(random, 53), chunks=(1, COLUMNS))


@layout
def one_chunk_larger_than_the_rows(folder, random):
    array = values(random, 97)
    return one_file(folder, array, chunks=(200, COLUMNS), maxshape=(None, COLUMNS))


@layout
def columns_cut_by_chunks(folder, random):
    return one_file(folder, values(random, 97), chunks=(10, 5))


@layout
def compressed_shuffled_checksummed(folder, random):
    return one_file(folder, values(random, 97), chunks=(9, COLUMNS), compression="gzip",
                    shuffle=True, fletcher32=True)


@layout
def compressed_with_columns_cut(folder, random):
    return one_file(folder, values(random, 97, "<i2"), chunks=(9, 7), compression="gzip",
                    shuffle=True)


@layout
def checksummed_only(folder, random):
    return one_file(folder, values(random, 97, "float64"), chunks=(9, COLUMNS), fletcher32=True)


@layout
def three_axes(folder, random):
    return one_file(folder, values(random, 97).reshape(97, 3, 4))


@layout
def four_axes_chunked_on_each(folder, random):
    return one_file(folder, values(random, 97).reshape(97, 2, 3, 2), chunks=(10, 1, 2, 2))


@layout
def partly_unwritten_chunks(folder, random):
    array = np.full((97, COLUMNS), 0.25, "float32")
    array[40:60] = values(random, 20)
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", array.shape, "float32", chunks=(10, COLUMNS),
                                   fillvalue=0.25)
        data[40:60] = array[40:60]
    return [path], flat(array)


@layout
def contiguous_never_written(folder, _random):
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (20, COLUMNS), "float32", fillvalue=0.5)
    return [path], np.full((20, COLUMNS), 0.5)


@layout
def chunks_that_skipped_their_filter(folder, random):
    array = values(random, 40)
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", data=array, chunks=(10, COLUMNS), compression="gzip")
        data.id.write_direct_chunk((10, 0), array[10:20].tobytes(), filter_mask=1)
    return [path], flat(array)


@layout
def user_block_before_the_file(folder, random):
    return one_file(folder, values(random, 97), chunks=(10, COLUMNS),
                    file_options={"userblock_size": 512})


@layout
def newest_file_format(folder, random):
    return one_file(folder, values(random, 97), chunks=(10, COLUMNS), maxshape=(None, COLUMNS),
                    file_options={"libver": "latest"})


@layout
def compact_storage(folder, random):
    array = values(random, 11)
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_layout(h5py.h5d.COMPACT)
        data = h5py.h5d.create(file.id, b"data", h5py.h5t.py_create(array.dtype),
                               h5py.h5s.create_simple(array.shape), properties)
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, array)
    return [path], flat(array)


@layout
def data_set_in_a_group_with_a_loop(folder, random):
    array = values(random, 33)
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("layers/6/acts", data=array)
        file["layers/up"] = h5py.SoftLink("/")
        file["layers/again"] = file["layers"]
    return [path], flat(array)


@layout
def bfloat16(folder, random):
    upper = values(random, 37).view("<u4") >> 16
    array = (upper << 16).astype("<u4").view("<f4")
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_precision(16)
    kind.set_size(2)
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk(array.shape)
        data = h5py.h5d.create(file.id, b"data", kind, h5py.h5s.create_simple(array.shape),
                               properties)
        data.write_direct_chunk((0, 0), upper.astype("<u2").tobytes())
    return [path], flat(array)


@layout
def booleans(folder, random):
    """h5py stores them as an enumeration of bytes."""
    return one_file(folder, random.integers(0, 2, size=(37, COLUMNS)).astype(bool))


@layout
def several_files(folder, random):
    parts = [values(random, rows) for rows in (20, 1, 45)]
    files = [write(folder / f"part{i}.h5", part) for i, part in enumerate(parts)]
    return files, np.concatenate([flat(part) for part in parts])


@layout
def several_files_of_different_types(folder, random):
    types = ("u1", ">i2", "<f2", "<f8", ">f4")
    parts = [values(random, 11 + i, dtype) for i, dtype in enumerate(types)]
    options = ({}, {"chunks": (4, 5)}, {"chunks": (5, 12), "compression": "gzip"}, {}, {})
    files = [write(folder / f"part{i}.h5", part, **options[i]) for i, part in enumerate(parts)]
    return files, np.concatenate([flat(part) for part in parts])


def of_type(dtype):
    def make(folder, random):
        return one_file(folder, values(random, 29, dtype), chunks=(8, COLUMNS))

    return make


WIDE_TYPES = ("i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8")
NUMBER_TYPES = ("u1", "i1", *(order + kind for kind in WIDE_TYPES for order in "<>"))
for number_type in NUMBER_TYPES:
    name = number_type.replace("<", "little_").replace(">", "big_")
    LAYOUTS[f"type_{name}"] = of_type(number_type)
