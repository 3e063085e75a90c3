"""Training runs that end early and go on: small ones of every kind, and what must come of them.

A `Job` trains for a fraction of a second, in which it passes over its rows in several blocks, and
saves its state as often as it can. What must be equal between two runs of it is in `outcome`.
"""

import json
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import layouts
import oracle
from faults import calls_of, fault
from program import OBJECTIVE_FLAGS, PATIENCE

ROWS, COLUMNS = 1500, 20
BATCHES = ("--batch", 50, "--epochs", 3, "--mix", 600)

# What depends on the machine and the day.
TIMES = ("seconds", "rows_per_second", "wait_seconds", "compute_fraction", "bytes_read",
         "peak_rss_bytes")


def optimizer(name, *flags):
    return ("--optimizer", name, "--hidden", 6, *OBJECTIVE_FLAGS, *flags)


FLAGS = {
    "lbfgs_two_pass": optimizer("lbfgs", "--schedule", "two-pass", "--iterations", 12),
    "lbfgs_cached": optimizer("lbfgs", "--schedule", "cached", "--iterations", 12),
    "lbfgs_fused": optimizer("lbfgs", "--schedule", "fused", "--iterations", 12),
    "lbfgs_float64": optimizer("lbfgs", "--precision", "float64", "--iterations", 12),
    "progressive": optimizer("progressive", "--first-sample", 100, "--growth", 4,
                             "--iterations", 6),
    "cg": optimizer("cg", "--iterations", 12),
    "gd": optimizer("gd", "--learning-rate", 0.2, "--iterations", 20),
    "sgd_windowed": optimizer("sgd", "--learning-rate", 0.02, *BATCHES),
    "adam": optimizer("adam", *BATCHES, "--rate-schedule", "cosine", "--warmup", 1),
    "adam_exact_rho_hat": optimizer("adam", *BATCHES, "--rho-hat", "exact"),
    "adam_lbfgs": optimizer("adam,lbfgs", *BATCHES, "--iterations", 8),
    "greedy": ("--hidden", "8,4", "--greedy", "--optimizer", "lbfgs", "--iterations", 6,
               "--fine-tune", 4, *OBJECTIVE_FLAGS),
    "greedy_adam_progressive": ("--hidden", "8,4", "--greedy", "--optimizer", "adam,progressive",
                                "--batch", 150, "--epochs", 2, "--mix", 600, "--first-sample", 500,
                                "--iterations", 4, *OBJECTIVE_FLAGS),
    "whitened": optimizer("lbfgs", "--prepare", "zca:0.1", "--decoder", "linear", "--tied",
                          "--iterations", 10),
    "denoising": optimizer("lbfgs", "--noise", "salt-pepper:0.2", "--iterations", 10),
    "denoising_sgd": optimizer("sgd", "--noise", "salt-pepper:0.2", "--learning-rate", 0.02,
                               *BATCHES),
}


@dataclass
class Job:
    """A training command, and what became of it where nothing went wrong."""

    rhohat: object
    data: Path
    flags: tuple
    whole: Path = None
    seconds: float = 0  # that the undisturbed run takes
    outcome: dict = field(default_factory=dict)

    every: str = "0s"  # between checkpoints

    def words(self, run, *more):
        return ("train", self.data, *self.flags, "--checkpoint-every", self.every, "--run", run,
                *more)

    def resubmitted(self, run):
        """The command that begins as well as goes on."""
        return self.words(run, "--resume", "auto")

    def resumed(self, run):
        """The command for a run that is there: whether one is, the configuration tells."""
        return ("train", "--resume", run) if is_there(run) else self.resubmitted(run)

    def finish(self, run):
        """Goes on with a run, or begins one, in peace: to what the undisturbed one came to."""
        result = self.rhohat.ok("train", self.data, *self.flags, "--checkpoint-every", "1h",
                                "--run", run, "--resume", "auto")
        self.check(run)
        return result

    def check(self, run):
        """The run is finished, and came to what the undisturbed one did."""
        found = outcome(run)
        for name, expected in self.outcome.items():
            assert found[name] == expected, f"{run}: other {name}"
        assert hidden(run) == [], "something of a killed process was left"


