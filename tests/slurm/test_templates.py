"""The templates of scripts/slurm, submitted as they are, on a real Slurm.

What is at stake is what no imitation would show: which process a signal reaches, what Slurm makes of
an exit code, what a job finds in its environment when it starts again.
"""

import shutil
import time

import pytest

from cluster import wait_until
from faults import fault
from program import PROGRAM, PROJECT, read_metrics

TEMPLATES = PROJECT / "scripts/slurm"
# What of a line of metrics.jsonl depends on the machine and the day.
MEASURED = {"seconds", "rows_per_second", "wait_seconds", "compute_fraction", "bytes_read",
            "peak_rss_bytes"}


LINES_PER_SECOND = 20  # of a run at a walking pace (tests/fault/fault_plan.h)
LONG = 8 * LINES_PER_SECOND  # iterations enough for something to happen in their midst

# A program that walks, however fast the machine is, until it is told to run. It waits, for the most
# part, and leaves the processors to others.
WALKING = """#!/bin/sh
[ -e '{folder}/run-now' ] && exec '{program}' "$@"
exec env {settings} '{program}' "$@"
"""


class Place:
    """A folder that jobs are submitted from: it holds the configuration and gets runs and logs."""

    def __init__(self, cluster, rhohat, data, folder):
        self.cluster, self.rhohat, self.folder = cluster, rhohat, folder
        self.run = folder / "run"
        (folder / "train.toml").write_text(
            f'[data]\nfiles = ["{data}"]\n'
            '[network]\nhidden = 25\n'
            '[optimiser]\noptimizer = "gd"\nlearning-rate = 0.05\niterations = 20\ntolerance = 0\n'
            '[resources]\nthreads = 1\n')
        walk = fault(do="linger", at=1, call="write", path="metrics.jsonl", lasting=True)
        settings = " ".join(f"'{name}={value}'" for name, value in walk.items())
        self.walking = folder / "rhohat"
        self.walking.write_text(WALKING.format(folder=folder, program=PROGRAM, settings=settings))
        self.walking.chmod(0o755)

    def submit(self, template, *arguments, flags=(), program=PROGRAM, **variables):
        return self.cluster.submit(TEMPLATES / template, *arguments, flags=flags, cwd=self.folder,
                                   RHOHAT=str(program), **variables)

    def submit_walking(self, template, *arguments, **more):
        """Its next start, after `let_run`, does not walk any more."""
        return self.submit(template, *arguments, program=self.walking, **more)

    def let_run(self):
        (self.folder / "run-now").touch()

    def log(self):
        """What all of the jobs' logs say."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def uninterrupted(self, *flags):
        """The same run, alone and from the command line; returns its folder."""
        folder = self.folder / "uninterrupted"
        self.rhohat.ok("train", "--config", self.folder / "train.toml", "--run", folder, *flags,
                       timeout=300)
        return folder

    def lines(self):
        metrics = self.run / "metrics.jsonl"
        return metrics.read_text().count("\n") if metrics.exists() else 0

    def wait_for_iterations(self, job, count):
        wait_until(lambda: self.lines() >= count or self.cluster.job(job, "JobState") == "FAILED",
                   f"{count} iterations")
        assert self.lines() >= count, self.log()


@pytest.fixture
def place(cluster, rhohat, data, tmp_path):
    return Place(cluster, rhohat, data, tmp_path)


def numbers(model):
    """What follows the header of a safetensors file."""
    return model[8 + int.from_bytes(model[:8], "little"):]


def assert_same_run(run, other, numbers_only=False):
    """Byte for byte the same model, and the same story of how it came about."""
    for one, two in zip(read_metrics(run), read_metrics(other), strict=True):
        assert one.keys() == two.keys()
        assert {key: one[key] for key in one.keys() - MEASURED} == \
            {key: two[key] for key in two.keys() - MEASURED}
    one, two = ((folder / "model.safetensors").read_bytes() for folder in (run, other))
    assert numbers(one) == numbers(two)
    assert numbers_only or one == two


def test_a_time_limit_is_survived(place):
    """USR1 before the limit, a checkpoint, exit code 75, a requeue, and the same bytes in the end."""
    # Slurm looks at time limits every 30 s: the signal comes 10 to 40 s after the start.
    iterations = 50 * LINES_PER_SECOND
    job = place.submit_walking("requeue.sbatch", "--iterations", iterations,
                               flags=("--time=2", "--signal=B:USR1@80"))
    place.cluster.wait_for(job, "Restarts", "1", patience=240)
    place.let_run()
    place.cluster.command("scontrol", "update", f"jobid={job}", "timelimit=60")
    reference = place.uninterrupted("--iterations", iterations)
    assert place.cluster.wait_for_end(job, patience=300) == "COMPLETED", place.log()
    assert place.log().count("stopped on request") == 1
    assert len(list(place.folder.glob("*.log"))) == 1
    assert_same_run(place.run, reference)


def test_a_site_that_does_not_requeue_by_exit_code(place):
    """The template asks for the requeue itself."""
    place.cluster.requeue_exit(None)
    try:
        job = place.submit_walking("requeue.sbatch", "--iterations", LONG)
        place.wait_for_iterations(job, 20)
        place.let_run()
        place.cluster.command("scancel", "--signal=USR1", "--batch", job)
        reference = place.uninterrupted("--iterations", LONG)
        assert place.cluster.wait_for_end(job, patience=300) == "COMPLETED", place.log()
        assert place.cluster.job(job, "Restarts") == "1", place.log()
        assert_same_run(place.run, reference)
    finally:
        place.cluster.requeue_exit(75)


@pytest.mark.parametrize("requeue_exit", [75, None])
def test_a_cancelled_job_stays_cancelled_and_can_be_submitted_again(place, requeue_exit):
    place.cluster.requeue_exit(requeue_exit)
    try:
        job = place.submit_walking("requeue.sbatch", "--iterations", LONG)
        place.wait_for_iterations(job, 20)
        place.cluster.command("scancel", job)
        assert place.cluster.wait_for_end(job) == "CANCELLED"
        assert list((place.run / "checkpoints").iterdir()), place.log()
        time.sleep(1.5)  # as long as the scheduler would need to start it again
        assert place.cluster.job(job, "JobState") == "CANCELLED"
        again = place.submit("requeue.sbatch", "--iterations", LONG)
        assert place.cluster.wait_for_end(again, patience=300) == "COMPLETED", place.log()
        assert "goes on from" in place.log()
    finally:
        place.cluster.requeue_exit(75)


def test_a_running_job_is_requeued(place):
    """As an administrator does before a node is taken down."""
    job = place.submit_walking("requeue.sbatch", "--iterations", LONG)
    place.wait_for_iterations(job, 20)
    place.let_run()
    place.cluster.command("scontrol", "requeue", job)
    reference = place.uninterrupted("--iterations", LONG)
    assert place.cluster.wait_for_end(job, patience=300) == "COMPLETED", place.log()
    assert place.cluster.job(job, "Restarts") == "1", place.log()
    assert_same_run(place.run, reference)


def test_a_job_that_cannot_be_helped_is_not_requeued_for_ever(place):
    job = place.submit_walking("requeue.sbatch", "--iterations", 1_000_000, flags=("--time=5",),
                               RESTARTS="0")
    place.wait_for_iterations(job, 5)
    place.cluster.command("scancel", "--signal=USR1", "--batch", job)
    assert place.cluster.wait_for_end(job, patience=300) == "FAILED"
    assert "gives up after 0 restarts" in place.log()


def test_an_array_has_a_run_for_each_setting(place):
    array = place.submit("array.sbatch")
    wait_until(lambda: not place.cluster.command("squeue", "--noheader", f"--jobs={array}").strip(),
               "the array's end", patience=240)
    sweep = place.folder / f"sweep-{array}"
    assert sorted(run.name for run in sweep.iterdir()) == ["0", "1", "2"], place.log()
    for task, flags in enumerate([("--rho", 0.02, "--beta", 3), ("--rho", 0.05, "--beta", 3),
                                  ("--rho", 0.1, "--beta", 1)]):
        alone = place.uninterrupted(*flags)
        assert_same_run(sweep / str(task), alone)
        shutil.rmtree(alone)


def test_an_array_larger_than_its_settings_says_so(place):
    array = place.submit("array.sbatch", flags=("--array=3",))
    assert place.cluster.wait_for_end(array) == "FAILED"
    assert place.cluster.job(array, "ExitCode") == "64:0"
    assert "expected --array=0-2" in place.log()


def test_too_little_memory_is_refused_by_the_plan(place):
    """In words, in the job's log, before anything is computed: not by the system's OOM killer."""
    job = place.submit("train.sbatch", "--hidden", 5000, "--optimizer", "lbfgs",
                       flags=("--mem=200M",))
    assert place.cluster.wait_for_end(job) == "FAILED"
    assert place.cluster.job(job, "ExitCode") == "64:0"
    errors = [line for line in place.log().splitlines() if line.startswith("rhohat: error:")]
    assert len(errors) == 1 and "memory" in errors[0], place.log()
    assert not place.run.exists()


def test_data_copied_to_the_node(place, data):
    """What was copied is gone afterwards, and a later start goes on from another copy."""
    scratch = place.folder / "scratch"
    scratch.mkdir()
    flags = ("--iterations", LONG)
    job = place.submit_walking("scratch.sbatch", *flags, DATA=str(data), SCRATCH=str(scratch))
    place.wait_for_iterations(job, 20)
    place.let_run()
    first = list(scratch.rglob("*.h5"))
    assert len(first) == 1 and first[0].read_bytes() == data.read_bytes()
    place.cluster.command("scancel", "--signal=USR1", "--batch", job)
    assert place.cluster.wait_for_end(job, patience=300) == "COMPLETED", place.log()
    assert list(scratch.iterdir()) == []
    assert place.log().count("copied to") == 2
    # A model names the file that it was trained on, and that was the copy.
    assert_same_run(place.run, place.uninterrupted(*flags), numbers_only=True)
