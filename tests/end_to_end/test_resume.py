"""A run that is killed, at whatever moment, and started again ends in the bytes of one that was not."""

import signal
import time

import pytest

import layouts
from program import read_metrics

pytestmark = pytest.mark.fast

DEEP = ("--hidden", "24,12,6", "--greedy", "--activation", "tanh", "--decoder", "linear", "--tied",
        "--prepare", "zca:0.1", "--noise", "salt-pepper:0.1", "--gamma", "0.001", "--iterations", 15,
        "--tolerance", 0, "--threads", 1)


@pytest.fixture
def data(tmp_path, random):
    return layouts.write(tmp_path / "rows.h5", layouts.values(random, 3000, columns=30))


def kill_after_lines(rhohat, arguments, run, lines):
    """Starts the run and kills it once so many iterations are noted, or lets it end before."""
    process = rhohat.start(*arguments)
    metrics = run / "metrics.jsonl"
    patience = time.monotonic() + 60
    while process.poll() is None:
        assert time.monotonic() < patience, "no progress within a minute"
        if metrics.exists() and metrics.read_text().count("\n") >= lines:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    process.communicate()


def test_a_killed_run_goes_on_to_the_same_bytes(rhohat, data, tmp_path):
    whole, run = tmp_path / "whole", tmp_path / "run"
    rhohat.ok("train", data, *DEEP, "--run", whole)
    arguments = ("train", data, *DEEP, "--run", run, "--resume", "auto")
    # Within the first layer, soon after it, and within each of the next stages.
    for lines in (3, 17, 24, 40, 55):
        kill_after_lines(rhohat, arguments, run, lines)
    rhohat.ok(*arguments)
    assert (run / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    for field in ("iteration", "stage", "data_passes", "cost"):
        expected = [line[field] for line in read_metrics(whole)]
        assert [line[field] for line in read_metrics(run)] == expected


def test_a_run_at_work_is_not_disturbed(rhohat, data, tmp_path):
    run = tmp_path / "run"
    arguments = ("train", data, "--hidden", 20, "--iterations", 1_000_000, "--tolerance", 0,
                 "--optimizer", "gd", "--threads", 1, "--run", run, "--resume", "auto")
    process = rhohat.start(*arguments)
    try:
        patience = time.monotonic() + 60
        while not (run / "metrics.jsonl").exists() or len(read_metrics(run)) < 2:
            assert time.monotonic() < patience and process.poll() is None
            time.sleep(0.02)
        assert "another process is at work" in rhohat.fails(73, *arguments)
        before = len(read_metrics(run))
        while len(read_metrics(run)) == before:
            assert time.monotonic() < patience and process.poll() is None
            time.sleep(0.02)
    finally:
        process.kill()
        process.communicate()


def test_a_finished_run_is_left_alone(rhohat, data, tmp_path):
    """As a job has it that is submitted once more than was needed."""
    run = tmp_path / "run"
    arguments = ("train", data, "--hidden", 5, "--iterations", 4, "--run", run, "--resume", "auto")
    first = rhohat.ok(*arguments)
    kept = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    again = rhohat.ok(*arguments)
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == kept
    assert "finished already" in again.stderr
    lines = [line for line in first.stdout.splitlines() if not line.startswith(("time", "peak"))]
    assert [line for line in again.stdout.splitlines()
            if not line.startswith(("time", "peak"))] == lines
    assert "another configuration" in rhohat.fails(64, *arguments, "--lambda", 0.5)


def test_a_folder_claimed_by_a_run_that_was_killed_at_once_is_free(rhohat, data, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.jsonl").touch()
    arguments = ("train", data, "--hidden", 5, "--iterations", 1, "--run", run)
    rhohat.fails(73, *arguments)
    rhohat.ok(*arguments, "--resume", "auto")
