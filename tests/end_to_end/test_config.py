"""Configuration files: with flags above them, strict about names, and a run's own makes it again."""

import json
import os
import subprocess
import tomllib

import pytest

import layouts
from program import OBJECTIVE_FLAGS, PATIENCE, leftovers

pytestmark = pytest.mark.fast


@pytest.fixture
def config(tmp_path, small_data):
    path = tmp_path / "run.toml"
    path.write_text(f"""# every run of this series
hidden = 5

[data]
files = ["{small_data}"]

[objective]
rho = 0.1
lambda = 3e-3

[optimiser]
optimizer = ["adam", "lbfgs"]
epochs = 2
iterations = 3

[run]
run = "{tmp_path / "from-file"}"
""")
    return path


def recorded(run):
    return tomllib.loads((run / "config.toml").read_text())


def test_a_file_stands_for_data_and_flags(rhohat, tmp_path, config, small_data):
    rhohat.ok("train", "--config", config)
    found = recorded(tmp_path / "from-file")
    assert found["data"]["files"] == [str(small_data)]
    assert found["network"]["hidden"] == 5
    assert found["objective"]["rho"] == 0.1
    assert found["optimiser"]["optimizer"] == "adam,lbfgs"
    assert found["optimiser"]["history"] == 20, "a default"


def test_flags_beat_the_file(rhohat, tmp_path, config, random):
    other = layouts.write(tmp_path / "other.h5", layouts.values(random, 40))
    rhohat.ok("train", other, "--rho", 0.2, "--config", config, "--run", tmp_path / "run")
    found = recorded(tmp_path / "run")
    assert found["data"]["files"] == [str(other)]
    assert (found["objective"]["rho"], found["objective"]["lambda"]) == (0.2, 3e-3)
    assert not (tmp_path / "from-file").exists()


@pytest.mark.parametrize("flags", [
    ["--hidden", 5, "--optimizer", "lbfgs"],
    ["--hidden", 5, "--optimizer", "progressive", "--first-sample", 20],
    ["--hidden", 5, "--optimizer", "adam,cg", "--epochs", 2, "--batch", 16, "--noise", "mask:0.25", "--seed", 7],
    ["--hidden", "6,4", "--greedy", "--prepare", "standardize", "--decoder", "linear",
     "--precision", "float64", "--schedule", "cached", "--optimizer", "gd"]])
def test_a_runs_own_configuration_makes_the_same_model(rhohat, tmp_path, small_data, flags):
    rhohat.ok("train", small_data, "--iterations", 4, *OBJECTIVE_FLAGS,
              "--memory", "256M", "--run", tmp_path / "old", *flags)
    rhohat.ok("train", "--config", tmp_path / "old/config.toml", "--run", tmp_path / "new")
    old, new = ((tmp_path / run / "model.safetensors").read_bytes() for run in ("old", "new"))
    assert old == new
    texts = [(tmp_path / run / "config.toml").read_text() for run in ("old", "new")]
    assert texts[0].replace(str(tmp_path / "old"), str(tmp_path / "new")) == texts[1]


def test_files_of_any_name_are_found_again(rhohat, tmp_path, random):
    name = os.fsencode(tmp_path) + b'/a "quoted" \\ caf\xe9\n\t#1=[x] \xe2\x82\xac.h5'
    rows = layouts.values(random, 60)
    os.rename(layouts.write(tmp_path / "rows.h5", rows), name)
    # What it prints holds the name, and so is no UTF-8.
    for arguments in ([name, "--hidden", "5", "--iterations", "2", "--run", tmp_path / "old"],
                      ["--config", tmp_path / "old/config.toml", "--run", tmp_path / "new"]):
        subprocess.run([rhohat.path, "train", *arguments], check=True, capture_output=True,
                       timeout=PATIENCE)
    old, new = ((tmp_path / run / "model.safetensors").read_bytes() for run in ("old", "new"))
    assert old == new


def test_plan_and_bench_take_the_same_file(rhohat, config):
    plan = json.loads(rhohat.ok("plan", "--config", config, "--threads", 1, "--json").stdout)
    assert (plan["rows"], plan["columns"], plan["threads"]) == (60, 12, 1)
    bench = rhohat.ok("bench", "--config", config, "--seconds", 0.3, "--json")
    assert json.loads(bench.stdout)["network"] == "12–5–12"


@pytest.mark.parametrize("text, expected", [
    ("[objective]\nrhoo = 1\n", ":2: unknown key 'rhoo' in [objective]: did you mean 'rho' in"),
    ("[optimizer]\n", ":1: unknown table [optimizer]: did you mean [optimiser]?"),
    ("[network]\n\nhidden = true\n", ":3: hidden: expected a number, a string, or an array"),
    ("hidden = [\n", "not TOML")])
def test_faults_of_a_file_are_errors_with_their_line(rhohat, tmp_path, small_data, text, expected):
    config = tmp_path / "run.toml"
    config.write_text(text)
    error = rhohat.fails(64, "train", small_data, "--config", config, "--run", tmp_path / "run")
    assert f"{config}:" in error and expected in error
    assert leftovers(tmp_path) == [] and not (tmp_path / "run").exists()


def test_what_neither_flags_nor_file_have_is_missing(rhohat, tmp_path, small_data):
    config = tmp_path / "run.toml"
    config.write_text("hidden = 5\n")
    error = rhohat.fails(64, "train", "--config", config)
    assert "missing DATA... and --run" in error
    error = rhohat.fails(66, "train", small_data, "--config", tmp_path / "none.toml")
    assert "none.toml" in error
