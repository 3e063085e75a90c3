"""Rows made from rows by encode, reconstruct and score, for models of every kind, by the oracle."""

import json

import h5py
import numpy as np
import pytest

import layouts
import objectives
import oracle
import preparations
from objectives import FACTORS, Case

CASES = [
    Case(),
    Case(activation="tanh", decoder="linear", tied=True, depth=3, prepare="standardize"),
    Case(activation="relu", decoder="tanh", noise="mask:0.3", depth=2, width="over",
         prepare="zca:0.1"),
    Case(activation="linear", decoder="linear", noise="gaussian:0.2", prepare="pca:0.1"),
    Case(loss="cross-entropy", noise="salt-pepper:0.4", depth=2, prepare="global"),
    Case(loss="cross-entropy", tied=True, width="over", prepare="range:-1:3"),
]
CUTS = (0, 1, 6, objectives.ROWS)  # of the rows, into files

assert {case.prepare for case in CASES} == set(FACTORS["prepare"])


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture(params=["float64", "float32"])
def precision(request):
    return request.param


@pytest.fixture
def made(case, precision, random, tmp_path):
    """(rows, model, its path, the rows' files)."""
    rows = objectives.rows_for(case.prepare, random)
    model = objectives.model_of(case, rows, random)
    model = model if precision == "float64" else model.rounded()
    files = [layouts.write(tmp_path / f"part{i}.h5", rows[begin:end])
             for i, (begin, end) in enumerate(zip(CUTS, CUTS[1:]))]
    return rows.astype("f8"), model, model.write(tmp_path / "model.safetensors"), files


def values_of(model, rows):
    """(sums, values) of all layers, of rows that are prepared but not corrupted."""
    return oracle.forward(model.parameters, model.prepared(rows), model.objective.activation,
                          model.objective.decoder)


def written(path, name):
    with h5py.File(path) as file:
        assert list(file) == [name]
        return file[name][:]


def check(found, expected, precision, stored=None):
    assert found.dtype == (stored or precision)
    assert found.shape == expected.shape
    tolerance = 1e-12 if precision == "float64" else 1e-5
    assert np.allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.each_third_fast
def test_codes_of_each_layer(rhohat, case, made, precision, tmp_path):
    rows, model, path, files = made
    _, values = values_of(model, rows)
    for layer in range(1, case.depth + 1):
        rhohat.ok("encode", path, *files, "--layer", layer, "--out", tmp_path / "codes.h5")
        check(written(tmp_path / "codes.h5", "codes"), values[layer], precision)
    inner = written(tmp_path / "codes.h5", "codes")
    rhohat.ok("encode", path, *files, "--out", tmp_path / "codes.h5")
    assert np.array_equal(written(tmp_path / "codes.h5", "codes"), inner)


@pytest.mark.each_third_fast
def test_reconstruction_in_the_units_of_the_data(rhohat, made, precision, tmp_path):
    rows, model, path, files = made
    _, values = values_of(model, rows)
    expected = preparations.undo(model.prepare, model.prepare_arrays, values[-1], rows)
    rhohat.ok("reconstruct", path, *files, "--out", tmp_path / "rows.h5")
    check(written(tmp_path / "rows.h5", "reconstruction"), expected, precision)


@pytest.mark.each_third_fast
def test_scores(rhohat, made, precision, tmp_path):
    rows, model, path, files = made
    sums, values = values_of(model, rows)
    prepared = model.prepared(rows)
    expected = [oracle.total_loss(model.objective.loss, *row)
                for row in zip(prepared, sums[-1], values[-1])]
    rhohat.ok("score", path, *files, "--out", tmp_path / "scores.h5")
    scores = written(tmp_path / "scores.h5", "scores")
    check(scores, np.array(expected)[:, None], precision, stored="float64")
    shown = rhohat.ok("evaluate", path, *files, "--noise", "none", "--json")
    assert scores.mean() == pytest.approx(json.loads(shown.stdout)["reconstruction"], rel=1e-13)


@pytest.mark.fast
@pytest.mark.parametrize("layer", ["0", "2", "-1", "1.5"])
def test_a_layer_that_there_is_not(rhohat, run, tmp_path, layer):
    line = rhohat.fails(64, "encode", run.model, run.data, "--layer", layer, "--out",
                        tmp_path / "codes.h5")
    assert "--layer" in line
    assert not (tmp_path / "codes.h5").exists()


@pytest.mark.fast
def test_a_row_without_a_score_is_named(rhohat, tmp_path, random):
    case = Case(loss="cross-entropy")
    rows = objectives.rows_for(case.prepare, random)
    path = objectives.model_of(case, rows, random).write(tmp_path / "model.safetensors")
    rows[7, 3] = 1.5
    data = layouts.write(tmp_path / "rows.h5", rows)
    line = rhohat.fails(65, "score", path, data, "--out", tmp_path / "scores.h5")
    assert "row 7, column 3" in line and "1.5" in line
    assert not (tmp_path / "scores.h5").exists()


@pytest.mark.fast
@pytest.mark.parametrize("prepare", ["standardize", "zca:0.1", "global"])
def test_a_spread_far_from_zero_survives_in_float32(rhohat, tmp_path, random, prepare):
    """Such as times in milliseconds: as float32 the rows themselves would nearly all be alike."""
    offset = 1.7e12 if prepare != "global" else 1.7e6
    rows = np.round(offset + random.normal(scale=500, size=(300, 8)))
    kinds = {"data": rows, "near": rows - offset}
    codes = {}
    for name, array in kinds.items():
        data = layouts.write(tmp_path / f"{name}.h5", array.astype("i8"))
        run = tmp_path / name
        rhohat.ok("train", data, "--hidden", 4, "--activation", "tanh", "--decoder", "linear",
                  "--prepare", prepare, "--iterations", 0, "--run", run)
        rhohat.ok("encode", run / "model.safetensors", data, "--out", tmp_path / f"{name}.codes")
        codes[name] = written(tmp_path / f"{name}.codes", "codes")
    assert np.allclose(codes["data"], codes["near"], atol=2e-3 if prepare != "global" else 1e-5)
    assert len(np.unique(codes["data"], axis=0)) == len(rows)
