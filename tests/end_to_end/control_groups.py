"""Control groups of version 1 or 2, made for a test where this machine lets one make them."""

import contextlib
import os
from pathlib import Path

# Of each kind of limit, where version 1 and version 2 have it: folder, and files with what goes in.
PERIOD = 100_000


def _cpu_files(processors):
    quota = int(processors * PERIOD)
    return [("/sys/fs/cgroup/cpu", {"cpu.cfs_period_us": PERIOD, "cpu.cfs_quota_us": quota}),
            ("/sys/fs/cgroup", {"cpu.max": f"{quota} {PERIOD}"})]


@contextlib.contextmanager
def cpu_quota(processors):
    """A group that may use so many processors, as (folder, ""), or (None, why there is none)."""
    reasons = []
    for root, files in _cpu_files(processors):
        folder = Path(root) / f"rhohat-test-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError as reason:
            reasons.append(str(reason))
            continue
        try:
            for name, value in files.items():
                (folder / name).write_text(str(value))
        except OSError as reason:
            reasons.append(str(reason))
            folder.rmdir()
            continue
        try:
            yield folder, ""
        finally:
            folder.rmdir()
        return
    yield None, "; ".join(reasons)


def entering(folder):
    """For subprocess: the child enters the group before it becomes the program."""

    def enter():
        (folder / "cgroup.procs").write_text(str(os.getpid()))

    return enter
