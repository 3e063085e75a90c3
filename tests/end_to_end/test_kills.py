"""A run that is killed, at whatever moment, goes on to the bits of one that was not.

Killed as by a batch system or a machine that fails: without a chance to do anything. Half of the
kills come at a random time, the others at, within or right after one of the calls by which files
are written: in the middle of a checkpoint, before its renaming, between it and the metrics.
"""

import signal

import pytest

import oracle
from faults import fault
from runs import (FLAGS, checkpoints, end_of, hidden, interrupted, make_job, metric_lines,
                  state_in)

KILLS = 50
FEW_KILLS = 4

# How long a run takes is chance, and so is whether it is done before it is to be killed.
MOST_RUNS_PER_KILL = 20

# Calls that write, on what, and the largest number to be killed at.
WRITING = (("write", "", 40), ("write", "/.checkpoint-", 40), ("write", "metrics", 4),
           ("fsync", "", 20), ("rename", "checkpoint-", 6), ("create", "checkpoint-", 10),
           ("unlink", "checkpoint-", 6), ("truncate", "", 1), ("close", "", 40))


@pytest.fixture
def make(rhohat, tmp_path):
    return lambda *job, **options: make_job(rhohat, tmp_path, *job, **options)


def killed_at_some_time(job, words, random):
    """Within the time that starting takes and some steps: what is not killed goes on to its end."""
    longest = min(0.25, job.seconds)
    return interrupted(job.rhohat, words, random.uniform(0, longest))


def killed_at_some_call(job, words, random):
    call, path, most = WRITING[random.integers(len(WRITING))]
    environment = fault(do=random.choice(["kill", "kill-half", "kill-after"]), call=call, path=path,
                        at=1 + int(random.integers(most)))
    return end_of(job.rhohat.start(*words, environment=environment))


def check_what_is_left(job, run):
    """After a kill: nothing is there under its name that is not whole."""
    model = run / "model.safetensors"
    assert not model.exists() or model.read_bytes() == job.outcome["model"]
    for path in checkpoints(run):
        oracle.read_safetensors(path)
    for path in hidden(run):
        assert path.name.startswith("."), path


def kill_until_done(job, run, kills, random):
    """Kills a run up to so many times; returns how often it was. In the end it is finished."""
    done = 0
    while done < kills:
        kill = random.choice([killed_at_some_time, killed_at_some_call])
        command = random.choice([job.resumed, job.resubmitted])
        code, stderr = kill(job, command(run), random)
        if code == 0:
            return done
        assert code == -signal.SIGKILL, stderr
        check_what_is_left(job, run)
        done += 1
    job.rhohat.ok(*job.resumed(run))
    return done


def check_kills(job, folder, kills, random, remark):
    done, runs = 0, 0
    while done < kills:
        run = folder / f"run{runs}"
        done += kill_until_done(job, run, kills - done, random)
        job.check(run)
        check_last_checkpoint(job, run)
        runs += 1
        assert runs < MOST_RUNS_PER_KILL * kills, "it is hardly ever killed before it is done"
    remark(f"{folder.name}: {done} kills of {runs} runs")


def check_last_checkpoint(job, run):
    """The optimiser was in the same state when it was saved for the last time."""
    expected, found = (state_in(checkpoints(folder)[-1]) for folder in (job.whole, run))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == value, f"{run}: other {name}"


@pytest.mark.slow
@pytest.mark.parametrize("name", FLAGS)
def test_killed_many_times(make, tmp_path, random, remark, name):
    check_kills(make(name), tmp_path, KILLS, random, remark)


@pytest.mark.fast
@pytest.mark.parametrize("name", ["lbfgs_fused", "adam_exact_rho_hat", "greedy"])
def test_killed_a_few_times(make, tmp_path, random, remark, name):
    check_kills(make(name), tmp_path, FEW_KILLS, random, remark)


@pytest.mark.slow
@pytest.mark.parametrize("pause", ["0.01s", "0.05s", "10m"])
def test_killed_with_checkpoints_further_apart(make, tmp_path, random, remark, pause):
    """What was done since the last one is done again; without any, all is."""
    job = make("lbfgs_cached", every=pause)
    done, runs = 0, 0
    while done < 8:
        run = tmp_path / f"run{runs}"
        for _ in range(4):
            code, stderr = killed_at_some_time(job, job.resubmitted(run), random)
            if code == 0:
                break
            assert code == -signal.SIGKILL, stderr
            done += 1
        job.finish(run)
        runs += 1
        assert runs < MOST_RUNS_PER_KILL * 8, "it is hardly ever killed before it is done"
    remark(f"{pause} between checkpoints: {done} kills of {runs} runs")


@pytest.mark.fast
def test_killed_at_a_write_of_each_kind(make, tmp_path):
    """In the middle of a checkpoint, before and after its renaming, and at the end."""
    job = make("lbfgs_cached")
    places = [("write", "/checkpoints", "kill-half"), ("fsync", "/checkpoints", "kill"),
              ("rename", "checkpoint-", "kill"), ("rename", "checkpoint-", "kill-after"),
              ("unlink", "checkpoint-", "kill"), ("write", "metrics", "kill-half"),
              ("write", "metrics", "kill-after"), ("write", "model", "kill-half"),
              ("rename", "model", "kill"), ("rename", "config", "kill")]
    for number, (call, path, way) in enumerate(places):
        run = tmp_path / f"run{number}"
        at = 1 if path in ("model", "config") else 4
        environment = fault(do=way, call=call, path=path, at=at)
        code, stderr = end_of(job.rhohat.start(*job.words(run), environment=environment))
        assert code == -signal.SIGKILL, f"{places[number]}: {stderr}"
        check_what_is_left(job, run)
        job.finish(run)


@pytest.mark.fast
def test_nothing_is_left_out_or_noted_twice(make, tmp_path):
    """Killed right after each line of the metrics in turn."""
    job = make("gd", every="10m")
    lines = len(metric_lines(job.whole))
    run = tmp_path / "run"
    for at in range(1, lines + 1, 4):
        environment = fault(do="kill-after", call="write", path="metrics", at=at)
        code, stderr = end_of(job.rhohat.start(*job.resubmitted(run), environment=environment))
        assert code in (-signal.SIGKILL, 0), stderr
    job.finish(run)


@pytest.mark.fast
def test_a_run_that_is_killed_gets_further(make, tmp_path):
    """It does not begin anew each time: in the end there were fewer steps than lives × steps."""
    job = make("gd")
    run = tmp_path / "run"
    for life in range(1, 5):
        environment = fault(do="kill", call="write", path="metrics", at=5)
        code, stderr = end_of(job.rhohat.start(*job.resubmitted(run), environment=environment))
        assert code == -signal.SIGKILL, stderr
        assert len(metric_lines(run)) >= 4 * life - 1
    job.finish(run)
