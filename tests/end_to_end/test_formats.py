"""What `convert` writes is what NumPy, h5py and the formats' own readers read: same numbers, same
type, same bytes. Text is in test_text.py, pictures in test_pictures.py."""

import gzip
import itertools

import h5py
import netCDF4
import numpy as np
import pytest
import scipy.io

import layouts
from foreign import (MATLAB_CLASSES, SAFETENSORS_TYPES, SMALL_TYPES, array_of, check,
                     safetensors_bytes, stored_as, write_matlab73)
from layouts import NUMBER_TYPES

pytestmark = pytest.mark.slow

SHAPES = [(23, 7), (11, 3, 4)]
RAW_NAMES = {"u1": "uint8", "i1": "int8", "u2": "uint16", "i2": "int16", "u4": "uint32",
             "i4": "int32", "u8": "uint64", "i8": "int64", "f2": "float16", "f4": "float32",
             "f8": "float64"}


def convert(rhohat, folder, *arguments, **options):
    """Converts to a fresh file and returns its path."""
    out = folder / f"out{len(list(folder.glob('out*')))}.h5"
    rhohat.ok("convert", *arguments, out, **options)
    return out


# NumPy's .npy and .npz.


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", (*NUMBER_TYPES, "?"))
def test_npy(rhohat, tmp_path, random, dtype, order):
    for shape in SHAPES if order == "F" else SHAPES[1:]:
        np.save(tmp_path / "in.npy", np.asarray(array_of(random, shape, dtype), order=order))
        check(convert(rhohat, tmp_path, tmp_path / "in.npy"), np.load(tmp_path / "in.npy"))


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_versions(rhohat, tmp_path, random, version, order):
    with open(tmp_path / "in.npy", "wb") as file:
        array = np.asarray(array_of(random, (5, 4, 2), ">f8"), order=order)
        np.lib.format.write_array(file, array, version=version)
    check(convert(rhohat, tmp_path, tmp_path / "in.npy"), np.load(tmp_path / "in.npy"))


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", ("u1", ">i2", "<f4", ">f8"))
def test_npy_gzipped(rhohat, tmp_path, random, dtype, order):
    array = np.asarray(array_of(random, (37, 5), dtype), order=order)
    with gzip.open(tmp_path / "in.npy.gz", "wb") as file:
        np.save(file, array)
    check(convert(rhohat, tmp_path, tmp_path / "in.npy.gz"), array)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3, 1, 2), (3000, 301), (301, 3000)])
def test_npy_shapes(rhohat, tmp_path, random, shape):
    """Among them some of more than a block or a tile, both ways."""
    for order in "CF":
        np.save(tmp_path / "in.npy", np.asarray(array_of(random, shape, ">i2"), order=order))
        check(convert(rhohat, tmp_path, tmp_path / "in.npy"), np.load(tmp_path / "in.npy"))


def test_npy_in_fortran_order_with_little_memory(rhohat, tmp_path, random):
    """Blocks are smaller then; the output is the same to the byte."""
    np.save(tmp_path / "in.npy", np.asfortranarray(array_of(random, (20_000, 150), "<f8")))
    outs = [convert(rhohat, tmp_path, tmp_path / "in.npy", "--memory", memory)
            for memory in ("1G", "80M")]
    check(outs[0], np.load(tmp_path / "in.npy"))
    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(rhohat, tmp_path, random, save):
    arrays = {"labels": array_of(random, 19, "<i8"), "x": array_of(random, (19, 6), ">f4"),
              "fortran": np.asfortranarray(array_of(random, (19, 2, 3), "<u2"))}
    save(tmp_path / "in.npz", **arrays)
    for name in ("x", "fortran"):
        check(convert(rhohat, tmp_path, tmp_path / "in.npz", "--array", name), arrays[name])
    save(tmp_path / "one.npz", labels=arrays["labels"], x=arrays["x"])
    check(convert(rhohat, tmp_path, tmp_path / "one.npz"), arrays["x"])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_types(rhohat, tmp_path, random, save):
    arrays = {f"x{i}": array_of(random, (9, 4), dtype) for i, dtype in enumerate(NUMBER_TYPES)}
    save(tmp_path / "in.npz", **arrays)
    for name, array in arrays.items():
        check(convert(rhohat, tmp_path, tmp_path / "in.npz", "--array", name), array)


# Tensors, variables, and numbers without a header.


@pytest.mark.parametrize("kind", SAFETENSORS_TYPES)
def test_safetensors(rhohat, tmp_path, random, kind):
    array = array_of(random, (11, 3, 4), SAFETENSORS_TYPES[kind])
    (tmp_path / "in.safetensors").write_bytes(safetensors_bytes({
        "bias": ("F32", (4,), bytes(16)), "x": (kind, array.shape, array.tobytes())}))
    check(convert(rhohat, tmp_path, tmp_path / "in.safetensors"), array)


