"""Runs of the program rhohat, and what they say about themselves.

A run's metrics.jsonl has a line an iteration or epoch. Where its cost is over a sample of the rows,
or was gathered while the parameters changed, it is not the J that is compared here. Such a line's J
is had from another run that is the same but ends there, by an interrupt or by its length: its
parameters are looked at by `rhohat evaluate`.
"""

import glob
import json
import os
import shutil
import signal
import subprocess
import time

from refused import Faulty
from problem import read_model

USAGE = 64  # exit code of an option that this build does not know
STOPPED = (75, 130)  # of a run that an interrupt ended, its parameters in the checkpoints
LOOK_SECONDS = 0.02  # between two looks at a run that is to be interrupted


class Unsupported(Exception):
    """This build of rhohat has no such option."""


class Run:
    """A run that has ended: its lines, its model, its seconds, its processor seconds."""

    def __init__(self, folder, seconds, cpu_seconds):
        self.model = self._model_in(folder)
        self.seconds, self.cpu_seconds = seconds, cpu_seconds
        with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as lines:
            self.lines = [json.loads(line) for line in lines]

    @staticmethod
    def _model_in(folder):
        """The whole run's, or that of the last checkpoint, which is the last line's."""
        whole = os.path.join(folder, "model.safetensors")
        if os.path.exists(whole):
            return whole
        return max(glob.glob(os.path.join(folder, "checkpoints", "checkpoint-*.safetensors")))

    @property
    def last(self):
        return self.lines[-1]

    def cpu_at(self, line):
        """Processor seconds up to a line: the run's, by its share of the time."""
        return self.cpu_seconds * line["seconds"] / self.seconds


class Rhohat:
    """The program, on one problem."""

    def __init__(self, program, problem, folder):
        if not (os.path.isfile(program) and os.access(program, os.X_OK)):
            raise Faulty(f"{program}: no such program; build it (scripts/quickstart.sh shows how) "
                         "or name it by --rhohat")
        self.program, self.problem = program, problem
        self.folder = os.path.join(folder, "rhohat")
        os.makedirs(self.folder, exist_ok=True)

    def train(self, *flags, stop_when=None):
        """One run from the start; its folder is overwritten by the next.

        It is interrupted after a line of its metrics for which `stop_when` holds.
        """
        problem, folder = self.problem, os.path.join(self.folder, "run")
        shutil.rmtree(folder, ignore_errors=True)
        arguments = [self.program, "train", problem.path, "--dataset", problem.dataset,
                     "--hidden", str(problem.hidden), "--rho", str(problem.rho),
                     "--beta", str(problem.beta), "--lambda", str(problem.weight_decay),
                     "--seed", str(problem.seed), "--threads", str(problem.threads),
                     "--run", folder, *flags]
        messages = os.path.join(self.folder, "messages.txt")
        with open(messages, "w", encoding="utf-8") as out:
            begin = time.perf_counter()
            child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=out)
            if stop_when:
                self._interrupt(child, os.path.join(folder, "metrics.jsonl"), stop_when)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - begin
        if child.returncode != 0 and not (stop_when and child.returncode in STOPPED):
            with open(messages, encoding="utf-8") as out:
                said = out.read().strip()
            if child.returncode == USAGE:
                raise Unsupported(said.splitlines()[0] if said else " ".join(flags))
            raise Faulty(f"{' '.join(arguments)}: exit code {child.returncode}: {said}")
        return Run(folder, seconds, usage.ru_utime + usage.ru_stime)

    @staticmethod
    def _interrupt(child, metrics, stop_when):
        """Returns when the run has been interrupted, or has ended by itself."""
        seen = 0  # bytes of whole lines
        while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(LOOK_SECONDS)
            if not os.path.exists(metrics):
                continue
            with open(metrics, "rb") as file:
                file.seek(seen)
                whole, newline, _ = file.read().rpartition(b"\n")
            seen += len(whole) + len(newline)
            if any(stop_when(json.loads(line)) for line in whole.splitlines()):
                child.send_signal(signal.SIGINT)
                return

    def start(self):
        """(the initial parameters, the model file that holds them)."""
        kept = os.path.join(self.folder, "start.safetensors")
        shutil.copy(self.train("--iterations", "0", "--optimizer", "lbfgs").model, kept)
        return read_model(kept), kept

    def exact_cost(self, model):
        """J over all rows, by the program itself."""
        printed = subprocess.run(
            [self.program, "evaluate", model, self.problem.path, "--dataset", self.problem.dataset,
             "--json"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(printed.stdout)["cost"]

    def time_passes(self, length_flag, short, long, *flags):
        """(seconds, processor seconds) of a pass: a long run less a short one, a pass.

        So that what every run does once, such as opening files and writing the model, is not in it.
        """
        first = self.train(length_flag, str(short), *flags)
        second = self.train(length_flag, str(long), *flags)
        passes = second.last["data_passes"] - first.last["data_passes"]
        if passes <= 0:
            raise Faulty(f"rhohat {' '.join(flags)}: expected more passes in {long} {length_flag} "
                         f"than in {short}, found none")
        return ((second.last["seconds"] - first.last["seconds"]) / passes,
                (second.cpu_seconds - first.cpu_seconds) / passes)

    @staticmethod
    def is_exact(line):
        """Whether a line's cost is J over all rows, at one set of parameters."""
        return line.get("cost_over", "all") == "all"

    def add_exact_lines(self, run, curve):
        """Every line of a run whose cost is exact, such as all of L-BFGS's."""
        for line in run.lines:
            if self.is_exact(line):
                self._add(curve, line["cost"], line, run)

    def trace_passes(self, curve, passes, enough, *flags):
        """A curve of which not every line is exact: runs interrupted after so many passes each.

        `enough`, of a line of the metrics, ends the longest run.
        """
        full = self.train(*flags, stop_when=enough)
        self._add_exact_and_end(curve, full)
        for wanted in passes:
            if wanted < full.last["data_passes"]:
                run = self.train(*flags, stop_when=lambda line: line["data_passes"] >= wanted)
                self._add_end(curve, run, full)
        curve.sort()

    def trace_lengths(self, curve, length_flag, lengths, *flags):
        """The same with a run of each length, where the length shapes the run."""
        full = self.train(length_flag, str(max(lengths)), *flags)
        self._add_exact_and_end(curve, full)
        for length in sorted(lengths)[:-1]:
            self._add_end(curve, self.train(length_flag, str(length), *flags), full)
        curve.sort()

    def _add_end(self, curve, run, full):
        """J at a run's end: at the longest run's time where that has passed through the same state.

        It has where the lines agree to the last bit. Otherwise the point costs what this run does.
        """
        line, exact = run.last, self.exact_cost(run.model)
        same = next((other for other in full.lines if other["iteration"] == line["iteration"]
                     and other["cost"] == line["cost"]), None)
        self._add(curve, exact, same or line, full if same else run)

    def _add_exact_and_end(self, curve, run):
        """A run's exact lines, and J of its model: before another run takes the folder."""
        self.add_exact_lines(run, curve)
        if not self.is_exact(run.last):
            self._add(curve, self.exact_cost(run.model), run.last, run)

    @staticmethod
    def _add(curve, cost, line, run):
        curve.add(cost, line["data_passes"], line["seconds"], run.cpu_at(line))
