"""Models of a grid, from one read of the data, are the ones trained alone; and they survive a stop
and a kill as those do."""

import json
import signal

import pytest

import layouts
from faults import fault
from program import OBJECTIVE_FLAGS, peak_of
from runs import FLAGS, end_of, hidden, interrupted, make_data, metric_lines, outcome

GRID = ("--grid", "beta=1,3", "--grid", "rho=0.05,0.1")
NAMES = [f"rho={rho},beta={beta}" for rho in ("0.05", "0.1") for beta in (1, 3)]
COMMON = ("--threads", 1, "--block-rows", 512, "--tolerance", 0)


@pytest.fixture
def data(tmp_path):
    return make_data(tmp_path / "rows.h5")


def alone(rhohat, data, run, flags, name):
    """The outcome of one of the models without the others."""
    point = [word for part in name.split(",") for word in ("--" + part.split("=")[0],
                                                           part.split("=")[1])]
    kept = [word for i, word in enumerate(flags)
            if not {str(word), str(flags[i - 1])} & {"--rho", "--beta"}]
    rhohat.ok("train", data, *kept, *COMMON, *point, "--run", run)
    return outcome(run)


@pytest.mark.parametrize("kind", [
    pytest.param("lbfgs_two_pass", marks=pytest.mark.fast),
    pytest.param("lbfgs_fused", marks=pytest.mark.slow),
    pytest.param("cg", marks=pytest.mark.slow),
    pytest.param("progressive", marks=pytest.mark.fast)])
def test_each_model_is_the_one_trained_alone(rhohat, tmp_path, data, kind):
    done = rhohat.ok("train", data, *FLAGS[kind], *COMMON, *GRID, "--run", tmp_path / "grid")
    assert sorted(path.name for path in (tmp_path / "grid").iterdir()) == sorted(NAMES)
    for name in NAMES:
        run = tmp_path / "grid" / name
        assert outcome(run) == alone(rhohat, data, tmp_path / name, FLAGS[kind], name), name
        cost = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["cost"]
        row = next(line.split() for line in done.stdout.splitlines() if line.startswith(name))
        assert float(row[1]) == pytest.approx(cost, rel=1e-5)
        assert int(row[2]) == len(metric_lines(run)) - 1
    assert "\r" not in done.stderr and "\033" not in done.stderr


@pytest.mark.parametrize("attempts", [pytest.param(2, marks=pytest.mark.fast),
                                      pytest.param(6, marks=pytest.mark.slow)])
def test_signals_and_kills_change_nothing(rhohat, tmp_path, data, attempts):
    flags = (*FLAGS["lbfgs_fused"][:-2], "--iterations", 200, *COMMON)
    whole, run = tmp_path / "whole", tmp_path / "run"
    rhohat.ok("train", data, *flags, *GRID, "--run", whole)
    words = ("train", data, *flags, *GRID, "--run", run, "--resume", "auto",
             "--checkpoint-every", "0s")
    for attempt in range(attempts):
        environment = fault(do="TERM", at=10 + 20 * attempt, call="write", path="metrics")
        code, stderr = end_of(rhohat.start(*words, environment=environment))
        if code == 0 and attempt > 0:  # what the kills let pass is chance
            break
        assert code == 75, stderr
        assert "--resume auto" in stderr.splitlines()[-1]
        code, stderr = interrupted(rhohat, words, 0.08 + 0.06 * attempt)
        assert code in (0, -signal.SIGKILL), stderr
    rhohat.ok(*words)
    assert hidden(run) == []
    for name in NAMES:
        assert outcome(run / name) == outcome(whole / name), name
    assert rhohat.ok(*words).stderr.count("finished already") == 1


@pytest.mark.fast
def test_a_stopped_model_goes_on_alone(rhohat, tmp_path, data):
    run = tmp_path / "run"
    flags = (*FLAGS["gd"][:-2], "--iterations", 10_000_000, *COMMON)
    words = ("train", data, *flags, *GRID, "--run", run, "--resume", "auto")
    for seconds in (0.5, 2, 8, 32):  # a machine may be too busy to get anywhere in a moment
        code, stderr = end_of(rhohat.start(*words, "--max-time", f"{seconds}s"))
        assert code == 75, stderr
        assert "--max-time" in stderr.splitlines()[-1]
        if all((run / name / "metrics.jsonl").exists() and metric_lines(run / name)
               for name in NAMES):
            break
    for name in NAMES:
        status = json.loads(rhohat.ok("status", "--json", run / name).stdout)
        assert status["state"] in ("stopped", "interrupted"), status
        rhohat.ok("evaluate", sorted((run / name / "checkpoints").iterdir())[-1], data)
    code, _ = end_of(rhohat.start("train", "--resume", run / NAMES[2], "--max-time", "0.5s"))
    assert code == 75