def test_safetensors_of_several_tensors(rhohat, tmp_path, random):
    arrays = {name: array_of(random, (8, 3), "<f4") for name in ("model.a", "b \u00e4")}
    (tmp_path / "in.safetensors").write_bytes(safetensors_bytes({
        name: ("F32", array.shape, array.tobytes()) for name, array in arrays.items()}))
    for name, array in arrays.items():
        check(convert(rhohat, tmp_path, tmp_path / "in.safetensors", "--array", name), array)


def test_bfloat16_keeps_its_bits(rhohat, tmp_path, random):
    """No NumPy type reads it, so the chunk as stored is looked at, and what it becomes."""
    bits = random.integers(0, 2**16, size=(40, 9)).astype("<u2")
    bits[(bits & 0x7F80) == 0x7F80] &= 0xBFFF  # NaN and infinity are not this test's
    (tmp_path / "in.safetensors").write_bytes(safetensors_bytes({
        "x": ("BF16", bits.shape, bits.tobytes())}))
    out = convert(rhohat, tmp_path, tmp_path / "in.safetensors", "--checksum", "off")
    with h5py.File(out) as file:
        assert file["data"].id.get_type().get_fields() == (15, 7, 8, 0, 7)
        _, stored = file["data"].id.read_direct_chunk((0, 0))
        assert stored[:bits.nbytes] == bits.tobytes()
    wide = (bits.astype("<u4") << 16).view("<f4")
    check(convert(rhohat, tmp_path, tmp_path / "in.safetensors", "--dtype", "float32"), wide)
    check(convert(rhohat, tmp_path, out, "--dtype", "float64"), wide.astype("<f8"))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", MATLAB_CLASSES)
def test_matlab_5(rhohat, tmp_path, random, dtype, compressed):
    for shape in SHAPES[compressed:]:
        array = array_of(random, shape, dtype)
        scipy.io.savemat(tmp_path / "in.mat", {"x": array, "n": 3.0, "name": "text"},
                         do_compression=compressed)
        read = scipy.io.loadmat(tmp_path / "in.mat")["x"]
        # SciPy gives the bytes of booleans, but knows that they are none.
        check(convert(rhohat, tmp_path, tmp_path / "in.mat"), read)
        assert read.tobytes() == array.tobytes()


@pytest.mark.parametrize("options", [{}, {"chunks": True, "compression": "gzip"}],
                         ids=["plain", "compressed"])
@pytest.mark.parametrize("dtype", MATLAB_CLASSES)
def test_matlab_73(rhohat, tmp_path, random, dtype, options):
    for shape in SHAPES[len(options) > 0:]:
        array = array_of(random, shape, dtype)
        write_matlab73(tmp_path / "in.mat", {"x": array}, **options)
        check(convert(rhohat, tmp_path, tmp_path / "in.mat"), array)


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_matlab_of_several_variables(rhohat, tmp_path, random, version):
    arrays = {name: array_of(random, (8, 3), "<f8") for name in ("train", "test")}
    if version == "5":
        scipy.io.savemat(tmp_path / "in.mat", arrays)
    else:
        write_matlab73(tmp_path / "in.mat", arrays)
    for name, array in arrays.items():
        check(convert(rhohat, tmp_path, tmp_path / "in.mat", "--array", name), array)


@pytest.mark.parametrize("dtype", NUMBER_TYPES)
def test_raw(rhohat, tmp_path, random, dtype):
    array = array_of(random, (31, 6), dtype)
    name = RAW_NAMES[dtype[-2:]] + ("-be" if dtype[0] == ">" else "")
    flags = ["--format", "raw", "--input-dtype", name, "--columns", 6]
    (tmp_path / "in.bin").write_bytes(array.tobytes())
    check(convert(rhohat, tmp_path, tmp_path / "in.bin", *flags), array)
    (tmp_path / "in.gz").write_bytes(gzip.compress(b"header." + array.tobytes()))
    check(convert(rhohat, tmp_path, tmp_path / "in.gz", *flags, "--offset", 7), array)
    if len(dtype) == 2:
        (tmp_path / "in.bin").write_bytes(b"header." + array.tobytes())
        check(convert(rhohat, tmp_path, tmp_path / "in.bin", *flags, "--offset", 7), array)


# HDF5 and NetCDF-4.


@pytest.mark.parametrize("layout", layouts.LAYOUTS)
def test_hdf5(rhohat, tmp_path, random, layout):
    files, rows = layouts.LAYOUTS[layout](tmp_path, random)
    check(convert(rhohat, tmp_path, *files, "--dtype", "float64"), rows)


