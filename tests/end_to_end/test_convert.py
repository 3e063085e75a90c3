"""The ground that convert stands on: IDX, its options about types, names and chunks, what it prints,
and what it refuses. What every other format becomes is in test_formats.py, test_text.py and
test_pictures.py.
"""

import gzip
import struct

import h5py
import numpy as np
import pytest

import layouts
from foreign import IDX_TYPES, array_of, check, idx_bytes
from program import peak_of

pytestmark = pytest.mark.fast

@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("code", IDX_TYPES)
def test_idx(rhohat, tmp_path, random, code, packed):
    array = array_of(random, (37, 4, 5), IDX_TYPES[code])
    content = idx_bytes(array, code)
    path = tmp_path / ("rows-idx3.gz" if packed else "rows-idx3")
    path.write_bytes(gzip.compress(content) if packed else content)
    rhohat.ok("convert", path, tmp_path / "out.h5")
    check(tmp_path / "out.h5", array)


@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (5, 2, 3, 2)])
def test_idx_shapes(rhohat, tmp_path, random, shape):
    array = array_of(random, shape, "u1")
    (tmp_path / "rows-idx").write_bytes(idx_bytes(array, 0x08))
    rhohat.ok("convert", tmp_path / "rows-idx", tmp_path / "out.h5")
    check(tmp_path / "out.h5", array)


def test_idx_of_labels_is_refused(rhohat, tmp_path):
    (tmp_path / "labels").write_bytes(idx_bytes(np.arange(6, dtype="u1"), 0x08))
    line = rhohat.fails(65, "convert", tmp_path / "labels", tmp_path / "out.h5")
    assert "labels" in line and "6 rows" in line
    assert not (tmp_path / "out.h5").exists()


def test_formats_are_told_by_content_and_not_by_name(rhohat, tmp_path, random):
    array = array_of(random, (9, 4), "<f4")
    np.save(tmp_path / "rows.npy", array)
    (tmp_path / "rows.npy").rename(tmp_path / "rows.csv")
    layouts.write(tmp_path / "rows.bin", array)
    for name in ("rows.csv", "rows.bin"):
        rhohat.ok("convert", tmp_path / name, tmp_path / "out.h5", "--force")
        check(tmp_path / "out.h5", array)
    line = rhohat.fails(65, "convert", tmp_path / "rows.bin", tmp_path / "no.h5", "--format", "npy")
    assert "rows.bin" in line


def test_what_it_prints(rhohat, tmp_path, random):
    np.save(tmp_path / "in.npy", array_of(random, (50, 6), ">i2"))
    result = rhohat.ok("convert", tmp_path / "in.npy", tmp_path / "out.h5")
    words = [line.split() for line in result.stdout.splitlines()]
    assert ["rows", "50"] in words and ["columns", "6"] in words and ["type", "int16"] in words
    assert ["written", "to", f"{tmp_path / 'out.h5'}:/data"] in words


def test_several_inputs_one_below_the_other(rhohat, tmp_path, random):
    parts = [array_of(random, (rows, 6), "<f4") for rows in (5, 1, 40)]
    paths = [tmp_path / f"part{i}.npy" for i in range(len(parts))]
    for path, part in zip(paths, parts):
        np.save(path, part)
    rhohat.ok("convert", *paths, tmp_path / "out.h5")
    check(tmp_path / "out.h5", np.concatenate(parts))


def test_idx_and_npy_together(rhohat, tmp_path, random):
    first, second = array_of(random, (9, 12), "u1"), array_of(random, (4, 3, 4), "u1")
    np.save(tmp_path / "first.npy", first)
    (tmp_path / "second.gz").write_bytes(gzip.compress(idx_bytes(second, 0x08)))
    rhohat.ok("convert", tmp_path / "first.npy", tmp_path / "second.gz", tmp_path / "out.h5")
    check(tmp_path / "out.h5", np.concatenate([first, second.reshape(4, 12)]))


def test_scale_makes_fractions(rhohat, tmp_path):
    pixels = np.arange(256, dtype="u1").reshape(16, 16)
    np.save(tmp_path / "in.npy", pixels)
    for name, scale in (("fraction", "1/255"), ("number", "0.00392156862745098")):
        rhohat.ok("convert", tmp_path / "in.npy", tmp_path / f"{name}.h5", "--scale", scale)
        with h5py.File(tmp_path / f"{name}.h5") as file:
            found = file["data"][:]
        assert found.dtype == np.float32
        assert np.allclose(found, pixels / 255, rtol=1e-7, atol=0)
        assert found.max() == 1


