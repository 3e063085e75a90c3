"""HDF5 files that no one should train on, each with what the complaint must name.

A fault is a function of a folder and a random generator. It returns the arguments that name the
data (files, and flags where needed) and words that the error line must hold. Bad data it is, and
exit code 65, unless CODES says otherwise.
"""

import h5py
import numpy as np

from layouts import COLUMNS, values, write

FAULTS = {}
CODES = {"no_such_data_set": 66, "several_data_sets_and_no_name": 64}


def fault(function):
    FAULTS[function.__name__] = function
    return function


def flip_byte(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def chunk_place(path, number):
    with h5py.File(path) as file:
        chunk = file["data"].id.get_chunk_info(number)
        return chunk.byte_offset, chunk.size


@fault
def not_hdf5(folder, _random):
    path = folder / "rows.h5"
    path.write_text("1,2,3\n4,5,6\n" * 100)
    return [path], ["rows.h5"]


@fault
def empty_file(folder, _random):
    path = folder / "rows.h5"
    path.write_bytes(b"")
    return [path], ["rows.h5"]


@fault
def truncated(folder, random):
    path = write(folder / "rows.h5", values(random, 500))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    return [path], ["rows.h5"]


@fault
def chunks_longer_than_a_fixed_axis(folder, random):
    """No writer makes such a file, and libhdf5 1.10 crashes on reading it."""
    path = write(folder / "rows.h5", values(random, 50), chunks=(9, COLUMNS), compression="gzip")
    content = path.read_bytes()
    sound = np.array([9, COLUMNS], "<u4").tobytes()
    damaged = np.array([9, 1048576 + COLUMNS], "<u4").tobytes()
    assert content.count(sound) == 1
    path.write_bytes(content.replace(sound, damaged))
    return [path], ["rows.h5", "chunks"]


@fault
def virtual_over_virtual_over_nothing(folder, _random):
    """Missing two steps away, which the library would read as zeros."""
    for name, source in ("mid.h5", "gone.h5"), ("rows.h5", "mid.h5"):
        layout = h5py.VirtualLayout((50, COLUMNS), "<f4")
        layout[:] = h5py.VirtualSource(str(folder / source), "data", (50, COLUMNS))
        with h5py.File(folder / name, "w") as file:
            file.create_virtual_dataset("data", layout)
    return [folder / "rows.h5", "--follow-external"], ["rows.h5", "list the files"]


@fault
def truncated_in_its_chunks(folder, random):
    path = write(folder / "rows.h5", values(random, 500), chunks=(10, COLUMNS), compression="gzip")
    content = path.read_bytes()
    path.write_bytes(content[:-1000])
    return [path], ["rows.h5"]


@fault
def no_such_data_set(folder, random):
    path = write(folder / "rows.h5", values(random, 20), name="acts/layer6")
    return [path, "--dataset", "/acts/layer7"], ["rows.h5", "/acts/layer7", "/acts/layer6"]


@fault
def a_group_instead_of_a_data_set(folder, random):
    path = write(folder / "rows.h5", values(random, 20), name="acts/layer6")
    return [path, "--dataset", "/acts"], ["rows.h5", "/acts"]


@fault
def no_data_set_at_all(folder, _random):
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_group("empty")
    return [path], ["rows.h5"]


@fault
def several_data_sets_and_no_name(folder, random):
    path = write(folder / "rows.h5", values(random, 20), name="first")
    with h5py.File(path, "a") as file:
        file.create_dataset("second", data=values(random, 20))
    return [path], ["rows.h5", "/first", "/second", "--dataset"]


@fault
def files_of_different_width(folder, random):
    files = [write(folder / "narrow.h5", values(random, 20)),
             write(folder / "wide.h5", values(random, 20, columns=COLUMNS + 1))]
    return files, ["wide.h5", str(COLUMNS), str(COLUMNS + 1)]


@fault
def no_rows(folder, _random):
    return [write(folder / "rows.h5", np.zeros((0, COLUMNS), "float32"))], ["rows.h5"]


@fault
def no_rows_in_a_chunked_data_set(folder, _random):
    return [write(folder / "rows.h5", np.zeros((0, COLUMNS), "float32"), chunks=(5, COLUMNS),
                  maxshape=(None, COLUMNS))], ["rows.h5"]


@fault
def no_columns(folder, _random):
    return [write(folder / "rows.h5", np.zeros((5, 0), "float32"))], ["rows.h5"]


@fault
def one_axis(folder, random):
    return [write(folder / "rows.h5", values(random, 20)[:, 0])], ["rows.h5"]


@fault
def scalar(folder, _random):
    return [write(folder / "rows.h5", np.float32(3))], ["rows.h5"]


@fault
def strings(folder, _random):
    return [write(folder / "rows.h5", np.full((20, COLUMNS), b"abc"))], ["rows.h5", "string"]


@fault
def strings_of_any_length(folder, _random):
    array = np.full((20, COLUMNS), "abc", dtype=object)
    return [write(folder / "rows.h5", array, dtype=h5py.string_dtype())], ["rows.h5", "string"]


@fault
def compound(folder, _random):
    array = np.zeros((20, COLUMNS), [("re", "f4"), ("im", "f4")])
    return [write(folder / "rows.h5", array)], ["rows.h5", "compound"]


@fault
def references(folder, _random):
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (20, COLUMNS), dtype=h5py.ref_dtype)
    return [path], ["rows.h5", "reference"]