@pytest.mark.parametrize("dtype", NUMBER_TYPES)
def test_hdf5_keeps_its_type(rhohat, tmp_path, random, dtype):
    array = array_of(random, (29, 6), dtype)
    layouts.write(tmp_path / "in.h5", array, chunks=(8, 4), compression="gzip", shuffle=True)
    check(convert(rhohat, tmp_path, tmp_path / "in.h5"), array)


def test_hdf5_of_several_data_sets(rhohat, tmp_path, random):
    arrays = {name: array_of(random, (8, 3), "<f4") for name in ("a", "group/b")}
    with h5py.File(tmp_path / "in.h5", "w") as file:
        for name, array in arrays.items():
            file[name] = array
    for name, array in arrays.items():
        check(convert(rhohat, tmp_path, tmp_path / "in.h5", "--array", name), array)


@pytest.mark.parametrize("options", [{}, {"zlib": True, "shuffle": True, "fletcher32": True},
                                     {"endian": "big"}], ids=["plain", "packed", "big_endian"])
def test_netcdf4(rhohat, tmp_path, random, options):
    arrays = {"pressure": array_of(random, (14, 3, 2), "f4"),
              "counts": array_of(random, (14, 5), "i2")}
    with netCDF4.Dataset(tmp_path / "in.nc", "w", format="NETCDF4") as file:
        for name, array in arrays.items():
            axes = [f"{name}{axis}" for axis in range(array.ndim)]
            for axis, length in zip(axes, array.shape):
                file.createDimension(axis, length)
            dtype = array.dtype.newbyteorder(">") if "endian" in options else array.dtype
            file.createVariable(name, dtype, axes, **options)[:] = array
    for name, array in arrays.items():
        check(convert(rhohat, tmp_path, tmp_path / "in.nc", "--array", name), array)


ROWS = {":": slice(None), "3:9": slice(3, 9), ":5": slice(5), "17:": slice(17, None),
        "28:29": slice(28, 29)}


@pytest.mark.parametrize("rows", ROWS)
def test_rows(rhohat, tmp_path, random, rows):
    """Of all inputs together, wherever the one ends and the next begins."""
    array = array_of(random, (29, 6), "<f4")
    layouts.write(tmp_path / "a.h5", array[:7], chunks=(4, 4))
    np.save(tmp_path / "b.npy", np.asfortranarray(array[7:]))
    check(convert(rhohat, tmp_path, tmp_path / "a.h5", tmp_path / "b.npy", "--rows", rows),
          array[ROWS[rows]])


@pytest.mark.parametrize("name", ["in.npy", "fortran.npy", "in.npy.gz", "in.npz", "in.csv",
                                  "in.safetensors", "in.mat", "in.bin", "in.h5"])
def test_rows_from_the_middle_of_every_format(rhohat, tmp_path, random, name):
    array = random.normal(size=(3000, 11))
    path = tmp_path / name
    if name.endswith(".gz"):
        with gzip.open(path, "wb") as file:
            np.save(file, array)
    elif name.endswith(".safetensors"):
        path.write_bytes(safetensors_bytes({"x": ("F64", array.shape, array.tobytes())}))
    else:
        {".npy": lambda: np.save(path, np.asarray(array, order="CF"["fortran" in name])),
         ".npz": lambda: np.savez(path, array), ".bin": lambda: path.write_bytes(array.tobytes()),
         ".csv": lambda: np.savetxt(path, array, delimiter=",", fmt="%r"),
         ".mat": lambda: scipy.io.savemat(path, {"x": array}, do_compression=True),
         ".h5": lambda: layouts.write(path, array, chunks=(100, 11))}[path.suffix]()
    flags = ["--format", "raw", "--input-dtype", "float64", "--columns", 11]
    flags = flags if name == "in.bin" else []
    # Small chunks, so that the rows make several blocks.
    for begin, end in ((1, 2), (1234, 2900), (2999, 3000)):
        out = convert(rhohat, tmp_path, path, "--rows", f"{begin}:{end}", "--chunk-rows", 50,
                      *flags)
        check(out, array[begin:end])


def test_rows_that_are_not_there(rhohat, tmp_path):
    np.save(tmp_path / "in.npy", np.ones((30, 4)))
    for rows in ("0:31", "30:", "5:5", "9:3", "a:b", "7", "-3:"):
        line = rhohat.fails(64, "convert", tmp_path / "in.npy", tmp_path / "out.h5",
                            f"--rows={rows}")
        assert rows.split(":")[0] in line, line
    for columns in ("4", "0-4", "3-1", "x", "0,,1"):
        rhohat.fails(64, "convert", tmp_path / "in.npy", tmp_path / "out.h5", "--use-columns",
                     columns)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.npy"]


