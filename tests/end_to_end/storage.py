"""HDF5 files of every way that the library keeps a data set's rows, with the rows they hold.

As in layouts.py, a layout is a function of a folder and a random generator that returns files and
rows; but these are many and tiny, and look after one thing each: where a chunk lies, which filters
it went through, and what stands in for one that was never written.
"""

import ctypes
import itertools
import zlib

import h5py
import numpy as np

from layouts import COLUMNS, flat, values

STORAGE = {}
# Rows in other files: read with --follow-external only.
OUTSIDE = {}
# Filters that are not read unless asked for.
REFUSED = {}

EARLIEST, LATEST = ("earliest", "v108"), ("latest", "latest")
FILTER_SETS = [subset for count in range(1, 4)
               for subset in itertools.combinations(("shuffle", "gzip", "fletcher32"), count)]
SETTERS = {"shuffle": lambda properties: properties.set_shuffle(),
           "gzip": lambda properties: properties.set_deflate(4),
           "fletcher32": lambda properties: properties.set_fletcher32(),
           "szip": lambda properties: properties.set_szip(h5py.h5z.SZIP_NN_OPTION_MASK, 4),
           "lzf": lambda properties: properties.set_filter(h5py.h5z.FILTER_LZF,
                                                           h5py.h5z.FLAG_OPTIONAL),
           "nbit": lambda properties: properties.set_filter(h5py.h5z.FILTER_NBIT),
           "scaleoffset": lambda properties: properties.set_scaleoffset(h5py.h5z.SO_INT, 0)}


def storage(function):
    STORAGE[function.__name__] = function
    return function


def library():
    """The HDF5 library that h5py has loaded, for the calls that h5py leaves out."""
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "/libhdf5" in line and "_hl" not in line}
    return ctypes.CDLL(min(paths))


