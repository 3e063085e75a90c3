"""How many times faster than numpy.loadtxt a CSV file is read: csv_bench.py PROGRAM, where PROGRAM is
the built csv_bench. Prints ratios measured in one run, medians of three; never passes or fails."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

ROWS = 200_000
COLUMNS = 50
REPEATS = 3


def loadtxt_seconds(path):
    start = time.perf_counter()
    values = numpy.loadtxt(path, delimiter=",")
    return time.perf_counter() - start, values.sum()


def program_seconds(program, path):
    found = subprocess.run([program, path], capture_output=True, text=True, check=True).stdout.split()
    opening, fetching, unpacking, total = map(float, found[2:])
    return opening, fetching, unpacking, total


def main():
    values = numpy.random.default_rng(1).standard_normal((ROWS, COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        for format_ in ("%.6g", "%.17g", "%d"):
            path = os.path.join(folder, "data.csv")
            scaled = values * 1000 if format_ == "%d" else values
            numpy.savetxt(path, scaled, fmt=format_, delimiter=",")
            ratios = []
            for _ in range(REPEATS):
                loadtxt, expected = loadtxt_seconds(path)
                opening, fetching, unpacking, total = program_seconds(sys.argv[1], path)
                assert numpy.isclose(total, expected)
                # Fetching and unpacking go on at the same time, on two threads.
                ratios.append((loadtxt / (opening + max(fetching, unpacking)),
                               loadtxt / (opening + fetching + unpacking)))
            pipelined, serial = (statistics.median(column) for column in zip(*ratios))
            print(f"{ROWS} × {COLUMNS} of {format_}: {pipelined:.1f} times loadtxt with one thread "
                  f"to parse, {serial:.1f} times all on one thread")


if __name__ == "__main__":
    main()