def is_there(run):
    return (run / "config.toml").exists() and (run / "metrics.jsonl").exists()


def hidden(run):
    """What is being written, or was when the process died."""
    return [path for path in run.rglob("*") if path.suffix == ".part"]


def checkpoints(run):
    """The latest last."""
    return sorted((run / "checkpoints").glob("checkpoint-*.safetensors"))


def metric_lines(run):
    """The lines of metrics.jsonl, digit for digit, without what no two runs have in common."""
    lines = []
    for line in (run / "metrics.jsonl").read_text().splitlines():
        fields = json.loads(line, parse_float=str, parse_int=str)
        lines.append({name: value for name, value in fields.items() if name not in TIMES})
    return lines


def outcome(run):
    """All that the bits of which must not depend on how often a run was interrupted."""
    return {"metrics": metric_lines(run), "model": (run / "model.safetensors").read_bytes()}


def make_data(path, rows=ROWS, columns=COLUMNS):
    array = layouts.values(np.random.default_rng(4), rows, columns=columns)
    return layouts.write(path, array, chunks=(100, columns))


def make_job(rhohat, folder, name, *more, every="0s"):
    """A job of `FLAGS` in a folder of its own, with its undisturbed run beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    flags = (*FLAGS[name], "--tolerance", 0, "--threads", 1, "--block-rows", 512)
    given = [str(word) for word in more[::2]]
    flags = [word for i, word in enumerate(flags) if not {str(word), str(flags[i - 1])} & {*given}]
    job = Job(rhohat, make_data(folder / "rows.h5"), (*flags, *more), folder / "whole", every=every)
    started = time.monotonic()
    rhohat.ok(*job.words(job.whole))
    job.seconds = time.monotonic() - started
    job.outcome = outcome(job.whole)
    return job


def stopped_half_way(job, signal_name="TERM"):
    """A run of the job that a signal stopped after half of its lines; beside the undisturbed one."""
    folder = job.whole.parent
    calls = calls_of(job.rhohat, folder / "log", *job.words(folder / "counted"), call="write",
                     path="metrics")
    environment = fault(do=signal_name, at=len(calls) // 2, call="write", path="metrics")
    result = job.rhohat(*job.words(folder / "stopped"), environment=environment)
    assert result.code == 75, str(result)
    return folder / "stopped"


def wait_until(condition, what, process):
    """Waits until that holds, while the process goes on."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, f"ended before {what}: {process.stderr.read().decode()}"
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE} s"
        time.sleep(0.01)


def wait_for_lines(process, run, count=2):
    """Waits until a run's metrics have so many lines."""
    metrics = run / "metrics.jsonl"
    wait_until(lambda: metrics.exists() and metrics.read_text().count("\n") >= count,
               f"{count} lines of {metrics}", process)


def end_of(process, timeout=PATIENCE):
    """Waits for a process to end; returns its exit code and what it said."""
    try:
        _, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise AssertionError(f"{process.args}: did not end within {timeout} s") from None
    return process.returncode, stderr.decode()


def interrupted(rhohat, words, seconds, number=signal.SIGKILL):
    """Starts the program and sends it a signal after so long; returns exit code and messages."""
    process = rhohat.start(*words)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    return end_of(process)


def state_in(checkpoint):
    """All that a checkpoint holds but what depends on the day, by name.

    Times and lengths of lines do, and how many evaluations were begun.
    """
    tensors, metadata = oracle.read_safetensors(checkpoint)
    of_the_day = ("checksum", "metrics_bytes", "config.toml")
    texts = {name: text for name, text in metadata.items()
             if not name.startswith("state.meter.") and name not in of_the_day}
    return {**texts, **{name: values.tobytes() for name, values in tensors.items()}}
