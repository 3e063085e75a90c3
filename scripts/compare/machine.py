"""How much of the machine others use while something is measured, and waiting until it is little.

From /proc/stat, so on Linux only. Threads that wait for each other, as PyTorch's do at the end of
every product, lose far more than their share when others take a processor from one of them: a
figure means something only where nobody did.
"""

import os
import time

QUIET = 0.08  # of the processors, others' share below which the machine counts as quiet


def _busy_seconds():
    """Processor seconds used on the whole machine since it started, other guests' included."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, interrupt, soft, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + interrupt + soft + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Others:
    """Watches from its construction on."""

    def __init__(self):
        self.begin, self.busy, self.own = time.perf_counter(), _busy_seconds(), _own_seconds()

    def share(self):
        """Of all processors' time since then, from 0 to 1, what other processes used."""
        all_time = (time.perf_counter() - self.begin) * os.cpu_count()
        used = _busy_seconds() - self.busy - (_own_seconds() - self.own)
        return min(1.0, max(0.0, used / all_time)) if all_time > 0 else 0.0


def wait_until_quiet(patience):
    """Returns when others have left the machine alone for a second, or after `patience` seconds."""
    until = time.perf_counter() + patience
    while time.perf_counter() < until:
        others = Others()
        time.sleep(1.0)
        if others.share() <= QUIET:
            return
