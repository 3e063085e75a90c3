"""What plan promises of a run holds in the run: memory, disk, and a job that has what it asks for."""

import json
import re

import h5py
import pytest

import layouts
from program import peak_of

pytestmark = pytest.mark.fast


@pytest.fixture
def data(tmp_path, random):
    return layouts.write(tmp_path / "rows.h5", layouts.values(random, 20_000, columns=100),
                         chunks=(500, 100))


def plan(rhohat, data, *flags, **options):
    done = rhohat.ok("plan", data, "--hidden", 30, "--json", *flags, **options)
    return json.loads(done.stdout)


def test_the_time_is_measured_on_the_data(rhohat, data):
    found = plan(rhohat, data, "--optimizer", "adam,lbfgs", "--epochs", 3, "--iterations", 7)
    time = found["time"]
    assert 0 < time["rows_measured"] <= 20_000
    assert 0 < time["seconds_measuring"] < 20
    assert time["seconds_per_evaluation"] >= 20_000 / time["compute_rows_per_second"] * 0.999
    assert [(method["method"], method["unit"], method["units_at_most"]) for method in time["methods"]
            ] == [("adam", "epoch", 3), ("lbfgs", "iteration", 7)]
    assert time["seconds_at_most"] >= sum(method["seconds_at_most"] for method in time["methods"])
    assert re.search(r"^#SBATCH --time=[0-9-]*[0-9]{2}:[0-9]{2}:00$", found["batch_header"], re.M)


def test_without_a_measurement_there_is_no_time(rhohat, data):
    found = plan(rhohat, data, "--measure", "off")
    assert found["time"] is None
    assert "--time" not in found["batch_header"]
    found = plan(rhohat, data, "--measure", "off", "--max-time", "2h")
    assert "#SBATCH --time=02:30:00\n" in found["batch_header"]


@pytest.mark.parametrize("flags", [[], ["--memory", "90M"], ["--threads", 1],
                                   ["--optimizer", "adam", "--hidden", "30,10"]])
def test_a_job_that_asks_for_the_header_runs_as_planned(rhohat, data, flags):
    flags = flags if "--hidden" in flags else ["--hidden", 30, *flags]
    planned = json.loads(rhohat.ok("plan", data, "--measure", "off", "--json", *flags).stdout)
    asked = dict(re.findall(r"#SBATCH --([a-z-]+)=(\S+)", planned["batch_header"]))
    job = {"SLURM_CPUS_PER_TASK": asked["cpus-per-task"],
           "SLURM_MEM_PER_NODE": asked["mem"].removesuffix("M")}
    flags = [flag for flag in flags if flag not in ("--memory", "90M", "--threads", 1)]
    inside = json.loads(rhohat.ok("plan", data, "--measure", "off", "--json", *flags,
                                  environment=job).stdout)
    assert "SLURM_MEM_PER_NODE" in inside["budget_source"]
    for name in ("threads", "schedule", "kept_rows", "kept_codes", "lanes", "block_rows"):
        assert inside[name] == planned[name], name


def test_measuring_keeps_to_the_memory_planned(rhohat, data, sanitized, remark):
    least = plan(rhohat, data, "--measure", "off")["least_bytes"]
    peak = peak_of(rhohat, "plan", data, "--hidden", 30, "--memory", least)
    if sanitized:
        remark("a sanitizer's memory comes on top of the program's: plan's peak not compared")
    else:
        assert peak < least


@pytest.mark.parametrize("flags", [["--optimizer", "lbfgs"], ["--optimizer", "cg", "--tied"],
                                   ["--optimizer", "adam", "--epochs", 2],
                                   ["--precision", "float64", "--prepare", "zca:0.1"]])
def test_the_run_folder_is_no_larger_than_planned(rhohat, data, tmp_path, flags):
    flags = ["--hidden", 30, "--iterations", 2, "--checkpoint-every", "0s", *flags]
    disk = json.loads(rhohat.ok("plan", data, "--measure", "off", "--json", *flags).stdout)["disk"]
    run = tmp_path / "run"
    rhohat.ok("train", data, "--run", run, *flags)
    assert (run / "model.safetensors").stat().st_size <= disk["model_bytes"]
    checkpoints = [path.stat().st_size for path in (run / "checkpoints").iterdir()]
    assert len(checkpoints) < disk["checkpoints"]
    assert max(checkpoints) <= disk["checkpoint_bytes"]
    files = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    assert files <= disk["total_bytes"]
    assert disk["free_bytes"] > 0


def test_too_little_memory_is_an_error_before_anything_is_measured(rhohat, data):
    error = rhohat.fails(64, "plan", data, "--hidden", 30, "--memory", "20M")
    assert "at least" in error


def test_data_larger_than_the_measurement_is_not_read_to_its_end(rhohat, tmp_path):
    path = tmp_path / "sparse.h5"
    with h5py.File(path, "w") as file:  # never written: a file of few bytes, read as zeros
        file.create_dataset("data", (50_000_000, 100), "float32", chunks=(1000, 100))
    time = plan(rhohat, path, "--optimizer", "lbfgs", timeout=100)["time"]
    assert time["rows_measured"] < 50_000_000
    assert any("the first" in remark for remark in time["remarks"])
