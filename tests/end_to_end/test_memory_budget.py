"""A budget that is too small is refused with the least that works; that one works, and is kept to.

The largest resident set is compared with the least budget, where a plan that forgot something shows
first.
"""

import json
import re

import pytest

import layouts
from program import leftovers, peak_of, read_metrics

# rows, columns, hidden units, how the rows are stored, flags
CASES = {
    "small": (200, 12, 5, {}, []),
    "many_columns": (9000, 900, 300, {}, []),
    "float64": (3000, 900, 300, {}, ["--precision", "float64"]),
    "one_large_chunk": (9000, 300, 5, {"chunks": (9000, 300), "compression": "gzip"}, []),
    "many_tiny_chunks": (2048, 784, 5, {"chunks": (1, 8)}, []),
    "columns_cut": (9000, 900, 40, {"chunks": (3000, 100)}, []),
    "many_threads": (40000, 300, 5, {"chunks": (100, 300)}, ["--threads", 8]),
    "long_history": (500, 900, 300, {}, ["--history", 60]),
}
FAST_CASES = ("small", "one_large_chunk", "columns_cut", "long_history")


@pytest.mark.parametrize("case", [
    pytest.param(case, marks=pytest.mark.fast if case in FAST_CASES else pytest.mark.slow)
    for case in CASES])
def test_least_budget(rhohat, tmp_path, random, sanitized, remark, case):
    rows, columns, hidden, storage, flags = CASES[case]
    array = layouts.values(random, min(rows, 1000), columns=columns)
    array = array.repeat(-(-rows // len(array)), axis=0)[:rows]
    data = layouts.write(tmp_path / "rows.h5", array, **storage)
    flags = [*flags, "--hidden", hidden]
    training = ["train", data, *flags, "--iterations", 2, "--run", tmp_path / "run"]
    line = rhohat.fails(64, *training, "--memory", "1M")
    assert leftovers(tmp_path) == []
    assert rhohat.fails(64, "plan", data, *flags, "--memory", "1M") == line
    found = re.search(r"at least (\d+)M ", line)
    assert found, line
    least = int(found[1])
    rhohat.fails(64, "plan", data, *flags, "--memory", f"{least - 1}M")
    rhohat.ok("plan", data, *flags, "--memory", f"{least}M", "--measure", "off")
    peak = peak_of(rhohat, *training, "--memory", f"{least}M")
    if sanitized:
        remark("a sanitizer's memory comes on top of the program's: peaks not compared")
    else:
        assert peak <= least * 2**20, f"{peak / 2**20:.1f} MiB of {least} MiB"


GZIP = {"chunks": (2000, 400), "compression": "gzip"}
PREPARED = ["--prepare", "standardize"]


@pytest.mark.parametrize("storage, flags", [
    pytest.param({}, [], id="flat-plain", marks=pytest.mark.fast),
    pytest.param({}, PREPARED, id="flat-prepared", marks=pytest.mark.slow),
    pytest.param(GZIP, [], id="gzip-plain", marks=pytest.mark.slow),
    pytest.param(GZIP, PREPARED, id="gzip-prepared", marks=pytest.mark.slow)])
def test_rows_are_kept_in_what_is_left(rhohat, tmp_path, random, sanitized, storage, flags):
    """The more memory, the less is read, and never more memory than asked for."""
    array = layouts.values(random, 1000, columns=400).repeat(40, axis=0)
    data = layouts.write(tmp_path / "rows.h5", array.astype("f4"), **storage)
    training = [data, "--hidden", 5, "--threads", 2, "--schedule", "cached",
                "--optimizer", "lbfgs", *flags]
    planning = ["plan", *training, "--measure", "off", "--json"]
    least = json.loads(rhohat.ok(*planning).stdout)["least_bytes"] // 2**20
    kept, read, models = [], [], []
    for more in (0, 30, 60, 120):
        run = tmp_path / f"run{more}"
        budget = ["--memory", f"{least + more}M"]
        kept.append(json.loads(rhohat.ok(*planning, *budget).stdout)["kept_rows"])
        peak = peak_of(rhohat, "train", *training, *budget, "--iterations", 2, "--run", run)
        assert sanitized or peak <= (least + more) * 2**20
        read.append(read_metrics(run)[-1]["bytes_read"])
        models.append((run / "model.safetensors").read_bytes())
    assert kept[0] == 0 and kept[-1] == len(array)
    assert kept == sorted(set(kept)), kept
    assert read == sorted(set(read), reverse=True), read
    assert len(set(models)) == 1


@pytest.mark.slow
def test_short_files_in_long_chunks(rhohat, tmp_path, random, sanitized):
    """Files that were made to be appended to: a chunk of each is unpacked, however few its rows."""
    array = layouts.values(random, 10, columns=300)
    files = [layouts.write(tmp_path / f"{number:03}.h5", array, chunks=(1000, 300),
                           maxshape=(None, 300), compression="gzip") for number in range(200)]
    training = ["train", *files, "--hidden", 5, "--threads", 2, "--iterations", 1, "--run",
                tmp_path / "run"]
    found = re.search(r"at least (\d+)M ", rhohat.fails(64, *training, "--memory", "100M"))
    assert found
    peak = peak_of(rhohat, *training, "--memory", f"{found[1]}M")
    assert sanitized or peak <= int(found[1]) * 2**20


@pytest.mark.fast
def test_info_measures_within_the_budget(rhohat, tmp_path, sanitized):
    data = layouts.write(tmp_path / "rows.h5", layouts.np.zeros((50000, 500), "f4"),
                         chunks=(50000, 500), compression="gzip")
    peak = peak_of(rhohat, "info", data, "--memory", "100M", "--threads", 1)
    assert sanitized or peak <= 100 * 2**20
    assert "cannot be read" in rhohat.ok("info", data, "--memory", "100M", "--threads", 1).stdout


@pytest.mark.fast
def test_sizes_that_come_round_to_nothing(rhohat, tmp_path):
    with layouts.h5py.File(tmp_path / "wide.h5", "w") as file:
        file.create_dataset("rows", (1, 2**57), "f4")
    rhohat.fails(64, "convert", tmp_path / "wide.h5", tmp_path / "out.h5", "--use-columns", 0,
                 "--reader", "library", "--threads", 31)
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_output_in_tiny_chunks(rhohat, tmp_path, sanitized):
    array = layouts.np.zeros((1000000, 1), "u1")
    layouts.np.save(tmp_path / "rows.npy", array)
    peak = peak_of(rhohat, "convert", tmp_path / "rows.npy", tmp_path / "out.h5", "--chunk-rows", 1,
                   "--threads", 2, "--memory", "100M")
    assert sanitized or peak <= 100 * 2**20
