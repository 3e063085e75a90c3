"""Threads and memory follow what a batch system gave; flags beat it, and say so."""

import json
import os
from pathlib import Path

import pytest

import layouts
from control_groups import cpu_quota, entering
from runs import wait_for_lines

pytestmark = pytest.mark.fast

MEBIBYTE = 2**20


def plan(rhohat, data, *flags, **options):
    return json.loads(rhohat.ok("plan", data, "--hidden", 5, "--measure", "off", "--json",
                                *flags, **options).stdout)


def test_slurms_limits_are_found(rhohat, small_data):
    job = {"SLURM_CPUS_PER_TASK": "1", "SLURM_MEM_PER_NODE": "800"}
    found = plan(rhohat, small_data, environment=job)
    assert found["threads"] == 1
    assert "SLURM_CPUS_PER_TASK" in found["threads_source"]
    assert found["budget_bytes"] == 800 * MEBIBYTE // 8 * 7
    assert found["budget_source"].startswith("7/8 of 800 MiB (SLURM_MEM_PER_NODE)")
    assert found["warnings"] == []
    job = {"SLURM_CPUS_PER_TASK": "1", "SLURM_MEM_PER_CPU": "300", "SLURM_CPUS_ON_NODE": "2"}
    assert plan(rhohat, small_data, environment=job)["budget_bytes"] == 600 * MEBIBYTE // 8 * 7


def test_flags_beat_the_limits_with_a_warning(rhohat, small_data, tmp_path):
    job = {"SLURM_CPUS_PER_TASK": "1", "SLURM_MEM_PER_NODE": "800"}
    flags = ["--threads", 2, "--memory", "900M"]
    found = plan(rhohat, small_data, *flags, environment=job)
    assert (found["threads"], found["budget_bytes"]) == (2, 900 * MEBIBYTE)
    assert len(found["warnings"]) == 2
    rhohat.ok("train", small_data, "--hidden", 5, "--iterations", 1, "--run", tmp_path / "run", *flags,
              environment=job)
    log = (tmp_path / "run/run.log").read_text()
    for warning in found["warnings"]:
        assert f"warning: {warning}" in log
    assert plan(rhohat, small_data, "--threads", 1, "--memory", "700M", environment=job)["warnings"] == []


def test_too_little_memory_for_the_job_is_an_error_that_says_whose_limit_it_is(rhohat, small_data):
    error = rhohat.fails(64, "plan", small_data, "--hidden", 5,
                         environment={"SLURM_MEM_PER_NODE": "20"})
    assert "SLURM_MEM_PER_NODE" in error
    assert "at least" in error


@pytest.fixture
def training(rhohat, tmp_path, random):
    """Starts runs that would go on for hours; returns the process past its first iteration."""
    data = layouts.write(tmp_path / "rows.h5", layouts.values(random, 6000, columns=200))
    started = []

    def start(*flags, **options):
        run = tmp_path / f"run{len(started)}"
        process = rhohat.start("train", data, "--hidden", 100, "--optimizer", "lbfgs", "--iterations",
                               1_000_000, "--tolerance", 0, "--run", run, *flags, **options)
        started.append(process)
        wait_for_lines(process, run)
        return process, run

    yield start
    for process in started:
        process.kill()
        process.communicate()


def threads_of(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("Threads:")[1].split()[0])


def test_a_quota_of_one_processor_is_one_thread(training, remark):
    if len(os.sched_getaffinity(0)) < 2:
        remark("one processor only: a quota of one was not tested")
        return
    with cpu_quota(1) as (group, why_not):
        if group is None:
            remark(f"no CPU control group could be made ({why_not}): a quota was not tested")
            return
        process, run = training(preexec_fn=entering(group))
        alone, _ = training("--threads", 1)
        assert threads_of(process) == threads_of(alone)
        process.kill()
        process.wait()
    log = (run / "run.log").read_text()
    assert "info: threads: 1, the CPU quota of the control group; the affinity mask: " in log


@pytest.mark.parametrize("threads", [1, 2])
def test_blas_brings_no_threads_of_its_own(training, threads):
    counts = set()
    for asked in ("1", "2", "8"):
        environment = {"OPENBLAS_NUM_THREADS": asked, "OMP_NUM_THREADS": asked}
        process, _ = training("--threads", threads, environment=environment)
        counts.add(threads_of(process))
        process.kill()
        process.wait()
    assert len(counts) == 1
