"""A signal, or a time limit, stops training soon, and leaves a checkpoint to go on from.

Exit code 75 says so, or what --stop-code has; a run that had not begun ends as programs do that a
signal ends. Signals come at random times, and at chosen calls: then they arrive at that very
moment, in start-up or in the middle of a checkpoint, on every run of the test. How soon is counted in
iterations: seconds would be the machine's.
"""

import shutil
import signal
import time
from pathlib import Path

import pytest

import layouts
from disk import digest
from faults import calls_of, fault, read_log
from program import leftovers, read_metrics
from runs import (checkpoints, end_of, hidden, interrupted, make_job, wait_for_lines, wait_until)

STOPS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1]
STOPPED = 75
MOMENTS, FEW_MOMENTS = 20, 4


@pytest.fixture
def job(rhohat, tmp_path):
    return make_job(rhohat, tmp_path, "lbfgs_fused", "--iterations", 30)


@pytest.fixture
def long_words(tmp_path, random):
    """A training run that would go on for hours."""
    data = layouts.write(tmp_path / "rows.h5", layouts.values(random, 6000, columns=200))
    return ("train", data, "--hidden", 100, "--iterations", 1_000_000, "--tolerance", 0,
            "--optimizer", "gd", "--threads", 1, "--run", tmp_path / "run")


@pytest.fixture
def endless_training(rhohat, tmp_path, long_words):
    """The same past its first iterations."""
    process = rhohat.start(*long_words)
    wait_for_lines(process, tmp_path / "run")
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def status_of(process, field):
    """What the system says of each thread of the process."""
    for path in Path(f"/proc/{process.pid}/task").glob("*/status"):
        yield path.read_text().split(f"\n{field}:", 1)[1].split(maxsplit=1)[0]


def stand_still(process):
    """Halts all of it: signals sent now arrive together, when it is let go on."""
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: set(status_of(process, "State")) == {"T"}, "it stands still", process)


def check_stop(rhohat, run, data, code, stderr, expected=STOPPED):
    """It stopped, with a checkpoint that is good for something."""
    assert code == expected, stderr
    last = stderr.splitlines()[-1]
    assert last.startswith("rhohat: ") and "stopped" in last and "--resume" in last, stderr
    assert stderr.count("stopped on") <= 1, stderr
    assert leftovers(run) == []
    latest = checkpoints(run)[-1]
    assert latest.name in last or str(run) in last, stderr
    if read_metrics(run):
        rhohat.ok("evaluate", latest, data)
    else:
        assert "no model" in rhohat.fails(65, "evaluate", latest, data)


@pytest.mark.fast
@pytest.mark.parametrize("number", STOPS)
def test_one_signal(rhohat, tmp_path, endless_training, number):
    stand_still(endless_training)
    before = len(read_metrics(tmp_path / "run"))
    endless_training.send_signal(number)
    endless_training.send_signal(signal.SIGCONT)
    code, stderr = end_of(endless_training)
    check_stop(rhohat, tmp_path / "run", tmp_path / "rows.h5", code, stderr)
    # Not after more than what was as good as done; and that is still there to look at, line by line.
    assert before <= len(read_metrics(tmp_path / "run")) <= before + 1
    assert "stopped" in (tmp_path / "run/run.log").read_text()


@pytest.mark.fast
@pytest.mark.parametrize("way", ["moved", "removed", "replaced"])
def test_a_folder_that_is_not_there_any_more(rhohat, tmp_path, endless_training, way):
    """Nothing is made anew under its name, and nobody is told to go on there."""
    run, moved = tmp_path / "run", tmp_path / "moved"
    run.rename(moved)
    if way == "removed":
        shutil.rmtree(moved)
    if way == "replaced":
        run.mkdir()
    endless_training.send_signal(signal.SIGINT)
    code, stderr = end_of(endless_training)
    assert code == 74, stderr
    last = stderr.splitlines()[-1]
    assert f"{run}: is no longer the folder" in last and "go on with" not in last
    assert list(run.iterdir()) == [] if way == "replaced" else not run.exists()
    if way != "removed":
        assert "no longer the folder" in (moved / "run.log").read_text()
        assert checkpoints(moved) == []