@pytest.mark.fast
def test_what_cannot_be_a_grid_is_refused_at_once(rhohat, tmp_path, data):
    words = ("train", data, "--hidden", 6, "--run", tmp_path / "run")
    for flags, expected in (
            (("--grid", "hidden=5,6"), "one width"),
            (("--grid", "lamda=1,2"), "did you mean lambda?"),
            (("--grid", "beta=1,1.0"), "given twice"),
            (("--grid", "beta="), "such as rho=0.05,0.1"),
            (("--grid", "beta=1,3", "--grid", "beta=4"), "given twice"),
            (("--grid", "rho=0.1,1.5"), "rho=1.5"),
            (("--grid", "beta=1,3", "--optimizer", "adam"), "array of jobs"),
            (("--grid", "seed=1,2"), "samples")):
        assert expected in rhohat.fails(64, *words, *flags), flags
    assert not (tmp_path / "run").exists()


@pytest.mark.fast
def test_a_folder_that_is_taken_is_refused_and_nothing_made(rhohat, tmp_path, data):
    taken = tmp_path / "run" / NAMES[-1]
    rhohat.ok("train", data, "--hidden", 6, *OBJECTIVE_FLAGS, "--iterations", 1, "--run", taken)
    line = rhohat.fails(73, "train", data, "--hidden", 6, *GRID, "--run", tmp_path / "run")
    assert str(taken) in line
    assert [path.name for path in (tmp_path / "run").iterdir()] == [NAMES[-1]]


@pytest.mark.fast
def test_one_that_diverges_does_not_end_the_others(rhohat, tmp_path, data):
    line = rhohat.fails(64, "train", data, "--hidden", 6, "--optimizer", "gd", "--beta", 0,
                        "--activation", "linear", "--decoder", "linear", "--iterations", 20,
                        "--grid", "learning-rate=1e30,0.001", "--run", tmp_path / "run",
                        alone=False)
    assert "learning-rate=1e30" in line and "diverged" in line
    assert (tmp_path / "run/learning-rate=0.001/model.safetensors").exists()


@pytest.mark.fast
def test_the_folder_of_a_grid_is_no_run(rhohat, tmp_path, data):
    run = tmp_path / "run"
    words = ("train", data, "--hidden", 6, "--iterations", 1, "--run", run)
    rhohat.ok(*words, *GRID)
    assert "models of a grid" in rhohat.fails(73, *words)
    assert f"rhohat status {run}/*" in rhohat.fails(66, "status", run)
    assert "models of a grid" in rhohat.fails(66, "train", "--resume", run)
    data.unlink()
    assert "4 of them finished already" in rhohat.ok(*words, *GRID, "--resume", "auto").stderr


@pytest.mark.fast
def test_the_plan_counts_each_model_and_reading_once(rhohat, data):
    def plan(*flags):
        done = rhohat.ok("plan", data, "--hidden", 6, "--measure", "off", "--json", *flags)
        found = json.loads(done.stdout)
        return found, {item["name"]: item["bytes"] for item in found["items"]}

    one, of_one = plan("--optimizer", "lbfgs")
    four, of_four = plan("--optimizer", "lbfgs", *GRID)
    assert (one["models"], four["models"]) == (1, 4)
    for name in ("optimiser", "gradient", "lanes", "workspace", "model", "codes"):
        assert of_four[name] == 4 * of_one[name], name
    for name in ("process", "read-ahead", "cache"):
        assert of_four[name] == of_one[name], name
    assert four["bytes_read_per_evaluation"] == one["bytes_read_per_evaluation"]
    assert four["flops_per_evaluation"] == 4 * one["flops_per_evaluation"]
    assert four["disk"]["total_bytes"] == 4 * one["disk"]["total_bytes"]


@pytest.mark.fast
def test_a_grid_keeps_within_the_least_memory(rhohat, tmp_path, random, sanitized):
    data = layouts.write(tmp_path / "rows.h5", layouts.values(random, 30_000, columns=100),
                         chunks=(500, 100))
    flags = ("--hidden", 30, "--iterations", 3, "--grid", "beta=1,2,3,4", "--grid", "lambda=0,1e-3")
    planned = json.loads(rhohat.ok("plan", data, *flags, "--measure", "off", "--json").stdout)
    least = planned["least_bytes"]
    peak = peak_of(rhohat, "train", data, *flags, "--memory", least, "--run", tmp_path / "run")
    assert sanitized or peak <= least
