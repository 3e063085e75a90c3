"""Calls of the system that go wrong: what tests/fault/fault_plan.h offers, from Python."""

import os
from dataclasses import dataclass

from program import BUILD

LIBRARY = BUILD / "tests/fault/librhohat_fault.so"


@dataclass(frozen=True)
class Call:
    """One that was counted: the how many-th, its name, how many bytes it is about, and the path."""

    number: int
    name: str
    size: int
    path: str


def fault(do="", at=0, call="", path="", least=0, lasting=False, log=None):
    """The environment in which the call of that number goes wrong; with none, they are counted."""
    return {
        "LD_PRELOAD": str(LIBRARY),
        # The sanitizer's library wants to be the first; ours takes over no function of its own.
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
        "FAULT_CALL": call, "FAULT_PATH": str(path), "FAULT_LEAST": str(least),
        "FAULT_AT": str(at), "FAULT_DO": do, "FAULT_LASTING": "1" if lasting else "",
        "FAULT_LOG": str(log or ""),
    }


def read_log(path):
    if not path.exists():
        return []
    lines = [line.split(" ", 3) for line in path.read_text().splitlines()]
    return [Call(int(number), name, int(size), where) for number, name, size, where in lines]


def calls_of(rhohat, log, *arguments, codes=(0,), **which):
    """Runs the program; returns the calls that it makes."""
    log.unlink(missing_ok=True)
    result = rhohat(*arguments, environment=fault(log=log, **which))
    assert result.code in codes, str(result)
    return read_log(log)