@pytest.mark.parametrize("columns, picked", [
    ("0", [0]), ("2-4", [2, 3, 4]), ("5,0-1,3", [5, 0, 1, 3]), ("4,3,2", [4, 3, 2]),
    ("0-5", range(6))])
def test_columns(rhohat, tmp_path, random, columns, picked):
    array = array_of(random, (29, 6), ">i4")
    layouts.write(tmp_path / "in.h5", array, chunks=(8, 4))
    np.save(tmp_path / "in.npy", np.asfortranarray(array))
    for name in ("in.h5", "in.npy"):
        out = convert(rhohat, tmp_path, tmp_path / name, "--use-columns", columns, "--rows", "3:27")
        check(out, array[3:27, list(picked)])


# The output's layout changes no number.


@pytest.mark.parametrize("checksum", ["on", "off"])
@pytest.mark.parametrize("shuffle", [False, True], ids=["as_they_lie", "shuffle_bytes"])
@pytest.mark.parametrize("compress", ["none", "gzip:1", "gzip:9", "zstd:3", "lz4"])
def test_output_layouts(rhohat, tmp_path, random, compress, shuffle, checksum):
    for dtype in ("<f4", "u1"):
        array = array_of(random, (61, 12), dtype)
        np.save(tmp_path / "in.npy", array)
        out = convert(rhohat, tmp_path, tmp_path / "in.npy", "--compress", compress, "--checksum",
                      checksum, "--chunk-rows", 16, *["--shuffle-bytes"] * shuffle)
        with h5py.File(out) as file:
            data = file["data"]
            assert data.chunks == (16, 12)
            assert data.fletcher32 == (checksum == "on")
            assert data.shuffle == (shuffle and dtype != "u1")
            filters = data.id.get_create_plist()
            codes = {filters.get_filter(i)[0] for i in range(filters.get_nfilters())}
        codec = {"gzip": 1, "zstd": 32015, "lz4": 32004}.get(compress.split(":")[0])
        assert codes - {2, 3} == ({codec} if codec else set())
        if codec in (None, 1):
            check(out, array)  # h5py has no zstd and no lz4 of its own
        check(convert(rhohat, tmp_path, out), array)


# Several inputs.


def test_inputs_of_all_formats_together(rhohat, tmp_path, random):
    parts = [array_of(random, (5 + i, 4), "<f4") for i in range(6)]
    np.save(tmp_path / "0.npy", parts[0])
    np.savez_compressed(tmp_path / "1.npz", np.asfortranarray(parts[1]))
    layouts.write(tmp_path / "2.h5", parts[2], chunks=(3, 3), compression="gzip")
    scipy.io.savemat(tmp_path / "3.mat", {"x": parts[3]})
    (tmp_path / "4.safetensors").write_bytes(safetensors_bytes({
        "x": ("F32", parts[4].shape, parts[4].tobytes())}))
    np.save(tmp_path / "5.npy", parts[5].astype(">f4"))
    check(convert(rhohat, tmp_path, *sorted(tmp_path.iterdir())), np.concatenate(parts))
    # Order is that of the command line.
    check(convert(rhohat, tmp_path, tmp_path / "3.mat", tmp_path / "0.npy"),
          np.concatenate([parts[3], parts[0]]))


def test_patterns_stand_for_files_in_natural_order(rhohat, tmp_path, random):
    names = ["part1", "part2", "part10", "part11", "part100"]
    parts = {name: array_of(random, (3, 4), "<f4") for name in names}
    for name in reversed(names):
        np.save(tmp_path / f"{name}.npy", parts[name])
    np.save(tmp_path / "other.npy", np.zeros((3, 4), "<f4"))
    rhohat.ok("convert", "part*.npy", "out.h5", cwd=tmp_path)
    check(tmp_path / "out.h5", np.concatenate([parts[name] for name in names]))
    rhohat.ok("convert", "part1?.npy", "part[2-9].npy", "out2.h5", cwd=tmp_path)
    check(tmp_path / "out2.h5", np.concatenate([parts[name] for name in names[2:4] + names[1:2]]))
    assert "nothing*.npy" in rhohat.fails(66, "convert", "nothing*.npy", "out3.h5", cwd=tmp_path)


@pytest.mark.parametrize("first, second", itertools.combinations(SMALL_TYPES, 2))
def test_types_joined_become_one_that_holds_both(rhohat, tmp_path, random, first, second):
    """The one that NumPy chooses."""
    parts = [array_of(random, (4, 3), dtype) for dtype in (first, second)]
    for name, part in zip(("a", "b"), parts):
        np.save(tmp_path / f"{name}.npy", part)
    out = convert(rhohat, tmp_path, tmp_path / "a.npy", tmp_path / "b.npy")
    common = np.result_type(*parts)
    check(out, np.concatenate([stored_as(part).astype(common) for part in parts]))