@pytest.mark.fast
def test_the_exit_code_of_a_stop_is_chosen(rhohat, tmp_path, long_words):
    for number, code in enumerate((0, 3, 99)):
        run = tmp_path / f"run{number}"
        words = (*long_words[:-1], run, "--stop-code", code)
        process = rhohat.start(*words)
        wait_for_lines(process, run, 1)
        process.send_signal(signal.SIGUSR1)
        found, stderr = end_of(process)
        check_stop(rhohat, run, tmp_path / "rows.h5", found, stderr, code)


@pytest.mark.parametrize("moments", [
    pytest.param(FEW_MOMENTS, marks=pytest.mark.fast),
    pytest.param(MOMENTS, marks=pytest.mark.slow)])
def test_stopped_at_random_moments(rhohat, job, tmp_path, random, remark, moments):
    """Each run at a line of its metrics first, which cannot miss, and then at random times."""
    stops, runs = 0, 0
    while stops < moments:
        run = tmp_path / f"run{runs}"
        runs += 1
        environment = fault(do="TERM", at=1 + int(random.integers(10)), call="write", path="metrics")
        code, stderr = end_of(rhohat.start(*job.words(run), environment=environment))
        check_stop(rhohat, run, job.data, code, stderr)
        stops += 1
        while stops < moments and not (run / "model.safetensors").exists():
            number = STOPS[int(random.integers(len(STOPS)))]
            seconds = random.uniform(0, 0.5 * job.seconds)
            code, stderr = interrupted(rhohat, job.resubmitted(run), seconds, number)
            if code == STOPPED:
                check_stop(rhohat, run, job.data, code, stderr)
                stops += 1
            elif code != -number:  # the handler was not there yet
                assert code in (0, 128 + number), stderr
        job.finish(run)
    remark(f"{stops} stops of {runs} runs")


@pytest.mark.parametrize("number, step", [
    pytest.param("TERM", 11, marks=pytest.mark.fast),
    pytest.param("TERM", 2, marks=pytest.mark.slow),
    pytest.param("USR1", 3, marks=pytest.mark.slow),
    pytest.param("INT", 3, marks=pytest.mark.slow)])
def test_stopped_at_each_call_of_the_beginning(rhohat, job, tmp_path, number, step):
    """Before the run's folder is there, while it is made, while the data is opened, …"""
    caught = {"TERM": 15, "USR1": 10, "INT": 2}[number]
    calls = calls_of(rhohat, tmp_path / "log", *job.words(tmp_path / "counted"))
    beginning = [call for call in calls if "metrics" not in call.path][:70]
    codes = set()
    for call in beginning[::step]:
        run = tmp_path / f"run{call.number}"
        environment = fault(do=number, at=call.number)
        process = rhohat.start(*job.resubmitted(run), environment=environment)
        code, stderr = end_of(process)
        assert code in (STOPPED, 128 + caught, -caught), stderr
        codes.add(code)
        if code == STOPPED:
            check_stop(rhohat, run, job.data, code, stderr)
        else:
            assert not run.exists() or not checkpoints(run), stderr
        job.finish(run)
    assert STOPPED in codes


@pytest.mark.parametrize("places", [pytest.param(6, marks=pytest.mark.fast),
                                    pytest.param(40, marks=pytest.mark.slow)])
