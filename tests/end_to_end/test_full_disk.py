"""A disk that fills up is an error with code 74, never a short file under the final name.

Two ways to a full disk: a limit on the size of files, which everyone may set, and a file system of
one MiB, which only root may mount. Where mounting is not possible the summary says so.
"""

import numpy as np
import pytest

import layouts
from disk import NO_SPACE, TOO_LARGE, check_clear, file_size_limit, tiny_disk
from program import leftovers
from runs import Job, checkpoints, make_data, outcome

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Rows whose model takes 1.3 MB and whose codes take 5 MB."""
    array = layouts.values(np.random.default_rng(9), 4000, columns=500)
    data = layouts.write(tmp_path_factory.mktemp("wide") / "wide.h5", array)
    return data, ["--hidden", 320, "--iterations", 1]


@pytest.fixture(scope="module")
def wide_model(rhohat, wide):
    data, flags = wide
    rhohat.ok("train", data, *flags, "--run", data.parent / "run")
    return data.parent / "run/model.safetensors"


@pytest.mark.parametrize("limit", [0, 500, 100_000])
def test_training_under_a_file_size_limit(rhohat, tmp_path, wide, limit):
    data, flags = wide
    line = rhohat.fails(74, "train", data, *flags, "--run", tmp_path / "run", alone=False,
                        preexec_fn=file_size_limit(limit))
    check_clear(line, TOO_LARGE)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("limit", [0, 100, 5000, 1_000_000])
def test_encoding_under_a_file_size_limit(rhohat, tmp_path, wide, wide_model, limit):
    line = rhohat.fails(74, "encode", wide_model, wide[0], "--out", tmp_path / "codes.h5",
                        alone=False, preexec_fn=file_size_limit(limit))
    check_clear(line, TOO_LARGE)
    assert not (tmp_path / "codes.h5").exists()
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize("command", ["features", "gradcheck", "convert"])
def test_other_outputs_under_a_file_size_limit(rhohat, tmp_path, wide, wide_model, command, limit):
    np.save(tmp_path / "in.npy", np.ones((1000, 50)))
    out = tmp_path / "out"
    arguments = {"features": [wide_model, "--shape", "20x25", "--out", out],
                 "gradcheck": [wide_model, wide[0], "--sample", 1, "--out", out],
                 "convert": [tmp_path / "in.npy", out]}
    line = rhohat.fails(74, command, *arguments[command], alone=False,
                        preexec_fn=file_size_limit(limit))
    check_clear(line, TOO_LARGE)
    assert not out.exists()
    assert leftovers(tmp_path) == []


def test_training_onto_a_full_disk(rhohat, tmp_path, wide, remark):
    with tiny_disk(tmp_path / "disk", remark) as disk:
        if disk:
            data, flags = wide
            line = rhohat.fails(74, "train", data, *flags, "--run", disk / "run", alone=False)
            check_clear(line, NO_SPACE)
            assert leftovers(disk) == []
            assert (disk / "run/metrics.jsonl").exists()


@pytest.fixture(scope="module")
def wide_job(rhohat, tmp_path_factory):
    """A run with checkpoints of half a MB."""
    folder = tmp_path_factory.mktemp("wide_job")
    data = make_data(folder / "wide.h5", rows=600, columns=400)
    flags = ("--hidden", 16, "--optimizer", "gd", "--learning-rate", 0.002, "--iterations", 6,
             "--tolerance", 0, "--keep", 3)
    job = Job(rhohat, data, flags, folder / "whole")
    rhohat.ok(*job.words(job.whole))
    job.outcome = outcome(job.whole)
    return job


def test_a_run_goes_on_when_there_is_room_again(rhohat, tmp_path, wide_job, remark):
    """However full the disk is: before the first checkpoint, between two, before the model."""
    size = 4 * 2**20
    went_on = set()
    for free in range(2**16, size, 3 * 2**17):
        with tiny_disk(tmp_path / f"disk{free}", remark, "4m") as disk:
            if disk is None:
                return
            (disk / "of_others").write_bytes(bytes(size - free))
            run = disk / "run"
            result = rhohat(*wide_job.words(run))
            if result.code:
                assert result.code == 74, str(result)
                check_clear(result.error(alone=False), NO_SPACE)
                assert leftovers(disk) == []
                went_on.add(bool(checkpoints(run)))
                # As long as nothing changes, trying again does no harm.
                assert rhohat(*wide_job.resubmitted(run)).code in (0, 74)
                (disk / "of_others").unlink()
                rhohat.ok(*wide_job.resubmitted(run))
            wide_job.check(run)
    assert went_on == {False, True}


def test_encoding_onto_a_full_disk(rhohat, tmp_path, wide, wide_model, remark):
    with tiny_disk(tmp_path / "disk", remark) as disk:
        if disk:
            line = rhohat.fails(74, "encode", wide_model, wide[0], "--out", disk / "codes.h5",
                                alone=False)
            check_clear(line, NO_SPACE)
            assert list(disk.iterdir()) == []


def test_converting_onto_a_full_disk(rhohat, tmp_path, remark):
    np.save(tmp_path / "in.npy", np.ones((3000, 100)))
    with tiny_disk(tmp_path / "disk", remark) as disk:
        if disk:
            line = rhohat.fails(74, "convert", tmp_path / "in.npy", disk / "out.h5", alone=False)
            check_clear(line, NO_SPACE)
            assert list(disk.iterdir()) == []


@pytest.mark.parametrize("command", [
    "evaluate MODEL DATA --json", "evaluate MODEL DATA", "gradcheck MODEL DATA", "info MODEL",
    "info DATA", "plan DATA --hidden 3", "train --help", "--help", "--version"])
def test_results_onto_a_full_device(rhohat, model, small_data, command):
    places = {"MODEL": model, "DATA": small_data}
    with open("/dev/full", "wb") as full:
        rhohat.fails(74, *(places.get(word, word) for word in command.split()), stdout=full)
