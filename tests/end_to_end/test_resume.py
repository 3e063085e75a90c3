"""What a run may be gone on with, and what not: commands, options, data, folders."""

import os
import shutil
import signal

import h5py
import pytest

from program import read_metrics
from runs import checkpoints, end_of, make_job, stopped_half_way, wait_for_lines

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def job(rhohat, tmp_path_factory):
    return make_job(rhohat, tmp_path_factory.mktemp("job"), "adam_lbfgs")


@pytest.fixture(scope="module")
def stopped(job):
    """A run that was stopped half-way."""
    return stopped_half_way(job, "USR1")


@pytest.fixture
def run(stopped, tmp_path):
    shutil.copytree(stopped, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def data_of_the_job(job):
    """The data may be changed; afterwards it is as before, to the time of its writing."""
    before, times = job.data.read_bytes(), job.data.stat()
    yield job.data
    job.data.write_bytes(before)
    os.utime(job.data, ns=(times.st_atime_ns, times.st_mtime_ns))


def files_of(run):
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


# ---- Commands ------------------------------------------------------------------------------------


def test_both_commands_go_on(rhohat, job, stopped, tmp_path):
    for number, words in enumerate((lambda run: ("train", "--resume", run), job.resubmitted)):
        run = tmp_path / f"run{number}"
        shutil.copytree(stopped, run)
        rhohat.ok(*words(run))
        job.check(run)


def test_an_unfinished_run_is_not_begun_anew_unasked(rhohat, job, run):
    before = files_of(run)
    assert "--resume" in rhohat.fails(73, *job.words(run))
    assert files_of(run) == before


def test_a_finished_run_is_left_alone(rhohat, job, tmp_path):
    """As a job has it that is submitted once more than was needed."""
    run = tmp_path / "run"
    first = rhohat.ok(*job.resubmitted(run))
    before = files_of(run)
    for words in (job.resubmitted(run), ("train", "--resume", run)):
        again = rhohat.ok(*words)
        assert files_of(run) == before
        assert "finished already" in again.stderr
        lines = [line for line in first.stdout.splitlines()
                 if not line.startswith(("time", "peak"))]
        assert [line for line in again.stdout.splitlines()
                if not line.startswith(("time", "peak"))] == lines
    assert "another configuration" in rhohat.fails(64, *job.resubmitted(run), "--gamma", 0.3)
    assert "holds a finished run" in rhohat.fails(73, *job.words(run))
    (run / "config.toml").unlink()
    assert "without its config.toml" in rhohat.fails(73, *job.resubmitted(run))


def test_a_folder_claimed_by_a_run_that_was_killed_at_once_is_free(rhohat, job, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.jsonl").touch()
    assert "without its config.toml" in rhohat.fails(73, *job.words(run))
    rhohat.ok(*job.resubmitted(run))
    job.check(run)


@pytest.mark.parametrize("way", ["absent", "empty", "file"])
def test_nothing_to_go_on_with(rhohat, tmp_path, way):
    run = tmp_path / "run"
    if way == "empty":
        run.mkdir()
    if way == "file":
        run.write_text("text")
    line = rhohat(*("train", "--resume", run))
    assert line.code in (64, 66), str(line)
    assert str(run) in line.error()
    assert not run.is_dir() or list(run.iterdir()) == []


def test_a_run_at_work_is_not_disturbed(rhohat, job, tmp_path):
    run = tmp_path / "run"
    arguments = ("train", job.data, "--hidden", 20, "--iterations", 1_000_000, "--tolerance", 0,
                 "--optimizer", "gd", "--threads", 1, "--run", run, "--resume", "auto")
    process = rhohat.start(*arguments)
    try:
        wait_for_lines(process, run)
        for words in (arguments, ("train", "--resume", run)):
            assert "another process is at work" in rhohat.fails(73, *words)
        wait_for_lines(process, run, len(read_metrics(run)) + 1)
    finally:
        process.kill()
        process.communicate()


# ---- Options -------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [("--threads", 2), ("--memory", "256M"),
                                   ("--checkpoint-every", "1h", "--keep", 5),
                                   ("--max-time", "10h", "--log-level", "debug")])
def test_resources_and_what_concerns_the_job_may_change(rhohat, job, stopped, tmp_path, flags):
    for number, words in enumerate((lambda run: ("train", "--resume", run), job.resubmitted)):
        run = tmp_path / f"run{number}"
        shutil.copytree(stopped, run)
        given = [word for word in words(run)]
        for flag in flags[::2]:  # once each
            if flag in given:
                del given[given.index(flag) : given.index(flag) + 2]
        rhohat.ok(*given, *flags)
        job.check(run)


@pytest.mark.parametrize("flags", [("--hidden", 7), ("--rho", 0.2), ("--seed", 2),
                                   ("--iterations", 300), ("--precision", "float64")])
def test_nothing_else_may(rhohat, job, run, flags):
    before = files_of(run)
    given = list(job.resubmitted(run))
    if flags[0] in given:
        del given[given.index(flags[0]) : given.index(flags[0]) + 2]
    for words in (given, ["train", "--resume", run]):
        line = rhohat.fails(64, *words, *flags)
        assert flags[0].strip("-") in line
    assert files_of(run) == before