def test_stopped_while_a_checkpoint_is_written(rhohat, job, tmp_path, places):
    calls = calls_of(rhohat, tmp_path / "log", *job.words(tmp_path / "counted"),
                     path="/checkpoints")
    for call in calls[1 : len(calls) // 2 : len(calls) // (2 * places)]:
        run = tmp_path / f"run{call.number}"
        environment = fault(do="TERM", at=call.number, path="/checkpoints")
        code, stderr = end_of(rhohat.start(*job.words(run), environment=environment))
        check_stop(rhohat, run, job.data, code, stderr)
        job.finish(run)


@pytest.mark.fast
def test_the_same_signal_twice_at_once_is_one(rhohat, tmp_path, endless_training):
    """timeout(1) and batch systems signal the process and its group within a moment."""
    stand_still(endless_training)
    for number in (signal.SIGTERM, signal.SIGINT):  # two of one number would arrive as one
        endless_training.send_signal(number)
    endless_training.send_signal(signal.SIGCONT)
    code, stderr = end_of(endless_training)
    check_stop(rhohat, tmp_path / "run", tmp_path / "rows.h5", code, stderr)


@pytest.mark.fast
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_quits_at_once(rhohat, tmp_path, job, number):
    """Where the disk does not answer, so that the checkpoint of the first one takes for ever."""
    run = tmp_path / "run"
    log = tmp_path / "log"
    environment = fault(do="stall", call="fsync", path="/checkpoints", at=5, log=log)
    process = rhohat.start(*job.words(run), environment=environment)
    wait_until(lambda: log.exists() and log.read_text().count("\n") >= 5, "the disk stands", process)
    process.send_signal(number)
    wait_until(lambda: {int(bits, 16) for bits in status_of(process, "ShdPnd")} == {0},
               "the first signal is heard", process)
    time.sleep(0.7)  # longer than the moment in which two are one
    assert process.poll() is None
    process.send_signal(number)
    code, stderr = end_of(process)
    assert code == 128 + number, stderr
    assert [call for call in read_log(log) if call.number > 5] == [], "it waited for the disk"
    job.finish(run)


@pytest.mark.fast
def test_stops_by_itself_in_time(rhohat, tmp_path, long_words):
    """A machine can be too busy to be on time, but not each time, and with ever more of it."""
    run = tmp_path / "run"
    for life in range(2):
        words = long_words if life == 0 else ("train", "--resume", run)
        for most in (1, 4, 16, 64):
            started = time.monotonic()
            result = rhohat(*words, "--max-time", f"{most}s")
            seconds = time.monotonic() - started
            check_stop(rhohat, run, tmp_path / "rows.h5", result.code, result.stderr)
            assert "--max-time" in result.stderr
            assert 0.3 * most < seconds, f"took {seconds:.2f} s of {most} s"
            if seconds < most:
                break
            words = ("train", "--resume", run)
        assert seconds < most, f"took {seconds:.2f} s of {most} s"
    # Without a gap where it went on.
    iterations = [line["iteration"] for line in read_metrics(run)]
    assert iterations == list(range(len(iterations)))


@pytest.mark.fast
def test_a_time_limit_changes_no_bit(rhohat, tmp_path, job):
    """A few moments at a time, but for what starting takes; more of them where that is no time."""
    run = tmp_path / "run"
    most, stops = 0.02, 0
    while (result := rhohat(*job.resubmitted(run), "--max-time", f"{most:.3f}s")).code != 0:
        assert result.code == STOPPED, str(result)
        stops += 1
        most *= 1.5
    assert stops > 0
    job.check(run)


@pytest.mark.fast
def test_a_run_that_was_stopped_is_no_finished_one(rhohat, tmp_path, job):
    run = tmp_path / "run"
    environment = fault(do="USR1", call="write", path="metrics", at=10)
    assert rhohat(*job.words(run), environment=environment).code == STOPPED
    before = {path: digest(path) for path in run.rglob("*") if path.is_file()}
    line = rhohat.fails(73, *job.words(run))
    assert "--resume" in line
    assert {path: digest(path) for path in run.rglob("*") if path.is_file()} == before
    rhohat.ok("train", "--resume", run)
    job.check(run)
    assert "finished" in rhohat.ok("train", "--resume", run).stderr
    assert hidden(run) == []
