"""What the tests with a real Slurm need: the cluster, the program, and data to train on."""

import pytest

from cluster import Cluster, why_impossible
from program import PROGRAM, Program

SKIPPED = 77  # what ctest takes for "skipped" (CMakeLists.txt)


def pytest_sessionstart(session):
    reason = why_impossible()
    if reason is not None and not session.config.option.collectonly:
        pytest.exit(f"SKIPPED: the tests with Slurm: {reason}", returncode=SKIPPED)


@pytest.fixture(scope="session")
def rhohat():
    if not PROGRAM.exists():
        pytest.fail(f"no program at {PROGRAM}: build it, or set RHOHAT", pytrace=False)
    return Program()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("cluster") / "slurm") as running:
        yield running


@pytest.fixture(scope="session")
def data(rhohat, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "data.h5"
    rhohat.ok("synth", path, "--rows", 20000, "--patch", "8x8", "--seed", 1)
    return path
