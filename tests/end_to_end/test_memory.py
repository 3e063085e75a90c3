"""Out of core: data more than eight times the budget, the same bits, no more memory than asked for.

The largest resident set is taken from the operating system as well as from the run's own metrics.
Where a memory control group can be made, the program also runs inside one that holds it to the
budget, page cache included; where none can be made the summary says so and the rest is tested all
the same.
"""

import contextlib
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

import oracle
from program import OBJECTIVE_FLAGS, leftovers, peak_of, read_metrics
from runs import metric_lines

pytestmark = [pytest.mark.slow, pytest.mark.disk]

BUDGET = 192 * 2**20
COLUMNS = 784
ROWS = 8 * BUDGET // (4 * COLUMNS) + 1000
LAYOUTS = {"contiguous": {}, "chunked": {"chunks": (1000, COLUMNS)},
           "columns_cut": {"chunks": (4096, 200)}}


@pytest.fixture(scope="module", params=LAYOUTS)
def large_data(request, tmp_path_factory):
    path = write_rows(tmp_path_factory.mktemp("large") / "rows.h5", ROWS,
                      **LAYOUTS[request.param])
    assert path.stat().st_size > 8 * BUDGET
    yield path
    path.unlink()  # straight after, since it is large


def write_rows(path, rows, **layout):
    """Piece by piece, so that this process stays small too."""
    tile = np.random.default_rng(5).uniform(0, 1, size=(5000, COLUMNS)).astype("float32")
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", (rows, COLUMNS), "float32", **layout)
        for begin in range(0, rows, len(tile)):
            count = min(len(tile), rows - begin)
            data[begin : begin + count] = tile[:count] * (1 - begin / (2 * rows))
    return path


def train(rhohat, data, run, *flags, cgroup=None, kill_after=0):
    """Trains; returns the peak resident set in bytes that the system saw, None if it was killed."""
    peak = peak_of(rhohat, "train", data, "--hidden", 16, "--optimizer", "lbfgs", "--schedule",
                   "fused", "--iterations", 2, *OBJECTIVE_FLAGS, "--run", run, *flags,
                   cgroup=cgroup, kill_after=kill_after)
    if peak is None:
        return None
    assert leftovers(run) == [run / "model.safetensors"]
    return peak


def tensor_bits(run):
    tensors, _ = oracle.read_safetensors(run / "model.safetensors")
    return {name: values.tobytes() for name, values in tensors.items()}


@contextlib.contextmanager
def memory_cgroup(limit):
    """A control group of this much memory, as (folder, name), or (None, why there is none)."""
    name = f"rhohat-test-{os.getpid()}"
    reasons = []
    for root, limit_file, kind in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "v1"),
                                   ("/sys/fs/cgroup", "memory.max", "v2")):
        folder = Path(root) / name
        try:
            folder.mkdir()
        except OSError as reason:
            reasons.append(f"{kind}: {reason}")
            continue
        try:
            (folder / limit_file).write_text(str(limit))
        except OSError as reason:
            reasons.append(f"{kind}: {reason}")
            folder.rmdir()
            continue
        try:
            yield folder, f"memory cgroup {kind}"
        finally:
            folder.rmdir()
        return
    yield None, "; ".join(reasons)


def test_larger_than_memory(rhohat, tmp_path, large_data, sanitized, remark):
    train(rhohat, large_data, tmp_path / "unlimited", "--memory", "8G")
    peak = train(rhohat, large_data, tmp_path / "limited", "--memory", "192M")
    own_peak = max(line["peak_rss_bytes"] for line in read_metrics(tmp_path / "limited"))
    if sanitized:
        remark("a sanitizer's memory comes on top of the program's: peaks not compared")
    else:
        assert peak < BUDGET
        assert own_peak < BUDGET
        # Both look at the same thing, so they must nearly agree.
        assert own_peak == pytest.approx(peak, rel=0.1)
        figures = [figure / 2**20 for figure in (peak, own_peak, BUDGET, large_data.stat().st_size)]
        remark("peak {:.1f} MiB, by its own metrics {:.1f} MiB, of {:.0f} MiB, over {:.0f} MiB of "
               "rows".format(*figures))
    limited, unlimited = (tensor_bits(tmp_path / run) for run in ("limited", "unlimited"))
    assert limited == unlimited
    costs = [[line["cost"] for line in read_metrics(tmp_path / run)]
             for run in ("limited", "unlimited")]
    assert costs[0] == costs[1]
    if sanitized:
        return
    with memory_cgroup(BUDGET) as (cgroup, what):
        if cgroup is None:
            remark(f"no memory cgroup could be made ({what}): tested without")
            return
        train(rhohat, large_data, tmp_path / "inside", "--memory", "192M", cgroup=cgroup)
        remark(f"also inside a {what} of 192 MiB, page cache included")
        # Without --memory the program finds the limit by itself.
        train(rhohat, large_data, tmp_path / "unasked", cgroup=cgroup)
    assert tensor_bits(tmp_path / "inside") == unlimited
    assert tensor_bits(tmp_path / "unasked") == unlimited


def test_killed_in_a_control_group_and_gone_on(rhohat, tmp_path, sanitized, remark):
    """256 MB for 2 GB of rows, and killed every other second: what was read is not read again."""
    with memory_cgroup(256 * 10**6) as (cgroup, what):
        if cgroup is None or sanitized:
            remark(f"not tested in a memory cgroup ({what})")
            return
        data = write_rows(tmp_path / "rows.h5", 2 * 10**9 // (4 * COLUMNS) + 1)
        run = tmp_path / "run"
        flags = ("--resume", "auto", "--checkpoint-every", "0.5s")
        lives, seconds = 1, 2
        while train(rhohat, data, run, *flags, cgroup=cgroup, kill_after=seconds) is None:
            lives += 1
            seconds *= 1.05  # in case the machine is too busy to get anywhere
            assert lives < 100, "it never gets further"
        remark(f"2 GB within a {what} of 256 MB, in {lives} lives")
    train(rhohat, data, tmp_path / "unlimited", "--memory", "8G")
    assert tensor_bits(run) == tensor_bits(tmp_path / "unlimited")
    assert metric_lines(run) == metric_lines(tmp_path / "unlimited")
