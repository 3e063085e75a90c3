"""Inputs much larger than the budget: convert stays within it, however their rows lie.

The inputs are mostly holes, or gzip's short word for a long run, so that they are made in a moment
and read as if they were there.
"""

import gzip

import h5py
import numpy as np
import pytest

from program import peak_of

pytestmark = [pytest.mark.slow, pytest.mark.disk]

BUDGET = 128 * 2**20
COLUMNS = 500
ROWS = 600 * 2**20 // (4 * COLUMNS)
MARKS = {0: 1.5, ROWS // 3: -2.25, ROWS - 1: 0.125}  # rows that are not all zeros


def npy(folder, order):
    array = np.lib.format.open_memmap(folder / "rows.npy", "w+", "<f4", (ROWS, COLUMNS),
                                      fortran_order=order == "F")
    for row, value in MARKS.items():
        array[row] = value
    array.flush()
    return [folder / "rows.npy"]


def packed(folder, order):
    """A gzipped .npy: in Fortran order it has to be put down on disk and read again."""
    column = np.zeros(ROWS, "<f4")
    for row, value in MARKS.items():
        column[row] = value
    with gzip.open(folder / "rows.npy.gz", "wb", compresslevel=1) as file:
        header = {"descr": "<f4", "fortran_order": order == "F", "shape": (ROWS, COLUMNS)}
        np.lib.format.write_array_header_1_0(file, header)
        for i in range(COLUMNS):
            if order == "F":
                file.write(column.tobytes())
            else:
                part = column[i * ROWS // COLUMNS : (i + 1) * ROWS // COLUMNS]
                file.write(np.repeat(part, COLUMNS).tobytes())
    return [folder / "rows.npy.gz"]


def raw(folder):
    with open(folder / "rows.bin", "wb") as file:
        file.truncate(4 * COLUMNS * ROWS)
        for row, value in MARKS.items():
            file.seek(4 * COLUMNS * row)
            file.write(np.full(COLUMNS, value, "<f4").tobytes())
    return [folder / "rows.bin", "--format", "raw", "--input-dtype", "float32", "--columns",
            COLUMNS]


def text(folder):
    """Rows of text as long as those of numbers."""
    def line(value):
        return (",".join([f"{value:.1f}" if value == 0 else f"{value}"] * COLUMNS) + "\n").encode()

    zeros = line(0) * 1000
    with open(folder / "rows.csv", "wb") as file:
        row = 0
        while row < ROWS:
            if row in MARKS:
                file.write(line(MARKS[row]))
                row += 1
                continue
            count = min([1000, ROWS - row, *(mark - row for mark in MARKS if mark > row)])
            file.write(zeros[: count * len(line(0))])
            row += count
    assert (folder / "rows.csv").stat().st_size > 550 * 2**20
    return [folder / "rows.csv", "--dtype", "float32"]


def hdf5(folder, **options):
    with h5py.File(folder / "rows.h5", "w") as file:
        data = file.create_dataset("data", (ROWS, COLUMNS), "<f4", **options)
        for row, value in MARKS.items():
            data[row] = value
    return [folder / "rows.h5"]


INPUTS = {"npy": lambda folder: npy(folder, "C"), "npy_fortran": lambda folder: npy(folder, "F"),
          "npy_packed": lambda folder: packed(folder, "C"),
          "npy_fortran_packed": lambda folder: packed(folder, "F"),
          "raw": raw, "csv": text, "hdf5": hdf5,
          "hdf5_columns_cut": lambda folder: hdf5(folder, chunks=(4096, 100), compression="gzip"),
          "several": lambda folder: npy(folder, "C")}


@pytest.mark.parametrize("kind", INPUTS)
def test_input_larger_than_the_budget(rhohat, tmp_path, sanitized, remark, kind):
    path, *flags = INPUTS[kind](tmp_path)
    times, out = 3 if kind == "several" else 1, tmp_path / "out.h5"
    peak = peak_of(rhohat, "convert", *[path] * times, out, *flags, "--memory", "128M",
                   "--compress", "lz4")
    path.unlink()
    if sanitized:
        remark("a sanitizer's memory comes on top of the program's: peaks not compared")
    else:
        remark(f"{kind}: peak {peak / 2**20:.1f} MiB of {BUDGET / 2**20:.0f} MiB")
        assert peak < BUDGET
    check_marks(rhohat, out, tmp_path, times)


def check_marks(rhohat, out, folder, times):
    """All zeros but for the rows that are not, which h5py reads of an output it can read."""
    readable = folder / "readable.h5"
    rhohat.ok("convert", out, readable, "--compress", "gzip:1", "--memory", "512M", timeout=300)
    with h5py.File(readable) as file:
        data = file["data"]
        assert data.shape == (times * ROWS, COLUMNS) and data.dtype == "<f4"
        marks = {i * ROWS + row: value for i in range(times) for row, value in MARKS.items()}
        for begin in range(0, len(data), 20_000):
            part = data[begin : begin + 20_000]
            rows = np.flatnonzero((part != 0).any(axis=1)) + begin
            assert rows.tolist() == [row for row in marks if begin <= row < begin + len(part)]
            for row in rows:
                assert (part[row - begin] == marks[row]).all()
