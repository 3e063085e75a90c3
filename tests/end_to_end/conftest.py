"""What every end-to-end test needs: the program, a place for data, small trained models."""

import atexit
import collections
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

import layouts
from program import OBJECTIVE_FLAGS, PROGRAM, Program
from trained import Run

_remarks = []
_passed = []

# Small files are in memory: nearly all that these tests write is synced at once, and what a test
# would wait for is the disk. Tests of much data are marked `disk`.
MEMORY = Path("/dev/shm")
ROOM = 2**30  # bytes that must be free there

# For a program that carries a sanitizer. Memory that is lost is looked for by the unit tests: here
# it would be libhdf5's, which loses some on damaged files, and the C library's, on locales.
os.environ["ASAN_OPTIONS"] = "detect_leaks=0"


def label_each_third(items):
    """Of a test with the mark each_third_fast, every third case is fast, and the others are slow."""
    cases = collections.Counter()
    for item in items:
        if item.get_closest_marker("each_third_fast"):
            item.add_marker("slow" if cases[item.originalname] % 3 else "fast")
            cases[item.originalname] += 1


@pytest.hookimpl(tryfirst=True)  # before cases are chosen by their labels
def pytest_collection_modifyitems(config, items):
    """Refuses what has no label, and keeps part K of N of each label where RHOHAT_PART is K/N."""
    label_each_third(items)
    part, parts = map(int, os.environ.get("RHOHAT_PART", "0/1").split("/"))
    by_label = {"fast": [], "slow": []}
    for item in items:
        labels = [label for label in by_label if item.get_closest_marker(label)]
        if len(labels) != 1:
            raise pytest.UsageError(f"{item.nodeid} must be marked either fast or slow")
        by_label[labels[0]].append(item)
    kept = {item for same in by_label.values() for item in same[part::parts]}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]
    if not config.option.collectonly and not any(item.get_closest_marker("disk") for item in items):
        keep_files_in_memory(config)


def keep_files_in_memory(config):
    """From now on, for this session; what its tests leave stays there where one of them fails."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free < ROOM:
        return
    folder = tempfile.mkdtemp(prefix="rhohat-test-", dir=MEMORY)
    os.environ["PYTEST_DEBUG_TEMPROOT"] = folder  # pytest's name for where its folders are
    # The last to be done, after what pytest itself tidies up.
    atexit.register(lambda: _passed and shutil.rmtree(folder, ignore_errors=True))


def pytest_sessionfinish(exitstatus):
    if exitstatus == 0:
        _passed.append(True)


def pytest_terminal_summary(terminalreporter):
    for remark in _remarks:
        terminalreporter.write_line(f"remark: {remark}")


@pytest.fixture
def remark():
    """Says something in the summary of the run, also when all is well."""
    return _remarks.append


@pytest.fixture(scope="session")
def rhohat():
    if not PROGRAM.exists():
        pytest.fail(f"no program at {PROGRAM}: build it, or set RHOHAT", pytrace=False)
    return Program()


@pytest.fixture(scope="session")
def sanitized(rhohat):
    """Whether the program carries a sanitizer, whose own memory and time do not count."""
    content = rhohat.path.read_bytes()
    return b"__asan_init" in content or b"__tsan_init" in content


@pytest.fixture
def random(request):
    """A generator of random numbers, its own for each test and the same on every run."""
    return np.random.default_rng(list(request.node.nodeid.encode()))


@pytest.fixture
def small_data(tmp_path, random):
    """A sound file of 60 rows that fits the small models."""
    return layouts.write(tmp_path / "rows.h5", layouts.values(random, 60))


@pytest.fixture(scope="session")
def models(rhohat, tmp_path_factory):
    """Small trained models, by precision: 12 inputs, 5 hidden units, biases not zero.

    Their blocks of 16 rows, which later commands keep to, cut across chunks and files of the tests'
    data and leave a short one at the end.
    """
    folder = tmp_path_factory.mktemp("models")
    data = layouts.write(folder / "rows.h5", layouts.values(np.random.default_rng(1), 200))
    trained = {}
    for precision in ("float32", "float64"):
        run = folder / precision
        rhohat.ok("train", data, "--hidden", 5, "--iterations", 2, "--block-rows", 16,
                  "--precision", precision, *OBJECTIVE_FLAGS, "--run", run)
        trained[precision] = run / "model.safetensors"
    return trained


@pytest.fixture(scope="session")
def model(models):
    return models["float32"]


@pytest.fixture(scope="session")
def run(rhohat, tmp_path_factory):
    """A run with L-BFGS in float32."""
    return Run(rhohat, tmp_path_factory.mktemp("lbfgs"), "--iterations", 30)


@pytest.fixture(scope="session")
def descent(rhohat, tmp_path_factory):
    """A run with gradient descent in float64."""
    return Run(rhohat, tmp_path_factory.mktemp("gd"), "--iterations", 15, "--optimizer", "gd",
               "--learning-rate", 0.2, "--precision", "float64")


@pytest.fixture(params=["run", "descent"])
def any_run(request):
    return request.getfixturevalue(request.param)
