"""Disks that fill up, and what files looked like before a test."""

import contextlib
import hashlib
import resource
import subprocess

# What the system says of a file that may not grow.
TOO_LARGE, NO_SPACE = "File too large", "No space left on device"


def file_size_limit(limit):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def check_clear(line, reason):
    assert reason in line, line
    # The system's own reason is enough: no addresses and no inner workings of a library.
    assert "0x" not in line and "errno" not in line and len(line) < 300, line


@contextlib.contextmanager
def tiny_disk(folder, remark, size="1m"):
    """A file system of so much room at `folder`, or None where it cannot be had."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
                             capture_output=True, text=True)
    if mounted.returncode != 0:
        remark(f"only file size limits tested: no tmpfs ({mounted.stderr.strip()})")
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def state_of(paths):
    """What must not change in files that are only read: their bytes and when they were written."""
    return {path: (digest(path), path.stat().st_mtime_ns, path.stat().st_size, path.stat().st_mode)
            for path in paths}
