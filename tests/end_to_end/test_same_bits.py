"""Same configuration, same bits: neither threads, nor memory, nor the data's layout changes one.

The data is cut into some sixty blocks, so that lanes have several each and threads race.
"""

import h5py
import numpy as np
import pytest

import layouts
import oracle
from program import OBJECTIVE_FLAGS, leftovers

ROWS, COLUMNS = 2003, 20


@pytest.fixture(scope="module")
def rows():
    return layouts.values(np.random.default_rng(7), ROWS, columns=COLUMNS)


def train(rhohat, files, run, precision, *flags):
    rhohat.ok("train", *files, "--hidden", 9, "--iterations", 6, "--block-rows", 32, "--precision",
              precision, *OBJECTIVE_FLAGS, "--run", run, *flags)
    assert leftovers(run) == [run / "model.safetensors"]
    return run / "model.safetensors"


def tensor_bits(path):
    return {name: values.tobytes() for name, values in oracle.read_safetensors(path)[0].items()}


@pytest.mark.fast
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_threads_and_memory(rhohat, tmp_path, rows, precision):
    files = [layouts.write(tmp_path / "rows.h5", rows, chunks=(100, COLUMNS))]
    expected = train(rhohat, files, tmp_path / "first", precision).read_bytes()
    resources = [("--threads", n) for n in (1, 2, 3, 8)]
    resources += [("--memory", size) for size in ("160M", "1G", "20G")]
    resources += [("--threads", 8, "--memory", "192M"), ("--threads", 1, "--memory", "4G")]
    # What is chosen by the memory there is, where it is left to the program, is recorded: it is the
    # configuration, too.
    for number, flags in enumerate(resources):
        found = train(rhohat, files, tmp_path / f"run{number}", precision, *flags).read_bytes()
        assert found == expected, f"other bits with {flags}"


OPTIMISERS = {
    "lbfgs": [],
    "cg": [],
    "gd": [],
    "progressive": ["--first-sample", 40, "--growth", 2],
    "sgd": ["--batch", 20, "--epochs", 3, "--learning-rate", 0.01],
    "adam": ["--batch", 20, "--epochs", 3, "--noise", "mask:0.2"],
    "adam,progressive,lbfgs": ["--batch", 33, "--epochs", 2, "--mix", 100],
}


SCHEDULES = ("two-pass", "cached", "fused")


@pytest.mark.parametrize("optimizer, schedule", [
    pytest.param(optimizer, schedule, marks=pytest.mark.fast if (i + k) % 3 == 0 else pytest.mark.slow)
    for i, optimizer in enumerate(OPTIMISERS) for k, schedule in enumerate(SCHEDULES)])
def test_repeated_with_each_optimiser(rhohat, tmp_path, rows, optimizer, schedule):
    files = [layouts.write(tmp_path / "rows.h5", rows, chunks=(30, COLUMNS))]
    flags = ["--optimizer", optimizer, *OPTIMISERS[optimizer], "--schedule", schedule]
    runs = [train(rhohat, files, tmp_path / f"run{i}", "float32", *flags, "--threads", threads)
            for i, threads in enumerate((2, 1, 2, 3))]
    assert len({run.read_bytes() for run in runs}) == 1


@pytest.mark.fast
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_layout_of_the_data(rhohat, tmp_path, rows, precision):
    def one(name, **options):
        return [layouts.write(tmp_path / f"{name}.h5", rows, **options)]

    cuts = (0, 1, 700, 1311, ROWS)
    variants = {
        "contiguous": one("contiguous"),
        "rows_of_chunks": one("chunked", chunks=(100, COLUMNS)),
        "odd_chunks": one("odd", chunks=(7, 3)),
        "compressed": one("gzip", chunks=(333, COLUMNS), compression="gzip", shuffle=True),
        "big_endian": [layouts.write(tmp_path / "big.h5", rows.astype(">f4"))],
        "doubles": [layouts.write(tmp_path / "double.h5", rows.astype("f8"), chunks=(64, 20))],
        "several_files": [layouts.write(tmp_path / f"part{i}.h5", rows[begin:end])
                          for i, (begin, end) in enumerate(zip(cuts, cuts[1:]))],
    }
    found = {name: tensor_bits(train(rhohat, files, tmp_path / name, precision))
             for name, files in variants.items()}
    for name, bits in found.items():
        assert bits == found["contiguous"], name


@pytest.mark.fast
def test_the_seed_decides_the_start(rhohat, tmp_path, rows):
    files = [layouts.write(tmp_path / "rows.h5", rows)]
    runs = [train(rhohat, files, tmp_path / f"seed{seed}", "float32", "--seed", seed)
            for seed in (1, 2)]
    first, second = (tensor_bits(run) for run in runs)
    assert first["encoder.weight"] != second["encoder.weight"]


@pytest.mark.fast
def test_evaluate_encode_reconstruct_and_score(rhohat, tmp_path, rows):
    files = [layouts.write(tmp_path / "rows.h5", rows, chunks=(100, COLUMNS))]
    model = train(rhohat, files, tmp_path / "run", "float32")
    reports, results = set(), {"codes": set(), "reconstruction": set(), "scores": set()}
    commands = dict(zip(results, ("encode", "reconstruct", "score")))
    for threads in (1, 2, 3, 8):
        flags = ["--threads", threads]
        reports.add(rhohat.ok("evaluate", model, *files, "--json", *flags).stdout)
        out = tmp_path / "out.h5"
        for name, command in commands.items():
            rhohat.ok(command, model, *files, "--out", out, *flags)
            with h5py.File(out) as file:
                results[name].add(file[name][:].tobytes())
    assert len(reports) == 1
    assert [len(found) for found in results.values()] == [1, 1, 1]