@pytest.mark.parametrize("wanted", ["float32", "float64", "int16", "uint8"])
def test_dtype(rhohat, tmp_path, wanted):
    array = np.arange(200, dtype="<i4").reshape(20, 10)
    np.save(tmp_path / "in.npy", array)
    rhohat.ok("convert", tmp_path / "in.npy", tmp_path / "out.h5", "--dtype", wanted)
    check(tmp_path / "out.h5", array.astype(wanted))


def test_name_and_chunks_of_the_output(rhohat, tmp_path, random):
    array = array_of(random, (50, 6), "<f4")
    np.save(tmp_path / "in.npy", array)
    flags = ["--dataset", "acts", "--chunk-rows", 8]
    rhohat.ok("convert", tmp_path / "in.npy", tmp_path / "out.h5", *flags)
    check(tmp_path / "out.h5", array, "acts")
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["acts"].chunks[0] == 8


def test_output_is_overwritten_only_when_asked(rhohat, tmp_path, random):
    array = array_of(random, (5, 6), "<f4")
    np.save(tmp_path / "in.npy", array)
    out = tmp_path / "out.h5"
    out.write_text("of an earlier run")
    line = rhohat.fails(73, "convert", tmp_path / "in.npy", out)
    assert str(out) in line and "--force" in line
    assert out.read_text() == "of an earlier run"
    rhohat.ok("convert", tmp_path / "in.npy", out, "--force")
    check(out, array)


@pytest.mark.parametrize("kind", ["npy", "idx_packed"])
def test_memory_does_not_grow_with_the_input(rhohat, tmp_path, sanitized, remark, kind):
    peaks = []
    for rows in (8_000, 40_000):
        array = np.arange(rows * 300, dtype="<i4").reshape(rows, 300)
        path = tmp_path / f"in{rows}"
        if kind == "npy":
            with open(path, "wb") as file:
                np.save(file, array)
        else:
            path.write_bytes(gzip.compress(idx_bytes(array, 0x0C), compresslevel=1))
        peaks.append(peak_of(rhohat, "convert", path, tmp_path / f"{rows}.h5"))
        check(tmp_path / f"{rows}.h5", array)
    if sanitized:
        remark("a sanitizer's memory comes on top of the program's: peaks not compared")
    else:
        assert peaks[1] < peaks[0] + 10 * 2**20


DAMAGED = {
    "not_a_known_format": (b"\x7fELF" + bytes(60), "rows"),
    "words": (b"hello, world\n" * 20, "rows"),
    "empty": (b"", "rows"),
    "idx_too_short": (idx_bytes(np.ones((5, 4), "u1"), 0x08)[:-1], "rows"),
    "idx_too_long": (idx_bytes(np.ones((5, 4), "u1"), 0x08) + b"x", "rows"),
    "idx_header_only": (b"\0\0\x08", "rows"),
    "idx_unknown_type": (b"\0\0\x0a\x02" + struct.pack(">2I", 1, 1) + b"x", "rows"),
    "idx_no_rows": (idx_bytes(np.ones((0, 4), "u1"), 0x08), "rows"),
    "idx_of_impossible_size": (b"\0\0\x0e\x04" + struct.pack(">4I", *[2**32 - 1] * 4), "rows"),
    "gzip_cut": (gzip.compress(idx_bytes(np.ones((500, 4), "u1"), 0x08))[:-9], "rows.gz"),
    "gzip_damaged": (gzip.compress(idx_bytes(np.arange(200, dtype="u1").reshape(50, 4), 0x08))[:-8]
                     + b"\0" * 8, "rows.gz"),
}


def test_what_is_known_is_listed(rhohat, tmp_path):
    (tmp_path / "rows").write_bytes(b"\x7fELF" + bytes(60))
    line = rhohat.fails(65, "convert", tmp_path / "rows", tmp_path / "out.h5")
    for name in ("HDF5", ".npy", ".npz", "CSV", "IDX", "PNG", "JPEG", "safetensors", "MATLAB",
                 "--format raw"):
        assert name in line


FOREIGN = {"Zstandard": b"\x28\xb5\x2f\xfd", "bzip2": b"BZh9", "xz": b"\xfd7zXZ", "Parquet": b"PAR1",
           "GIF": b"GIF89a", "TIFF": b"II*\0"}


