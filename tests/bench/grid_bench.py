#!/usr/bin/env python3
"""What four 64-25 models of a grid cost over one, in time, where reading is what takes it.

    tests/bench/grid_bench.py PROGRAM [FOLDER] [--disk MB_PER_SECOND]

Trains with L-BFGS over all rows, one model and four in turn, and prints the ratio of the times. A
control group holds less memory than the data takes, the pages of files included, so that each pass
reads it from the disk of FOLDER anew; another one lets that disk give no more than so many MB/s,
200 if not told, which is what a hard disk or a share of a network file system gives, and 0 for as
much as it does. Making control groups takes root. FOLDER should have 1 GB to spare.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROWS = 3_000_000
REPEATS = 3
MEBIBYTE = 1 << 20
GROUP_BYTES = 256 * MEBIBYTE
GRID = ("--grid", "rho=0.05,0.1", "--grid", "beta=1,3")
ROOT = Path("/sys/fs/cgroup")


def limits(folder, bytes_per_second):
    """Where each version of control groups has the two limits, as (root, file, what goes in)."""
    device = os.stat(folder).st_dev
    disk = f"{os.major(device)}:{os.minor(device)}"
    first = [(ROOT / "memory", "memory.limit_in_bytes", str(GROUP_BYTES))]
    second = [(ROOT, "memory.max", str(GROUP_BYTES))]
    if bytes_per_second:
        first.append((ROOT / "blkio", "blkio.throttle.read_bps_device",
                      f"{disk} {bytes_per_second}"))
        second.append((ROOT, "io.max", f"{disk} rbps={bytes_per_second}"))
    return first if (ROOT / "memory/memory.limit_in_bytes").exists() else second


@contextlib.contextmanager
def control_groups(folder, bytes_per_second):
    """Folders of groups with these limits."""
    made = []
    try:
        for root, name, value in limits(folder, bytes_per_second):
            group = root / f"rhohat-bench-{os.getpid()}"
            if group not in made:
                group.mkdir()
                made.append(group)
            (group / name).write_text(value)
        yield made
    finally:
        for group in made:
            group.rmdir()


def forget(path):
    """Takes the file out of the memory that the system keeps files in."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def train_seconds(program, data, run, groups, *flags):
    def enter():
        for group in groups:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    command = [program, "train", data, "--hidden", "25", "--optimizer", "lbfgs", "--iterations", "3",
               "--tolerance", "0", "--memory", "150M", "--run", run, *flags]
    forget(data)
    start = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, preexec_fn=enter,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    metrics = next(run.rglob("metrics.jsonl")).read_text().splitlines()[-1]
    return seconds, 100 * json.loads(metrics)["compute_fraction"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--disk", type=int, default=200)
    given = parser.parse_args()
    program = given.program.resolve()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        data = folder / "rows.h5"
        subprocess.run([program, "synth", data, "--rows", str(ROWS), "--patch", "8x8"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times = {"one model": [], "four models": []}
        with control_groups(folder, given.disk * 1_000_000) as groups:
            for repeat in range(REPEATS):
                for name, flags in (("one model", ()), ("four models", GRID)):
                    run = folder / f"{name}-{repeat}"
                    seconds, computing = train_seconds(program, data, run, groups, *flags)
                    times[name].append(seconds)
                    print(f"{name}: {seconds:.1f} s, {computing:.0f} % of it computing", flush=True)
        ratio = statistics.median(times["four models"]) / statistics.median(times["one model"])
        disk = f"{given.disk} MB/s" if given.disk else "no limit"
        print(f"four models over one: {ratio:.2f} times (disk: {disk}; {os.cpu_count()} processors)")


if __name__ == "__main__":
    main()
