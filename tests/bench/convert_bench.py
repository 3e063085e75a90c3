#!/usr/bin/env python3
"""How fast `rhohat convert` is, as ratios measured in one run, each pair in turn.

    tests/bench/convert_bench.py PROGRAM [FOLDER]

A .npy file becomes HDF5 against a copy of it by `cp`, both with and without waiting for the disk
(convert always does); CSV against numpy.loadtxt. FOLDER should be on a disk, with 3 GB to spare.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

REPEATS = 5


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def compare(name, ours, theirs):
    ratios = []
    for _ in range(REPEATS):
        other = seconds(theirs)
        ratios.append(other / seconds(ours))
    print(f"{name:<44} {statistics.median(ratios):6.2f} (from {min(ratios):.2f} to "
          f"{max(ratios):.2f})", flush=True)


def npy_against_cp(program, folder):
    source, copy, output = folder / "in.npy", folder / "copy.npy", folder / "out.h5"
    rows = np.random.default_rng(1).random((1_000_000, 256), np.float32)
    np.save(source, rows)
    del rows
    sync(source)

    def fresh(work):
        def do():
            for path in (copy, output):
                path.unlink(missing_ok=True)
            work()
        return do

    def convert(*flags):
        return fresh(lambda: run(program, "convert", source, output, *flags))

    def copy_and_sync():
        run("cp", source, copy)
        sync(copy)

    plain_copy = fresh(lambda: run("cp", source, copy))
    compare("convert .npy: rate over cp + fsync", convert(), fresh(copy_and_sync))
    compare("convert .npy: rate over cp", convert(), plain_copy)
    compare("  without checksums: rate over cp", convert("--checksum", "off"), plain_copy)
    for path in (source, copy, output):
        path.unlink(missing_ok=True)


def csv_against_loadtxt(program, folder):
    source, output = folder / "in.csv", folder / "out.h5"
    for name, form in (("%.6g", "%.6g"), ("%.17g", "%.17g"), ("%d", "%d")):
        values = np.random.default_rng(2).random((100_000, 50)) * 1000
        np.savetxt(source, values, fmt=form, delimiter=",")
        compare(f"convert CSV of {name}: rate over numpy.loadtxt",
                lambda: run(program, "convert", source, output, "--force"),
                lambda: np.loadtxt(source, delimiter=","))


def main():
    program = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
        npy_against_cp(program, Path(name))
        csv_against_loadtxt(program, Path(name))


if __name__ == "__main__":
    main()
