"""A budget that is too small is refused with the least one that works, and that one does work."""

import pytest

import layouts
from program import leftovers, sizes_in

pytestmark = pytest.mark.fast

CASES = {
    "small": (200, 12, 5, {}, []),
    "wide": (300, 900, 400, {}, []),
    "wide_float64": (300, 900, 400, {}, ["--precision", "float64"]),
    "large_chunks": (4000, 300, 5, {"chunks": (4000, 300), "compression": "gzip"}, []),
    "many_threads": (4000, 300, 5, {"chunks": (100, 300)}, ["--threads", 8]),
}


@pytest.mark.parametrize("case", CASES)
def test_least_budget(rhohat, tmp_path, random, case):
    rows, columns, hidden, options, flags = CASES[case]
    array = layouts.values(random, rows, columns=columns)
    data = layouts.write(tmp_path / "rows.h5", array, **options)
    flags = [*flags, "--hidden", hidden]
    training = ["train", data, *flags, "--iterations", 1, "--run", tmp_path / "run"]
    line = rhohat.fails(64, *training, "--memory", "1M")
    assert leftovers(tmp_path) == []
    assert rhohat.fails(64, "plan", data, *flags, "--memory", "1M").count("\n") == 0
    text, least = max(sizes_in(line.split("at least")[1].split(";")[0]), key=lambda size: size[1])
    # The named budget works as it is written, and not much less would have.
    rhohat.ok("plan", data, *flags, "--memory", text)
    rhohat.fails(64, "plan", data, *flags, "--memory", int(least * 0.95))
    rhohat.ok(*training, "--memory", text)
