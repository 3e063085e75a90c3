"""A signal ends training soon, with the usual code and one clear line, and without half a model."""

import signal
import time

import pytest

import layouts
from program import leftovers, read_metrics

pytestmark = pytest.mark.fast

CODES = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def endless_training(rhohat, tmp_path, random):
    """A training run past its first iteration, which would go on for hours."""
    data = layouts.write(tmp_path / "rows.h5", layouts.values(random, 6000, columns=200))
    process = rhohat.start("train", data, "--hidden", 100, "--iterations", 1_000_000, "--tolerance",
                           0, "--run", tmp_path / "run")
    metrics = tmp_path / "run/metrics.jsonl"
    patience = time.monotonic() + 30
    while not (metrics.exists() and metrics.read_text().count("\n") >= 2):
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < patience, "no iteration within 30 s"
        time.sleep(0.02)
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


def finish(process, within):
    started = time.monotonic()
    _, stderr = process.communicate(timeout=within)
    assert time.monotonic() - started < within
    return stderr.decode()


@pytest.mark.parametrize("number", CODES)
def test_one_signal(tmp_path, endless_training, number):
    endless_training.send_signal(number)
    stderr = finish(endless_training, within=5)
    assert endless_training.returncode == CODES[number], stderr
    last = stderr.splitlines()[-1]
    assert last.startswith("rhohat: ") and "stopped" in last, stderr
    assert stderr.count("stopped") == 1, stderr
    assert leftovers(tmp_path) == []
    # What was reached is still there to look at, line by line.
    assert len(read_metrics(tmp_path / "run")) >= 2
    assert "stopped" in (tmp_path / "run/run.log").read_text()


def test_parameters_reached_are_kept(tmp_path, endless_training):
    endless_training.send_signal(signal.SIGTERM)
    finish(endless_training, within=5)
    assert list((tmp_path / "run/checkpoints").iterdir())


def test_the_same_signal_twice_at_once_is_one(tmp_path, endless_training):
    """timeout(1) and batch systems signal the process and its group within a moment."""
    for _ in range(2):
        endless_training.send_signal(signal.SIGTERM)
    stderr = finish(endless_training, within=5)
    assert endless_training.returncode == 143, stderr
    assert leftovers(tmp_path) == []


def test_a_second_signal_never_leaves_half_a_file(tmp_path, endless_training):
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
        if endless_training.poll() is None:
            endless_training.send_signal(number)
        time.sleep(0.6)
    finish(endless_training, within=5)
    assert endless_training.returncode in (130, 143)
    assert leftovers(tmp_path) == []