@pytest.mark.parametrize("name", FOREIGN)
def test_formats_that_are_not_read_are_told_with_the_way_out(rhohat, tmp_path, name):
    (tmp_path / "rows").write_bytes(FOREIGN[name] + bytes(range(60)))
    line = rhohat.fails(65, "convert", tmp_path / "rows", tmp_path / "out.h5")
    assert name in line and ("unpack" in line or "save" in line)


MISPLACED = [["--delimiter", "tab"], ["--header", "yes"], ["--missing", "nan"], ["--color", "rgb"],
             ["--patch", "3x3"], ["--count", 3], ["--seed", 2], ["--array", "x"],
             ["--input-dtype", "uint8"], ["--columns", 3], ["--offset", 3], ["--follow-external"],
             ["--reader", "direct"]]


@pytest.mark.parametrize("flags", MISPLACED, ids=lambda flags: flags[0])
def test_options_of_formats_that_are_not_there_are_refused(rhohat, tmp_path, flags):
    np.save(tmp_path / "in.npy", np.ones((3, 4)))
    line = rhohat.fails(64, "convert", tmp_path / "in.npy", tmp_path / "out.h5", *flags)
    assert flags[0] in line
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_input(rhohat, tmp_path, kind):
    content, name = DAMAGED[kind]
    (tmp_path / name).write_bytes(content)
    line = rhohat.fails(65, "convert", tmp_path / name, tmp_path / "out.h5", alone=False)
    assert name in line
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


NOT_ROWS = {"complex": np.zeros((3, 4), complex), "string": np.zeros((3, 4), "S5"),
            "compound": np.zeros((3, 4), [("a", "f4")]), "object": np.array([[None, 1]]),
            "no_rows": np.zeros((0, 4)), "scalar": np.float32(1), "time": np.zeros((3, 4), "M8[s]")}


@pytest.mark.parametrize("kind", NOT_ROWS)
def test_npy_that_is_not_rows_of_numbers(rhohat, tmp_path, kind):
    np.save(tmp_path / "in.npy", NOT_ROWS[kind])
    line = rhohat.fails(65, "convert", tmp_path / "in.npy", tmp_path / "out.h5")
    assert "in.npy" in line
    assert not (tmp_path / "out.h5").exists()


def test_npy_cut_short(rhohat, tmp_path):
    np.save(tmp_path / "in.npy", np.ones((30, 4)))
    content = (tmp_path / "in.npy").read_bytes()
    for keep in (5, 60, len(content) - 1):
        (tmp_path / "in.npy").write_bytes(content[:keep])
        assert "in.npy" in rhohat.fails(65, "convert", tmp_path / "in.npy", tmp_path / "out.h5",
                                        alone=False)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["in.npy"]


def test_inputs_of_different_width(rhohat, tmp_path):
    np.save(tmp_path / "first.npy", np.ones((3, 4)))
    np.save(tmp_path / "second.npy", np.ones((3, 5)))
    line = rhohat.fails(65, "convert", tmp_path / "first.npy", tmp_path / "second.npy",
                        tmp_path / "out.h5")
    assert "second.npy" in line and "4" in line and "5" in line
    assert not (tmp_path / "out.h5").exists()


def test_missing_input(rhohat, tmp_path):
    line = rhohat.fails(66, "convert", tmp_path / "absent.npy", tmp_path / "out.h5")
    assert "absent.npy" in line
    assert not (tmp_path / "out.h5").exists()


def test_value_that_does_not_fit_the_type(rhohat, tmp_path):
    np.save(tmp_path / "in.npy", np.full((3, 4), 300, "<i4"))
    line = rhohat.fails(65, "convert", tmp_path / "in.npy", tmp_path / "out.h5", "--dtype", "uint8",
                        alone=False)
    assert "in.npy" in line and "300" in line
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("threads", [-1, 5000, 100000])
def test_threads_are_bounded(rhohat, tmp_path, threads):
    np.save(tmp_path / "in.npy", np.ones((3, 2), "float32"))
    line = rhohat.fails(64, "convert", tmp_path / "in.npy", tmp_path / "out.h5", "--threads", threads)
    assert "threads" in line
    assert not (tmp_path / "out.h5").exists()


def test_raw_from_the_first_byte(rhohat, tmp_path):
    (tmp_path / "in.bin").write_bytes(bytes(range(6)))
    rhohat.ok("convert", tmp_path / "in.bin", tmp_path / "out.h5", "--format", "raw", "--columns", 3,
              "--input-dtype", "uint8", "--offset", 0)
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["data"][:].tolist() == [[0, 1, 2], [3, 4, 5]]
