"""A real Slurm of one node, for as long as a test needs it.

munged, slurmctld and slurmd of Debian's packages run as children of this process, in the foreground
and on loopback, with everything they write below one folder. Nothing of a Slurm that the machine may
already have is used or touched, and what is stopped is what was started here, by its process id.
"""

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "scancel")
HERE = Path(__file__).resolve().parent
# Debian's own folders of daemons, which a user's PATH may leave out.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
PATIENCE = 120  # seconds, for what a daemon does in one, on a machine that is busy


def why_impossible():
    """Why there can be no cluster on this machine, or None."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if missing:
        return f"no {', '.join(missing)}: install Debian's slurm-wlm and munge"
    if os.geteuid() != 0:
        return "slurmd starts jobs as root only"
    return None


def wait_until(condition, what, patience=PATIENCE):
    """Returns what `condition` returned once that is true."""
    deadline = time.monotonic() + patience
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {patience} s")
        time.sleep(0.1)
    return result


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A running cluster; a context, which is stopped when it is left."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.configuration = self.folder / "slurm.conf"
        self._host = socket.gethostname().partition(".")[0]
        self._ports = free_port(), free_port()
        self._daemons = []

    def __enter__(self):
        try:
            self._start()
        except Exception as failure:
            logs = self._logs()
            self._stop()
            raise RuntimeError(f"Slurm does not start: {failure}\n{logs}") from failure
        return self

    def __exit__(self, *_):
        self._stop()

    # Jobs.

    def submit(self, script, *arguments, flags=(), cwd=None, **variables):
        """Submits a script; `variables` are added to its environment. Returns the job's id."""
        output = self.command("sbatch", "--parsable", *flags, script, *arguments, cwd=cwd,
                              environment=variables)
        return int(output.strip().partition(";")[0])

    def job(self, job, field):
        """What `scontrol show job` says of it, such as JobState."""
        text = self.command("scontrol", "show", "job", job)
        return re.search(rf"\b{field}=(\S*)", text).group(1)

    def wait_for(self, job, field, values, patience=PATIENCE):
        """Waits until the job's field is one of these, and returns it."""
        values = (values,) if isinstance(values, str) else values

        def reached():
            value = self.job(job, field)
            return value if value in values else None
        try:
            return wait_until(reached, f"{field} {'/'.join(values)}", patience)
        except TimeoutError as failure:
            shown = self.command("scontrol", "show", "job", job)
            raise TimeoutError(f"{failure}\n{shown}") from failure

    def wait_for_end(self, job, patience=PATIENCE):
        """Waits until the job is over for good, requeues included; returns its state."""
        over = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY")
        return self.wait_for(job, "JobState", over, patience)

    def command(self, *words, cwd=None, environment=()):
        """Runs one of Slurm's commands to success; returns what it printed."""
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                              timeout=PATIENCE, cwd=cwd or self.folder,
                              env={**self._environment(), **dict(environment)})
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr or done.stdout}")
        return done.stdout

    def requeue_exit(self, code):
        """Whether, from now on, jobs that end with this code go back into the queue: None of any."""
        self._configure("" if code is None else f"RequeueExit={code}")
        self.command("scontrol", "reconfigure")
        expected = "(null)" if code is None else str(code)
        wait_until(lambda: re.search(rf"^RequeueExit\s*= {re.escape(expected)}\s*$",
                                     self.command("scontrol", "show", "config"), re.MULTILINE),
                   "scontrol reconfigure")

    # Daemons.

    def _environment(self):
        # Without what a job that runs the tests would pass on to the jobs of the tests.
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(("SLURM_", "SBATCH_", "OMP_", "OPENBLAS_", "RHOHAT"))}
        return {**kept, "PATH": PATH, "SLURM_CONF": str(self.configuration)}

    def _configure(self, requeue_exit):
        values = {"HOST": self._host, "FOLDER": self.folder, "USER": getpass.getuser(),
                  "CONTROLLER_PORT": self._ports[0], "NODE_PORT": self._ports[1],
                  "REQUEUE_EXIT": requeue_exit}
        text = (HERE / "slurm.conf.in").read_text()
        self.configuration.write_text(re.sub(r"@(\w+)@", lambda at: str(values[at[1]]), text))

    def _start(self):
        for name in ("munge", "state", "spool"):
            (self.folder / name).mkdir(parents=True, mode=0o755)
        # munge trusts no folder that others may write to; those above ours are not ours to mend,
        # hence --force.
        self.folder.chmod(0o755)
        self._configure("RequeueExit=75")
        key = self.folder / "munge/key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        munge = self.folder / "munge"
        self._daemon("munged", "--foreground", "--force", f"--key-file={key}",
                     f"--socket={munge}/socket", f"--pid-file={munge}/pid",
                     f"--log-file={munge}/log", f"--seed-file={munge}/seed")
        wait_until((munge / "socket").exists, "munged's socket")
        self._daemon("slurmctld", "-D", "-c", "-f", self.configuration)
        wait_until(lambda: self._says("UP", "scontrol", "ping"), "slurmctld")
        self._daemon("slurmd", "-D", "-c", "-f", self.configuration)
        wait_until(lambda: self._says("idle", "sinfo", "--noheader", "--format=%t"), "slurmd")

    def _daemon(self, name, *arguments):
        with open(self.folder / f"{name}.log", "wb") as log:
            self._daemons.append(subprocess.Popen(
                [shutil.which(name, path=PATH), *map(str, arguments)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.folder, env=self._environment()))

    def _says(self, expected, *words):
        for daemon in self._daemons:
            if daemon.poll() is not None:
                raise RuntimeError(f"{daemon.args[0]} ended with {daemon.returncode}")
        try:
            return expected in self.command(*words)
        except RuntimeError:
            return False

    def _logs(self):
        tails = [f"--- {path.name}\n" + "\n".join(path.read_text().splitlines()[-15:])
                 for path in sorted(self.folder.glob("*.log"))]
        return "\n".join(tails)

    def _stop(self):
        try:
            self.command("scancel", "--me")
            wait_until(lambda: not self.command("squeue", "--noheader").strip(), "the last job")
        except (RuntimeError, TimeoutError, subprocess.TimeoutExpired):
            pass  # what is left of jobs is ended below
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for process in self._left_behind():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _left_behind(self):
        """Processes of this cluster's jobs: all of them, and no others, have its configuration."""
        ours = f"SLURM_CONF={self.configuration}".encode()
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if ours in path.read_bytes().split(b"\0"):
                    yield int(path.parent.name)
            except OSError:
                continue
