"""Whatever an HDF5 file holds, the program ends soon, within its memory, and by its own decision.

That is: with success where the rows can be read, else with one line and the exit code for bad data;
never by a signal, and never with rows that are not in the file.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

import hostile
import layouts
from program import Result

BUDGET = "192M"
BUDGET_BYTES = 192 * 2**20
MOST_SECONDS = 30  # of a processor: on a machine that others use too, the clock tells nothing
PATIENCE = 200  # seconds by the clock, in which the sanitizer writes to all memory that is asked for
RANDOM_FLIPS = {"btree1_gzip": 90, "fixed_gzip": 30, "extensible_gzip": 15, "btree2_gzip": 15}


@dataclass
class Measured:
    result: Result
    peak_bytes: int
    processor_seconds: float


def measure(program, *arguments):
    """Runs the program to its end, or kills it where it seems to hang."""
    process = program.start(*arguments)
    killer = threading.Timer(PATIENCE, process.kill)
    killer.start()
    with process.stdout, process.stderr:
        stdout, stderr = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    killer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    # Names out of a damaged file may be no text.
    result = Result([str(word) for word in arguments], process.returncode,
                    stdout.decode(errors="replace"), stderr.decode(errors="replace"))
    return Measured(result, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime)


@pytest.fixture(scope="module")
def readers(rhohat):
    """Flags for each way of reading that the program has."""
    return [["--reader", "direct"], ["--reader", "library"]]


def faults_of(case, measured, sanitized, codes):
    """What is wrong with how a case ended, if anything."""
    result = measured.result
    if result.code not in codes:
        return [f"ended with {result.code}, not one of {codes}"]
    faults = []
    if result.code != 0:
        try:
            line = result.error(alone=False)
        except AssertionError as fault:
            return [str(fault)]
        if result.code == 64 and case.needs not in line:
            faults.append("refused as a matter of usage")
        if result.stdout:
            faults.append("printed a result all the same")
    if measured.processor_seconds > MOST_SECONDS and not sanitized:
        faults.append(f"took {measured.processor_seconds:.1f} s")
    if measured.peak_bytes > BUDGET_BYTES and not sanitized:
        faults.append(f"took {measured.peak_bytes >> 20} MiB")
    return faults


def check_all(rhohat, runs, sanitized):
    """`runs`: (case, command line, codes); as many at once as there are processors."""
    def run(job):
        case, arguments, codes = job
        measured = measure(rhohat, *arguments)
        return [f"{case.name}: {fault}: {measured.result}"
                for fault in faults_of(case, measured, sanitized, codes)], measured

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(run, runs))
    faults = [fault for found, _ in outcomes for fault in found]
    assert not faults, "\n".join(faults)
    return [measured for _, measured in outcomes]


def evaluate(model, case, reader):
    return ["evaluate", model, *case.data, "--json", "--memory", BUDGET, *reader]


# Each test twice: with some of its cases, every so many-th of them, and with all.
SOME, SOME_LARGE, ALL = 5, 10, 1
some_and_all = pytest.mark.parametrize("step", [
    pytest.param(SOME, marks=pytest.mark.fast, id="some"),
    pytest.param(ALL, marks=pytest.mark.slow, id="all")])


@pytest.fixture
def random(request):
    """The same for some of a test's cases as for all of them."""
    name = request.node.nodeid.replace("-some]", "]").replace("-all]", "]")
    return np.random.default_rng(list(name.encode()))


@some_and_all
@pytest.mark.parametrize("kind", hostile.HOSTILE)
def test_made_to_break(rhohat, model, tmp_path, random, sanitized, readers, kind, step):
    if step == SOME and kind == "small_files_with_huge_chunks":
        step = SOME_LARGE
    cases = hostile.HOSTILE[kind](tmp_path, random)[::step]
    if kind == "rows_elsewhere":
        readers = [["--reader", "auto"], ["--reader", "library"]]  # not for the direct one
    runs = [(case, evaluate(model, case, reader), case.codes)
            for case in cases for reader in readers]
    expected = {}
    for (case, _, _), measured in zip(runs, check_all(rhohat, runs, sanitized)):
        if measured.result.code == 0 and case.rows is not None:
            key = case.rows.tobytes()
            if key not in expected:
                plain = layouts.write(tmp_path / "plain.h5", case.rows)
                expected[key] = rhohat.ok("evaluate", model, plain, "--json").stdout
            assert measured.result.stdout == expected[key], f"{case.name}: other rows"


@pytest.mark.fast
@pytest.mark.parametrize("kind", ["truncated_and_said_to_end_there", "rows_outside_of_the_file",
                                  "impossible_shapes", "links_in_circles"])
def test_described(rhohat, tmp_path, random, sanitized, kind):
    """`info` reads no rows, so that it may well succeed."""
    cases = hostile.HOSTILE[kind](tmp_path, random)[::3]
    runs = []
    for case in cases:
        flags = [word for word in case.data if word == "--follow-external"]
        runs.append((case, ["info", case.data[0], *flags], (0, *case.codes)))
    check_all(rhohat, runs, sanitized)


@some_and_all
@pytest.mark.parametrize("base", RANDOM_FLIPS)
def test_any_byte_of_the_metadata(rhohat, model, tmp_path, random, sanitized, readers, base, step):
    runs = []
    flips = RANDOM_FLIPS[base] // step
    for number, case in enumerate(hostile.random_flips(tmp_path, random, base, flips)):
        if sanitized and case.name in hostile.SEEN_BY_SANITIZERS_ALONE:
            continue
        commands = [evaluate(model, case, reader) for reader in readers]
        commands.append(["info", *case.data])
        runs.append((case, commands[number % len(commands)], case.codes))
    check_all(rhohat, runs, sanitized)


@pytest.mark.fast
@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.xfail(reason=f"libhdf5 1.10: {reason}"))
    for name, (_, reason) in hostile.FAULTS_OF_THE_LIBRARY.items()])
def test_fault_of_the_library(rhohat, model, tmp_path, random, sanitized, name):
    make, _ = hostile.FAULTS_OF_THE_LIBRARY[name]
    case = make(tmp_path, random)
    check_all(rhohat, [(case, evaluate(model, case, ["--reader", "library"]), case.codes)],
              sanitized)