def with_value(value, dtype="float32", **options):
    def make(folder, random):
        array = values(random, 50, dtype)
        array[41, 7] = value
        return [write(folder / "rows.h5", array, **options)], ["rows.h5", "row 41", "column 7"]

    return make


FAULTS["nan"] = with_value(np.nan)
FAULTS["nan_in_float64"] = with_value(np.nan, "<f8")
FAULTS["nan_in_float16"] = with_value(np.nan, "<f2")
FAULTS["nan_in_big_endian"] = with_value(np.nan, ">f4")
FAULTS["nan_in_cut_and_compressed_chunks"] = with_value(np.nan, chunks=(6, 5), compression="gzip")
FAULTS["infinity"] = with_value(np.inf)
FAULTS["minus_infinity_in_float16"] = with_value(-np.inf, "<f2")
FAULTS["too_large_for_float32"] = with_value(1e300, "<f8")


@fault
def nan_in_the_last_value(folder, random):
    array = values(random, 50)
    array[-1, -1] = np.nan
    return [write(folder / "rows.h5", array)], ["rows.h5", "row 49", f"column {COLUMNS - 1}"]


@fault
def nan_in_the_second_file(folder, random):
    array = values(random, 50)
    array[3, 7] = np.nan
    files = [write(folder / "first.h5", values(random, 50)), write(folder / "second.h5", array)]
    return files, ["second.h5", "row 3", "column 7"]


@fault
def nan_as_fill_value(folder, random):
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", (50, COLUMNS), "float32", chunks=(10, COLUMNS),
                                   fillvalue=np.nan)
        data[:20] = values(random, 20)
    return [path], ["rows.h5", "row 20", "column 0"]


@fault
def damaged_checksummed_chunk(folder, random):
    path = write(folder / "rows.h5", values(random, 50), chunks=(10, COLUMNS), fletcher32=True)
    flip_byte(path, chunk_place(path, 3)[0] + 100)
    return [path], ["rows.h5"]


@fault
def damaged_checksum(folder, random):
    path = write(folder / "rows.h5", values(random, 50), chunks=(10, COLUMNS), fletcher32=True)
    offset, size = chunk_place(path, 2)
    flip_byte(path, offset + size - 1)
    return [path], ["rows.h5"]


@fault
def damaged_compressed_chunk(folder, random):
    path = write(folder / "rows.h5", values(random, 50), chunks=(10, COLUMNS), compression="gzip")
    offset, size = chunk_place(path, 3)
    flip_byte(path, offset + size // 2)
    return [path], ["rows.h5"]


@fault
def unknown_filter(folder, random):
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((10, COLUMNS))
        properties.set_filter(307, h5py.h5z.FLAG_OPTIONAL)
        array = values(random, 10)
        data = h5py.h5d.create(file.id, b"data", h5py.h5t.NATIVE_FLOAT,
                               h5py.h5s.create_simple(array.shape), properties)
        data.write_direct_chunk((0, 0), array.tobytes())
    return [path], ["rows.h5"]


# Data in other files: fine with --follow-external, refused without.
EXTERNAL = {}


def external(function):
    EXTERNAL[function.__name__] = function
    return function


@external
def external_link(folder, random):
    write(folder / "other.h5", values(random, 20))
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file["data"] = h5py.ExternalLink("other.h5", "/data")
    return path


@external
def external_storage(folder, random):
    array = values(random, 20)
    raw = folder / "rows.raw"
    raw.write_bytes(array.tobytes())
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", array.shape, "float32", external=[(str(raw), 0, array.nbytes)])
    return path


@external
def virtual_data_set(folder, random):
    layout = h5py.VirtualLayout((40, COLUMNS), "float32")
    for i in range(2):
        write(folder / f"source{i}.h5", values(random, 20))
        source = h5py.VirtualSource(f"source{i}.h5", "data", (20, COLUMNS))
        layout[20 * i : 20 * (i + 1)] = source
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("data", layout)
    return path
