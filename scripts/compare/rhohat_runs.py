"""Runs of the program rhohat, and what they say about themselves.

A run's metrics.jsonl has a line an iteration or epoch. Where its cost is over a sample of the rows,
or was gathered while the parameters changed, it is not the J that is compared here. Such a line's J
is had from a run that is the same but ends there: its model is looked at by `rhohat evaluate`.
"""

import json
import os
import shutil
import subprocess
import time

from faulty import Faulty
from problem import read_model

USAGE = 64  # exit code of an option that this build does not know


class Unsupported(Exception):
    """This build of rhohat has no such option."""


class Run:
    """A finished run: its lines, its seconds, its processor seconds."""

    def __init__(self, folder, seconds, cpu_seconds):
        self.model = os.path.join(folder, "model.safetensors")
        self.seconds, self.cpu_seconds = seconds, cpu_seconds
        with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as lines:
            self.lines = [json.loads(line) for line in lines]

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

    def train(self, *flags):
        """One run from the start. Its folder is overwritten by the next."""
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
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - begin
        if child.returncode != 0:
            with open(messages, encoding="utf-8") as out:
                said = out.read().strip()
            if child.returncode == USAGE:
                raise Unsupported(said.splitlines()[0] if said else " ".join(flags))
            raise Faulty(f"{' '.join(arguments)}: exit code {child.returncode}: {said}")
        return Run(folder, seconds, usage.ru_utime + usage.ru_stime)

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
                curve.add(line["cost"], line["data_passes"], line["seconds"], run.cpu_at(line))

    def trace_passes(self, curve, passes, most_iterations, *flags):
        """trace() of an optimiser of iterations, at those where so many passes are done."""
        full = self.train("--iterations", str(most_iterations), *flags)
        lengths = [next((line["iteration"] for line in full.lines if line["data_passes"] >= wanted),
                        full.last["iteration"]) for wanted in passes]
        self.trace(curve, "--iterations", [*lengths, most_iterations], *flags, full=full)

    def trace(self, curve, length_flag, lengths, *flags, full=None):
        """A curve of which not every line is exact: one run of each length, its model evaluated.

        Where the longest run has passed through the same state (lines agree to the last bit), the
        point is put where that run had it. Otherwise, as where the length shapes the learning rate,
        the point is what a run of that length costs as a whole.
        """
        full = full or self.train(length_flag, str(max(lengths)), *flags)
        on_the_way = {line["iteration"]: line for line in full.lines}
        points = [(full.last, full, self.exact_cost(full.model))]
        points += [(line, full, line["cost"]) for line in full.lines if self.is_exact(line)]
        known = {line["iteration"] for line, _, _ in points}
        for length in sorted(set(lengths) - known):
            run = self.train(length_flag, str(length), *flags)
            exact = self.exact_cost(run.model)
            same = on_the_way.get(run.last["iteration"])
            if same and same["cost"] == run.last["cost"]:
                points.append((same, full, exact))
            else:
                points.append((run.last, run, exact))
        for line, run, exact in sorted(points, key=lambda point: point[0]["data_passes"]):
            curve.add(exact, line["data_passes"], line["seconds"], run.cpu_at(line))