def test_a_configuration_of_another_version(rhohat, job, stopped, tmp_path):
    """Options that this one does not know, or does not find, or cannot read."""
    changes = {"frobnicate": lambda text: text.replace("[network]", "[network]\nfrobnicate = 3", 1),
               "hidden": lambda text: text.replace("hidden = 6", "hidden = 'six'", 1),
               "rho": lambda text: text.replace("rho = 0.1", "rho = 0.2", 1)}
    for name, change in changes.items():
        run = tmp_path / name
        shutil.copytree(stopped, run)
        config = run / "config.toml"
        text = config.read_text()
        config.write_text(change(text))
        assert config.read_text() != text, name
        before = files_of(run)
        result = rhohat(*job.resubmitted(run))
        assert result.code == 64 and name in result.error(), str(result)
        if name != "rho":  # which alone means what it says
            result = rhohat("train", "--resume", run)
            assert result.code == 64 and name in result.error(), str(result)
        assert files_of(run) == before


def test_a_run_that_an_older_version_left(rhohat, job, stopped, tmp_path):
    """It wrote another kind of checkpoint, and had no options of batch jobs."""
    run = tmp_path / "run"
    shutil.copytree(stopped, run)
    checkpoints(run)[-1].rename(run / "checkpoints/interrupted.safetensors")
    for path in checkpoints(run):
        path.unlink()
    config = run / "config.toml"
    kept = [line for line in config.read_text().splitlines()
            if not line.startswith(("checkpoint-every", "keep", "max-time", "stop-code",
                                    "log-level"))]
    config.write_text("\n".join(kept) + "\n")
    rhohat.ok(*job.resubmitted(run))  # begins anew
    job.check(run)


# ---- Data ----------------------------------------------------------------------------------------


def test_data_of_another_value(rhohat, job, stopped, tmp_path, data_of_the_job):
    """In any of its chunks: which are looked at is the program's business, all bits are ours."""
    before, times = data_of_the_job.read_bytes(), data_of_the_job.stat()
    with h5py.File(data_of_the_job) as file:
        chunks = [file["data"].id.get_chunk_info(number) for number in (0, 7, 14)]
    for chunk in chunks:
        run = tmp_path / f"run{chunk.byte_offset}"
        shutil.copytree(stopped, run)
        with open(data_of_the_job, "r+b") as file:
            file.seek(chunk.byte_offset + chunk.size // 2 // 4 * 4)
            file.write(b"\0\0\0\x3f")
        line = rhohat.fails(65, *job.resumed(run))
        assert data_of_the_job.name in line and "began" in line
        data_of_the_job.write_bytes(before)
        os.utime(data_of_the_job, ns=(times.st_atime_ns, times.st_mtime_ns))
        rhohat.ok(*job.resumed(run))
        job.check(run)


def test_data_of_another_size(rhohat, job, run, data_of_the_job):
    with open(data_of_the_job, "ab") as file:
        file.write(b"more")
    before = files_of(run)
    assert data_of_the_job.name in rhohat.fails(65, *job.resumed(run))
    assert files_of(run) == before


def test_data_with_other_rows(rhohat, job, run, data_of_the_job):
    with h5py.File(data_of_the_job) as file:
        rows = file["data"][:-1]
    with h5py.File(data_of_the_job, "w") as file:
        file.create_dataset("data", data=rows, chunks=(100, rows.shape[1]))
    assert data_of_the_job.name in rhohat.fails(65, *job.resumed(run))


def test_data_that_is_gone(rhohat, job, run, data_of_the_job):
    moved = data_of_the_job.rename(data_of_the_job.with_name("moved.h5"))
    for words in (job.resumed(run), job.resubmitted(run)):
        line = rhohat.fails(66, *words)
        assert data_of_the_job.name in line and f"rhohat train DATA... --resume {run}" in line
    rhohat.ok("train", moved, "--resume", run)
    for words in (job.resumed(run), job.resubmitted(run)):  # it needs no data any more
        assert "finished already" in rhohat.ok(*words).stderr


def test_data_that_was_touched_or_copied_anew(rhohat, job, stopped, tmp_path, data_of_the_job):
    content = data_of_the_job.read_bytes()

    def copy():
        data_of_the_job.unlink()
        data_of_the_job.write_bytes(content)

    for number, change in enumerate((lambda: os.utime(data_of_the_job), copy)):
        run = tmp_path / f"run{number}"
        shutil.copytree(stopped, run)
        change()
        rhohat.ok(*job.resumed(run))
        job.check(run)


def test_data_that_changes_while_a_run_is_at_work(rhohat, job, tmp_path, data_of_the_job):
    """Half of the run saw other rows: it ends, and its checkpoints stay for the rows they saw."""
    content = data_of_the_job.read_bytes()
    run = tmp_path / "run"
    words = ("train", data_of_the_job, "--hidden", 20, "--iterations", 1_000_000, "--tolerance", 0,
             "--optimizer", "gd", "--memory", "64M", "--run", run, "--schedule", "two-pass",
             "--checkpoint-every", "0s")
    process = rhohat.start(*words)
    wait_for_lines(process, run)
    with open(data_of_the_job, "ab") as file:
        file.write(b"more")
    try:
        process.wait(1)
    except Exception:  # all rows are in memory: nothing is read again
        process.send_signal(signal.SIGTERM)
    code, stderr = end_of(process)
    assert code in (65, 75), stderr
    rhohat.fails(65, "train", "--resume", run, alone=False)
    data_of_the_job.write_bytes(content)
    assert rhohat("train", "--resume", run, "--max-time", "1s").code == 75


# ---- Where the run is ----------------------------------------------------------------------------


def test_a_run_that_was_moved(rhohat, job, run, tmp_path):
    moved = tmp_path / "elsewhere/moved"
    moved.parent.mkdir()
    run.rename(moved)
    rhohat.ok("train", "--resume", moved)
    job.check(moved)


def test_from_another_folder(rhohat, job, run, tmp_path):
    rhohat.ok("train", "--resume", "run", cwd=tmp_path)
    job.check(run)