def creation(filters=(), early=False, whole_edges=False):
    """A creation property list with filters in this order, which may name one twice."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if early:
        properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    if whole_edges:
        # Chunks at the edge are stored as they are, whatever the filters.
        properties.set_chunk((1,))
        call = library().H5Pset_chunk_opts
        call.argtypes = [ctypes.c_int64, ctypes.c_uint]
        assert call(properties.id, 2) >= 0
    for name in filters:
        SETTERS[name](properties)
    return properties


def one(folder, array, chunks=None, filters=(), written=slice(None), early=False,
        whole_edges=False, fill=None, file_options=None, **options):
    """One file with one data set, of whose rows only some may be written; the rest is the fill."""
    path = folder / "rows.h5"
    rows = array.copy()
    unwritten = np.ones(len(rows), bool)
    unwritten[written] = False
    rows[unwritten] = 0 if fill is None else fill
    with h5py.File(path, "w", **(file_options or {"libver": EARLIEST})) as file:
        data = file.create_dataset("data", array.shape, array.dtype, chunks=chunks, fillvalue=fill,
                                   dcpl=creation(filters, early, whole_edges), **options)
        if not unwritten.all():
            data[written] = array[written]
    return [path], flat(rows)


def add(name, rows, dtype="<f4", shape=None, **options):
    """Adds a layout of random values, of this shape behind the first axis."""
    def make(folder, random):
        array = values(random, rows, dtype)
        return one(folder, array.reshape(rows, *(shape or (COLUMNS,))), **options)

    STORAGE[name] = make


def add_for_each(name, rows, variants, **common):
    for variant, options in variants.items():
        add(f"{name}_{variant}", rows, **{**common, **options})


# Chunks that cut every axis, with a rest on each.
CUTS = {"2d": {"chunks": (7, 5)}, "2d_one_column": {"chunks": (10, 1)},
        "2d_all_rows": {"chunks": (29, 5)}, "2d_last_chunk_of_one": {"chunks": (9, 11)},
        "3d": {"shape": (3, 4), "chunks": (7, 2, 3)},
        "3d_flat": {"shape": (1, 12), "chunks": (7, 1, 5)},
        "3d_last_axis": {"shape": (4, 3), "chunks": (7, 4, 2)},
        "3d_middle_axis": {"shape": (4, 3), "chunks": (7, 3, 3)},
        "4d": {"shape": (2, 3, 2), "chunks": (7, 1, 2, 2)},
        "4d_all": {"shape": (3, 2, 2), "chunks": (4, 2, 1, 1)},
        "5d": {"shape": (2, 1, 3, 2), "chunks": (7, 2, 1, 2, 1)}}
add_for_each("cut", 29, CUTS)
add_for_each("cut_and_packed", 29, CUTS, filters=("shuffle", "gzip", "fletcher32"))
add_for_each("cut_and_latest", 29, CUTS, file_options={"libver": LATEST})

for chosen in FILTER_SETS:
    word = "_".join(chosen)
    add(f"filters_{word}", 29, chunks=(8, COLUMNS), filters=chosen)
    add(f"filters_{word}_cut_latest", 29, "<i2", chunks=(8, 5), filters=chosen,
        file_options={"libver": LATEST})
    for kind in (">f4", ">f8", ">i2", ">u8", "<f2", ">f2", "u1"):
        if "shuffle" in chosen:
            order = "big_" if kind[0] == ">" else "little_" if kind[0] == "<" else ""
            add(f"type_{order}{kind.lstrip('<>')}_{word}", 13, kind, chunks=(8, 5), filters=chosen)

# Orders and repetitions that no one writes on purpose.
for chosen in (("gzip", "shuffle"), ("fletcher32", "gzip"), ("fletcher32", "shuffle", "gzip"),
               ("gzip", "gzip"), ("shuffle", "shuffle"), ("fletcher32", "fletcher32"),
               ("gzip", "fletcher32", "gzip")):
    add(f"filters_in_order_{'_'.join(chosen)}", 29, chunks=(8, 5), filters=chosen)

for chosen in (("lzf",), ("shuffle", "lzf"), ("shuffle", "lzf", "fletcher32")):
    for kind in ("<f4", ">f4", "u1"):
        add(f"{'_'.join(chosen)}_{'big' if kind == '>f4' else kind.strip('<')}", 29, kind,
            chunks=(8, COLUMNS), filters=chosen)
if h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
    for kind in ("<f4", ">f4", "<f8", ">i2", "u1"):
        add(f"szip_{kind.replace('<', '').replace('>', 'big_')}", 29, kind, chunks=(8, COLUMNS),
            filters=("szip",))
    add("szip_fletcher32_cut", 29, chunks=(8, 6), filters=("szip", "fletcher32"))

# What the new file format keeps its chunks in; the old one has a B-tree for all.
INDEXES = {
    "single": {"chunks": (29, COLUMNS)},
    "implicit": {"chunks": (4, 5), "early": True},
    "fixed_array": {"chunks": (4, 5)},
    "extensible_array": {"chunks": (4, 5), "maxshape": (None, COLUMNS)},
    "extensible_array_of_columns": {"chunks": (4, 5), "maxshape": (29, None)},
    "btree2": {"chunks": (4, 5), "maxshape": (None, None)},
    "larger_than_rows": {"chunks": (40, COLUMNS), "maxshape": (None, COLUMNS)},
    "larger_than_all": {"chunks": (40, 20), "maxshape": (None, None)},
}
for libver, bounds in (("earliest", EARLIEST), ("latest", LATEST)):
    versions = {"file_options": {"libver": bounds}}
    add_for_each(f"{libver}_plain", 29, INDEXES, **versions)
    add_for_each(f"{libver}_gzip", 29, INDEXES, filters=("gzip",), **versions)
    add_for_each(f"{libver}_checked", 29, INDEXES, filters=("shuffle", "gzip", "fletcher32"),
                 **versions)
    HOLES = {kind: {**options, "written": slice(9, 17), "fill": 0.375}
             for kind, options in INDEXES.items() if not kind.startswith(("single", "larger"))}
    add_for_each(f"{libver}_holes", 29, HOLES, **versions)
    add_for_each(f"{libver}_gzip_holes", 29, HOLES, filters=("gzip",), **versions)
    NEVER = {kind: {**options, "written": slice(0, 0), "fill": 0.375}
             for kind, options in INDEXES.items()}
    add_for_each(f"{libver}_never_written", 29, NEVER, **versions)
    add_for_each(f"{libver}_gzip_never_written", 29, NEVER, filters=("gzip",), **versions)
    add(f"{libver}_holes_of_zeros", 29, chunks=(4, 5), filters=("gzip",), written=slice(20, 29),
        **versions)
    add(f"{libver}_holes_big_endian", 29, ">f4", chunks=(4, 5), filters=("shuffle", "gzip"),
        written=slice(20, 29), fill=0.375, **versions)
    add(f"{libver}_holes_in_integers", 29, ">i2", chunks=(4, 5), written=slice(0, 5), fill=-7,
        **versions)
    add(f"{libver}_contiguous", 29, **versions)
    # Many chunks: levels of trees, pages of arrays.
    MANY = {"fixed": {}, "extensible": {"maxshape": (None, COLUMNS)},
            "two": {"maxshape": (None, None)}}
    for variant, options in MANY.items():
        add(f"{libver}_many_{variant}", 1500, "u1", chunks=(1, COLUMNS), **options, **versions)
        add(f"{libver}_many_{variant}_gzip", 1100, "u1", chunks=(1, COLUMNS), filters=("gzip",),
            **options, **versions)
        add(f"{libver}_many_{variant}_mostly_missing", 4000, "u1", chunks=(1, COLUMNS), fill=3,
            written=slice(2100, 2110), **options, **versions)
add("5000_chunks_of_one_row", 5000, "u1", chunks=(1, COLUMNS))
add("edges_not_filtered_fixed_array", 29, chunks=(8, 5), filters=("shuffle", "gzip"),
    whole_edges=True, file_options={"libver": LATEST})
add("edges_not_filtered_extensible_array", 29, chunks=(8, 5), filters=("gzip", "fletcher32"),
    whole_edges=True, maxshape=(None, COLUMNS), file_options={"libver": LATEST})
add("edges_not_filtered_single_chunk", 29, chunks=(29, COLUMNS), filters=("gzip",),
    whole_edges=True, file_options={"libver": LATEST})
add("edges_not_filtered_btree2", 29, chunks=(8, 5), filters=("gzip",), whole_edges=True,
    maxshape=(None, None), file_options={"libver": LATEST})

for size in (512, 1024, 4096):
    for variant, options in {
            "contiguous": {}, "chunked": {"chunks": (8, 5)},
            "packed": {"chunks": (8, 5), "filters": ("shuffle", "gzip", "fletcher32")},
            "holes": {"chunks": (8, 5), "filters": ("gzip",), "written": slice(20, 29), "fill": 1}
    }.items():
        for libver, bounds in (("earliest", EARLIEST), ("latest", LATEST)):
            add(f"user_block_{size}_{variant}_{libver}", 29,
                file_options={"userblock_size": size, "libver": bounds}, **options)
add("pages_of_file_space", 29, chunks=(8, 5), filters=("gzip",),
    file_options={"fs_strategy": "page", "fs_page_size": 512, "libver": LATEST})
add("track_order", 29, chunks=(8, 5), filters=("gzip",), track_order=True)


def make_filter_mask(skipped):
    """A chunk that went through some filters of its pipeline only, among others that took all."""
    pipeline = ("shuffle", "gzip", "fletcher32")

    def make(folder, random):
        array = values(random, 24)
        taken = [name for i, name in enumerate(pipeline) if not skipped >> i & 1]
        files, rows = one(folder, array, chunks=(8, COLUMNS), filters=pipeline)
        (folder / "helper").mkdir()
        helper, _ = one(folder / "helper", array, chunks=(8, COLUMNS), filters=taken)
        with h5py.File(helper[0]) as source, h5py.File(files[0], "r+") as file:
            mask, stored = source["data"].id.read_direct_chunk((8, 0))
            assert mask == 0
            file["data"].id.write_direct_chunk((8, 0), stored, filter_mask=skipped)
        return files, rows

    return make


for mask_bits in range(8):
    STORAGE[f"filter_mask_{mask_bits:03b}"] = make_filter_mask(mask_bits)


def make_resized(bounds, filters, first, then, again):
    def make(folder, random):
        path = folder / "rows.h5"
        with h5py.File(path, "w", libver=bounds) as file:
            data = file.create_dataset("data", first, "<f4", chunks=(4, 5), fillvalue=0.375,
                                       maxshape=(None, None), dcpl=creation(filters))
            data[:] = random.uniform(size=first)
            for shape in (then, again):
                data.resize(shape)
            rows = flat(data[:])
        return [path], rows

    return make


SIZES = {"shrunk": ((40, 12), (22, 12), (22, 12)),
         "shrunk_in_columns": ((29, 23), (29, 12), (29, 12)),
         "shrunk_and_enlarged": ((40, 12), (13, 12), (33, 12)),
         "enlarged": ((13, 12), (33, 12), (33, 12)),
         "enlarged_in_columns": ((29, 7), (29, 12), (29, 12))}
for (resized, sizes), (libver, bounds), chosen in itertools.product(
        SIZES.items(), {"earliest": EARLIEST, "latest": LATEST}.items(), ((), ("gzip",))):
    STORAGE["_".join((resized, libver, *chosen))] = make_resized(bounds, chosen, *sizes)


@storage
def short_addresses(folder, random):
    """Addresses and lengths of four bytes, and narrow trees, in a file of the old format."""
    array = values(random, 61)
    creation_of_file = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation_of_file.set_sizes(4, 4)
    path = folder / "rows.h5"
    file_id = h5py.h5f.create(bytes(path), h5py.h5f.ACC_TRUNC, fcpl=creation_of_file)
    with h5py.File(file_id) as file:
        file.create_dataset("data", data=array, chunks=(2, 5), compression="gzip")
    return [path], flat(array)


@storage
def deep_in_groups_of_both_formats(folder, random):
    array = values(random, 17)
    path = folder / "rows.h5"
    with h5py.File(path, "w", libver=LATEST) as file:
        for number in range(40):
            file.create_group(f"a/b/{number}").attrs["filler"] = np.arange(100)
        data = file.create_dataset("a/b/c/d/rows", data=array, chunks=(4, 5), compression="gzip")
        for number in range(20):  # the object header goes on elsewhere
            data.attrs[f"attribute {number}"] = "x" * 200
    return [path], flat(array)


@storage
def larger_gzip_level_and_incompressible(folder, random):
    array = random.integers(0, 256, size=(29, COLUMNS)).astype("u1")
    return one(folder, array, chunks=(8, COLUMNS), filters=("gzip", "gzip", "gzip"))


@storage
def chunk_packed_by_another_zlib(folder, random):
    """Stored blocks, and a stream in two pieces: what no gzip filter writes, but all must read."""
    array = values(random, 16)
    files, rows = one(folder, array, chunks=(8, COLUMNS), filters=("gzip",))
    with h5py.File(files[0], "r+") as file:
        for row, level in ((0, 0), (8, 9)):
            packer = zlib.compressobj(level)
            content = array[row : row + 8].tobytes()
            packed = packer.compress(content[:100]) + packer.flush(zlib.Z_FULL_FLUSH)
            packed += packer.compress(content[100:]) + packer.flush()
            file["data"].id.write_direct_chunk((row, 0), packed)
    return files, rows


def outside(function):
    OUTSIDE[function.__name__] = function
    return function


def write_sources(folder, parts, **options):
    paths = []
    for number, part in enumerate(parts):
        (folder / f"source{number}").mkdir()
        paths += one(folder / f"source{number}", part, **options)[0]
    return paths


def virtual(path, shape, mapping, **options):
    """`mapping`: (rows, columns, file, shape of its data set) of each source."""
    layout = h5py.VirtualLayout(shape, "<f4")
    for rows, columns, source, source_shape in mapping:
        layout[rows, columns] = h5py.VirtualSource(source, "data", source_shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("data", layout, **options)
    return path


@outside
def virtual_over_files(folder, random):
    parts = [values(random, 13), values(random, 9)]
    sources = write_sources(folder, parts, chunks=(4, 5), filters=("gzip",))
    mapping = [(slice(0, 13), slice(None), sources[0], (13, COLUMNS)),
               (slice(13, 22), slice(None), sources[1], (9, COLUMNS))]
    return [virtual(folder / "rows.h5", (22, COLUMNS), mapping)], flat(np.concatenate(parts))


@outside
def virtual_with_interleaved_rows_and_gaps(folder, random):
    parts = [values(random, 10), values(random, 10)]
    sources = write_sources(folder, parts)
    mapping = [(slice(0, 30, 3), slice(None), sources[0], (10, COLUMNS)),
               (slice(1, 30, 3), slice(None), sources[1], (10, COLUMNS))]
    rows = np.full((30, COLUMNS), 0.375)
    rows[0::3], rows[1::3] = parts
    return [virtual(folder / "rows.h5", rows.shape, mapping, fillvalue=0.375)], rows


@outside
def virtual_with_columns_of_each_file(folder, random):
    array = values(random, 10)
    sources = write_sources(folder, [array[:, :5], array[:, 5:]], chunks=(3, 2))
    mapping = [(slice(None), slice(0, 5), sources[0], (10, 5)),
               (slice(None), slice(5, 12), sources[1], (10, 7))]
    return [virtual(folder / "rows.h5", array.shape, mapping)], flat(array)


def make_external(segments):
    def make(folder, random):
        array = values(random, 20)
        content = array.tobytes()
        external, begin = [], 0
        for number, (offset, size) in enumerate(segments):
            raw = folder / f"rows{number}.raw"
            raw.write_bytes(b"\xff" * offset + content[begin : begin + size])
            external.append((str(raw), offset, size))
            begin += size
        path = folder / "rows.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("data", array.shape, "<f4", external=external)
        return [path], flat(array)

    return make


OUTSIDE["external_storage"] = make_external([(0, 960)])
OUTSIDE["external_storage_behind_a_header"] = make_external([(100, 960)])
OUTSIDE["external_storage_in_pieces"] = make_external([(0, 100), (7, 60), (0, 800)])


@outside
def external_link_into_a_group(folder, random):
    array = values(random, 20)
    with h5py.File(folder / "other.h5", "w") as file:
        file.create_dataset("group/data", data=array, chunks=(8, 5), compression="gzip")
    with h5py.File(folder / "rows.h5", "w") as file:
        file["data"] = h5py.ExternalLink("other.h5", "/group/data")
    return [folder / "rows.h5"], flat(array)


def make_refused(filters, dtype):
    def make(folder, random):
        return one(folder, values(random, 20, dtype), chunks=(8, COLUMNS), filters=filters)

    return make


REFUSED["nbit"] = make_refused(("nbit",), "<i4")
REFUSED["nbit_of_fractions"] = make_refused(("nbit",), "<f4")
REFUSED["scaleoffset"] = make_refused(("scaleoffset",), "<i4")
REFUSED["scaleoffset_gzip"] = make_refused(("scaleoffset", "gzip"), "<i2")
