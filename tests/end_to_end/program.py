"""The program from outside: running it, and reading what it says and leaves behind.

It is found through the environment variable RHOHAT, the build folder through RHOHAT_BUILD; both
have defaults below the project. Nothing here knows how the program works inside.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("RHOHAT_BUILD", PROJECT / "build/release")).resolve()
PROGRAM = Path(os.environ.get("RHOHAT", PROJECT / "build/release/bin/rhohat")).resolve()

PATIENCE = 120  # seconds, for what takes a moment: that it hangs is all that they can tell

# The objective that the tests train with and hand to the oracle.
OBJECTIVE = {"rho": 0.1, "beta": 3.0, "decay": 3e-3}
OBJECTIVE_FLAGS = ["--rho", "0.1", "--beta", "3", "--lambda", "3e-3"]


@dataclass
class Result:
    """How a run of the program ended."""

    arguments: list
    code: int
    stdout: str
    stderr: str

    def error(self, alone=True):
        """The one line that says what went wrong: the last, and where `alone` the only one."""
        lines = self.stderr.splitlines()
        errors = [line for line in lines if line.startswith("rhohat: error:")]
        assert len(errors) == 1, f"{self}: expected one error line"
        assert lines[-1] == errors[0], f"{self}: the error is not the last line"
        strange = [line for line in lines if not line.startswith("rhohat: ")]
        assert strange == [], f"{self}: a library speaks for itself"
        assert not alone or len(lines) == 1, f"{self}: expected nothing but the error line"
        assert len(errors[0]) > len("rhohat: error: ") + 10, f"{self}: the error says nothing"
        return errors[0]

    def __str__(self):
        return f"rhohat {' '.join(self.arguments)} → {self.code}\n{self.stdout}{self.stderr}"


class Program:
    """The program from outside. Calling it runs it to its end."""

    path = PROGRAM

    def environment(self, **extra):
        # A test must not inherit the limits of the job that runs the tests.
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(("SLURM_", "OMP_", "OPENBLAS_", "RHOHAT"))}
        return {**kept, **extra}

    def __call__(self, *arguments, timeout=PATIENCE, **options):
        arguments = [str(argument) for argument in arguments]
        environment = self.environment(**options.pop("environment", {}))
        done = subprocess.run([str(self.path), *arguments], stdin=subprocess.DEVNULL,
                              stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                              timeout=timeout, env=environment, **options)
        stdout = (done.stdout or b"").decode()
        return Result(arguments, done.returncode, stdout, done.stderr.decode())

    def ok(self, *arguments, **options):
        """Runs it and insists on success."""
        result = self(*arguments, **options)
        assert result.code == 0, str(result)
        return result

    def fails(self, code, *arguments, alone=True, **options):
        """Runs it, insists on this exit code and on one error line, and returns that line."""
        result = self(*arguments, **options)
        assert result.code == code, str(result)
        return result.error(alone)

    def start(self, *arguments, **options):
        """Starts it and returns the process, for tests that meddle while it runs."""
        environment = self.environment(**options.pop("environment", {}))
        return subprocess.Popen([str(self.path), *(str(argument) for argument in arguments)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=environment, **options)


def read_metrics(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def leftovers(folder):
    """Whatever was built under a temporary name and left there, and models that should not be."""
    return [path for path in Path(folder).rglob("*")
            if path.suffix == ".part" or path.name == "model.safetensors"]


# Starts a command from a process that is small itself: a child's largest resident set begins with
# that of the process which it was forked from. Only the child enters the control group, if there is
# one, and is killed after so many seconds, if they are not none. Prints the exit code and the
# child's own usage after what the command printed.
_LAUNCHER = """
import json, os, signal, sys
cgroup, seconds, program = sys.argv[1:4]
child = os.fork()
if child == 0:
    if cgroup:
        with open(cgroup + "/cgroup.procs", "w") as processes:
            processes.write(str(os.getpid()))
    os.execv(program, sys.argv[3:])
signal.signal(signal.SIGALRM, lambda number, frame: os.kill(child, signal.SIGKILL))
signal.setitimer(signal.ITIMER_REAL, float(seconds))
_, status, usage = os.wait4(child, 0)
print(json.dumps({"code": os.waitstatus_to_exitcode(status), "peak": usage.ru_maxrss * 1024}))
"""


def peak_of(program, *arguments, cgroup=None, kill_after=0, timeout=500):
    """Runs the program to success, or to when it is killed.

    Returns the peak resident set in bytes that the system saw, and None of one that was killed.
    """
    command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, cgroup or "", kill_after, program.path,
               *arguments]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=timeout, env=program.environment())
    report = json.loads(done.stdout.splitlines()[-1])
    if kill_after and report["code"] == -signal.SIGKILL:
        return None
    assert report["code"] == 0, done.stdout + done.stderr
    return report["peak"]


def python(*arguments, timeout=PATIENCE):
    """Runs this interpreter on something, in the project's folder."""
    return subprocess.run([sys.executable, "-B", *(str(argument) for argument in arguments)],
                          cwd=PROJECT, capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, "RHOHAT": str(PROGRAM), "RHOHAT_BUILD": str(BUILD)})
