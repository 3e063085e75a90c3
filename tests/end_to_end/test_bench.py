"""rhohat bench: no time is asserted, only that its figures fit each other and the data."""

import json

import numpy as np
import pytest

import layouts

pytestmark = pytest.mark.fast

ROWS = 3000
COLUMNS = 24
SCHEDULES = ["two-pass", "cached", "fused"]
QUICK = ["--seconds", "0.3", "--threads", "2"]


@pytest.fixture
def data(tmp_path, random):
    return layouts.write(tmp_path / "rows.h5", layouts.values(random, ROWS, columns=COLUMNS))


def bench(rhohat, *arguments):
    return json.loads(rhohat.ok("bench", *arguments, *QUICK, "--json").stdout)


def check_schedule(schedule, result):
    ceilings = {name: value for name, value in schedule["ceilings"].items() if value is not None}
    assert set(ceilings) <= {"products", "reading", "memory"}
    smallest = min(ceilings.values())
    assert ceilings[schedule["bound_by"]] == smallest
    rate = schedule["rows_per_second"]
    assert schedule["fraction"] == pytest.approx(rate / smallest)
    assert 0 < schedule["fraction_least"] <= schedule["fraction_most"]
    assert schedule["nominal_flops_per_second"] == \
        pytest.approx(rate * schedule["nominal_flops_per_row"])
    assert schedule["flops_per_second"] == pytest.approx(rate * schedule["flops_per_row"])
    assert 0 <= schedule["wait_seconds"]
    assert 0 < schedule["seconds"] < result["seconds"]


def measured(result):
    return {schedule["schedule"]: schedule for schedule in result["schedules"]
            if "refused" not in schedule}


def test_figures_of_a_file_fit_each_other(rhohat, data):
    result = bench(rhohat, data, "--hidden", 8)
    assert result["source"] == f"{data}:/data"
    assert (result["rows_in_data"], result["columns"]) == (ROWS, COLUMNS)
    assert 0 < result["rows"] <= ROWS
    assert result["threads"] == 2 and result["threads_against_one"] > 0
    assert result["rounds"] >= 1
    schedules = measured(result)
    assert list(schedules) == SCHEDULES
    for schedule in schedules.values():
        check_schedule(schedule, result)
        assert schedule["nominal_flops_per_row"] == 12 * COLUMNS * 8
    assert schedules["fused"]["reads_per_row"] == pytest.approx(1)
    assert schedules["two-pass"]["reads_per_row"] == pytest.approx(2)
    assert schedules["two-pass"]["flops_per_row"] == 12 * COLUMNS * 8
    assert schedules["cached"]["flops_per_row"] == 10 * COLUMNS * 8
    assert schedules["cached"]["reads_per_row"] == 0
    assert schedules["cached"]["ceilings"]["reading"] is None


def test_rows_are_made_up_where_there_are_none(rhohat, tmp_path):
    result = json.loads(rhohat.ok("bench", "--inputs", 12, "--hidden", "5,3", *QUICK, "--json",
                                  environment={"TMPDIR": str(tmp_path)}).stdout)
    assert result["columns"] == 12
    assert result["source"].startswith("random numbers")
    assert list(tmp_path.iterdir()) == [], "the temporary file is still there"
    assert list(measured(result)) == ["two-pass", "cached"]
    refused = [schedule for schedule in result["schedules"] if "refused" in schedule]
    assert [schedule["schedule"] for schedule in refused] == ["fused"]
    assert "sparsity" in refused[0]["refused"]


def test_one_pass_does_less(rhohat, data):
    for name, schedule in measured(bench(rhohat, data, "--hidden", 8, "--beta", 0)).items():
        assert schedule["flops_per_row"] == 10 * COLUMNS * 8
        assert schedule["reads_per_row"] == pytest.approx(0 if name == "cached" else 1)


def test_one_schedule_in_float64(rhohat, data):
    result = bench(rhohat, data, "--hidden", 8, "--schedule", "two-pass", "--precision", "float64")
    assert result["precision"] == "float64"
    assert list(measured(result)) == ["two-pass"]
    rows_and_levels = 2 * COLUMNS + 2 * (8 + 8 + COLUMNS + 8)
    assert measured(result)["two-pass"]["bytes_per_row"] == 8 * rows_and_levels


def test_table_names_each_schedule_and_what_binds(rhohat, data):
    text = rhohat.ok("bench", data, "--hidden", 8, *QUICK).stdout
    for name in SCHEDULES:
        assert f"\n{name} " in text
    assert "threads against one" in text
    assert "of the ceiling that binds" in text


@pytest.mark.parametrize("arguments, named", [
    (["--seconds", "0"], "--seconds"),
    (["--seconds", "-1"], "--seconds"),
    (["--seconds", "soon"], "--seconds"),
    (["--inputs", "0"], "--inputs"),
    (["--hidden", "0"], "--hidden"),
    (["--beta", "-1"], "--beta"),
    (["--run", "folder"], "--run"),
    (["--memory", "1M"], "memory"),
])
def test_bad_usage_is_named(rhohat, arguments, named):
    assert named in rhohat.fails(64, "bench", *arguments, alone=False)


def test_width_is_the_files_own(rhohat, data):
    assert "--inputs" in rhohat.fails(64, "bench", data, "--inputs", 5)


def test_data_that_is_not_there(rhohat, tmp_path):
    rhohat.fails(66, "bench", tmp_path / "none.h5")
    (tmp_path / "bad.h5").write_bytes(b"nothing of the kind")
    rhohat.fails(65, "bench", tmp_path / "bad.h5")


def test_bad_rows_are_named(rhohat, tmp_path, random):
    rows = layouts.values(random, ROWS, columns=COLUMNS)
    rows[7, 3] = np.nan
    data = layouts.write(tmp_path / "rows.h5", rows)
    assert "row 7" in rhohat.fails(65, "bench", data, "--hidden", 8, *QUICK, alone=False)
