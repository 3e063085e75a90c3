"""`rhohat status` of runs in every state they can be in, while others write."""

import json
import signal

import pytest

import layouts
from program import PATIENCE
from runs import wait_for_lines

pytestmark = pytest.mark.fast


@pytest.fixture
def data(tmp_path, random):
    return layouts.write(tmp_path / "rows.h5", layouts.values(random, 3000, columns=30))


@pytest.fixture
def started(rhohat, data, tmp_path):
    """A run past its first iterations, which would go on for hours, and its folder."""
    run = tmp_path / "run"
    process = rhohat.start("train", data, "--hidden", 20, "--iterations", 1_000_000, "--tolerance",
                           0, "--optimizer", "gd", "--threads", 1, "--run", run)
    wait_for_lines(process, run, 3)
    yield process, run
    if process.poll() is None:
        process.kill()
    process.communicate()


def status(rhohat, *runs):
    lines = rhohat.ok("status", "--json", *runs).stdout.splitlines()
    return [json.loads(line) for line in lines]


def test_a_run_from_start_to_kill(rhohat, started):
    process, run = started
    iterations = []
    for _ in range(30):  # while lines are being written
        [found] = status(rhohat, run)
        assert (found["state"], found["process"]) == ("running", process.pid)
        assert found["last_iteration"] == 1_000_000 and not found["stalled"]
        iterations.append(found["iteration"])
    wait_for_lines(process, run, iterations[-1] + 2)
    [found] = status(rhohat, run)
    assert found["iteration"] > iterations[-1] and iterations == sorted(iterations)
    assert found["seconds_left"] > 0 and found["cost"] > 0
    process.kill()
    process.communicate()
    [found] = status(rhohat, run)
    assert (found["state"], found["process"]) == ("interrupted", process.pid)
    assert f"rhohat train --resume {run}" in rhohat.ok("status", run).stdout


def test_a_run_that_was_asked_to_stop(rhohat, started):
    process, run = started
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 75
    [found] = status(rhohat, run)
    assert (found["state"], found["process"]) == ("stopped", None)
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert found["iteration"] == found["checkpoint"]["iteration"] == last["iteration"]
    assert (run / found["checkpoint"]["file"]).exists()


def test_finished_runs_in_a_table(rhohat, data, tmp_path):
    runs = [tmp_path / name for name in ("one", "two")]
    for run in runs:
        rhohat.ok("train", data, "--hidden", 5, "--iterations", 2, "--run", run)
    head, *lines = rhohat.ok("status", *runs).stdout.splitlines()
    assert head.split()[0] == "state"
    assert [line.split()[0] for line in lines] == ["finished", "finished"]
    assert [line.split()[-1] for line in lines] == [str(run) for run in runs]
    assert [found["state"] for found in status(rhohat, *runs)] == ["finished", "finished"]


def test_every_folder_that_is_no_run_is_named(rhohat, data, tmp_path):
    run, absent = tmp_path / "run", tmp_path / "absent"
    rhohat.ok("train", data, "--hidden", 5, "--iterations", 1, "--run", run)
    result = rhohat("status", run, absent, data, tmp_path)
    assert result.code == 66 and str(run) in result.stdout
    for path in (absent, data, tmp_path):
        assert f"{path}: " in result.error(), path


def test_what_is_no_run_is_no_input(rhohat, tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        assert str(path) in rhohat.fails(66, "status", path)
    rhohat.fails(64, "status")
