"""However convert, shuffle and synth end, the output is whole or not there, and inputs are as before.

A kill may leave files of a hidden name, .OUT.PROCESS.part, and shuffle's folder OUT.shuffle, which
the same command goes on from.
"""

import gzip
import os
import re
import signal
import time
from dataclasses import dataclass

import h5py
import numpy as np
import pytest

from disk import NO_SPACE, TOO_LARGE, check_clear, digest, file_size_limit, state_of, tiny_disk
from faults import fault
from foreign import check
from program import PATIENCE
from runs import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.disk]

KILLS = 20
FEWEST_IN_TIME = 5  # kills that come before the end


@dataclass
class Job:
    """A command with inputs that outlive it; the output is its last word but for flags."""

    command: str
    inputs: list
    flags: list

    def words(self, out):
        return [self.command, *self.inputs, out, *self.flags]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """Of a tenth to half a second each."""
    folder = tmp_path_factory.mktemp("inputs")
    random = np.random.default_rng(3)
    array = random.integers(0, 50, size=(15_000, 100)).astype(">f4")
    np.save(folder / "rows.npy", array)
    with gzip.open(folder / "fortran.npy.gz", "wb", compresslevel=1) as file:
        np.save(file, np.asfortranarray(array))
    with h5py.File(folder / "rows.h5", "w") as file:
        file.create_dataset("data", data=array.astype("<f4"), chunks=(500, 100))
    compress = ["--compress", "gzip:6"]
    return {"convert": Job("convert", [folder / "rows.npy"], compress),
            "convert_by_way_of_a_spool": Job("convert", [folder / "fortran.npy.gz"], []),
            "shuffle": Job("shuffle", [folder / "rows.h5"], ["--seed", 5, *compress]),
            "synth": Job("synth", [], ["--rows", 3000, "--patch", "12x12"])}


@pytest.fixture(scope="module")
def undisturbed(rhohat, jobs, tmp_path_factory):
    """Digest of the output and seconds it took, by job, found once."""
    known = {}

    def find(name):
        if name not in known:
            out = tmp_path_factory.mktemp("undisturbed") / "out.h5"
            started = time.monotonic()
            rhohat.ok(*jobs[name].words(out))
            known[name] = digest(out), time.monotonic() - started
        return known[name]

    return find


class Killer:
    """Kills a command at random moments of the seconds that it takes, some of them too late.

    Each that is too late brings the later ones forward: the machine may have been busier when the
    seconds were measured. So there will be enough that are not, on any machine.
    """

    def __init__(self, rhohat, random, seconds):
        self.rhohat, self.random, self.seconds = rhohat, random, seconds
        self.kills = self.in_time = 0

    def is_done(self):
        return self.kills >= KILLS and self.in_time >= FEWEST_IN_TIME

    def __call__(self, *words):
        process = self.rhohat.start(*words)
        time.sleep(self.random.uniform(0, 1.1 * self.seconds))
        process.kill()
        _, stderr = process.communicate(timeout=PATIENCE)
        assert process.returncode in (0, -signal.SIGKILL), stderr.decode()
        self.kills += 1
        self.in_time += process.returncode != 0
        if process.returncode == 0:
            self.seconds *= 0.9

    def __str__(self):
        return f"{self.in_time} of {self.kills} kills came before the end"


def check_only_hidden_leftovers(folder, out):
    for path in folder.iterdir():
        part = re.fullmatch(rf"\.{re.escape(out.name)}\.\d+\.part", path.name)
        assert path == out or part or path.name == f"{out.name}.shuffle", path


@pytest.mark.parametrize("name", ["convert", "convert_by_way_of_a_spool", "synth"])
def test_killed_at_any_moment(rhohat, jobs, undisturbed, tmp_path, random, remark, name):
    whole, seconds = undisturbed(name)
    job, out = jobs[name], tmp_path / "out.h5"
    before = state_of(job.inputs)
    kill = Killer(rhohat, random, seconds)
    while not kill.is_done():
        kill(*job.words(out))
        check_only_hidden_leftovers(tmp_path, out)
        if out.exists():
            assert digest(out) == whole
            out.unlink()
    remark(f"{name}: {kill}")
    assert state_of(job.inputs) == before
    # What earlier runs left is in nobody's way.
    rhohat.ok(*job.words(out))
    assert digest(out) == whole


@pytest.mark.parametrize("name", ["convert", "synth"])
def test_killed_while_it_replaces_an_output(rhohat, jobs, undisturbed, tmp_path, random, name):
    whole, seconds = undisturbed(name)
    out = tmp_path / "out.h5"
    out.write_text("of an earlier run")
    old = digest(out)
    kill = Killer(rhohat, random, seconds)
    for _ in range(KILLS // 2):
        kill(*jobs[name].words(out), "--force")
        check_only_hidden_leftovers(tmp_path, out)
        assert digest(out) in (old, whole)
        if digest(out) == whole:
            out.write_text("of an earlier run")


def test_killed_shuffle_goes_on(rhohat, jobs, undisturbed, tmp_path, random, remark):
    """After one kill, and after several in a row; what is left in the end is the output alone."""
    whole, seconds = undisturbed("shuffle")
    job, out = jobs["shuffle"], tmp_path / "out.h5"
    before = state_of(job.inputs)
    in_a_row = 0
    kill = Killer(rhohat, random, seconds)
    while not kill.is_done():
        kill(*job.words(out))
        check_only_hidden_leftovers(tmp_path, out)
        in_a_row += 1
        if not out.exists():
            if in_a_row < 3:
                continue
            rhohat.ok(*job.words(out))
        assert digest(out) == whole
        if list(tmp_path.iterdir()) != [out]:
            # Killed between the last two steps: it is whole, but was not cleaned up behind.
            rhohat.ok(*job.words(out), "--force")
            assert digest(out) == whole
        assert list(tmp_path.iterdir()) == [out]
        out.unlink()
        in_a_row = 0
    remark(f"shuffle: {kill}")
    assert state_of(job.inputs) == before


def test_another_shuffle_does_not_go_on_from_what_is_left(rhohat, jobs, undisturbed, tmp_path):
    whole, _ = undisturbed("shuffle")
    job, out = jobs["shuffle"], tmp_path / "out.h5"
    environment = fault(do="kill-after", at=1, call="rename", path="/journal")
    assert rhohat(*job.words(out), environment=environment).code == -signal.SIGKILL
    assert (tmp_path / "out.h5.shuffle/journal").exists()
    other = ["shuffle", *job.inputs, out, "--seed", 6]
    assert "--restart" in rhohat.fails(64, *other, alone=False)
    rhohat.ok(*other, "--restart")
    assert digest(out) != whole
    assert list(tmp_path.iterdir()) == [out]


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """Commands that go on for minutes, over files of nothing but holes."""
    folder = tmp_path_factory.mktemp("endless")
    np.lib.format.open_memmap(folder / "rows.npy", "w+", "<f4", (5_000_000, 100))
    with h5py.File(folder / "rows.h5", "w") as file:
        file.create_dataset("data", (5_000_000, 100), "<f4", fillvalue=0.5)
    return {"convert": Job("convert", [folder / "rows.npy"], ["--compress", "gzip:9"]),
            "shuffle": Job("shuffle", [folder / "rows.h5"],
                           ["--seed", 1, "--memory", "256M", "--compress", "gzip:9"]),
            "synth": Job("synth", [], ["--rows", 10_000_000])}


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("name", ["convert", "shuffle", "synth"])
def test_a_signal_ends_it_with_one_line(rhohat, endless, tmp_path, name, number, code):
    out = tmp_path / "out.h5"
    process = rhohat.start(*endless[name].words(out))
    wait_until(lambda: any(tmp_path.iterdir()), "there is something of an output", process)
    time.sleep(0.2)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    lines = stderr.decode().splitlines()
    assert process.returncode == code, lines
    assert len(lines) == 1 and lines[0].startswith("rhohat: ") and "stopped" in lines[0], lines
    assert stdout == b""
    # Only shuffle keeps something, to go on from.
    kept = [path.name for path in tmp_path.iterdir()]
    assert kept == (["out.h5.shuffle"] if name == "shuffle" else [])


@pytest.mark.parametrize("name", ["convert", "shuffle", "synth"])
def test_an_output_that_exists_is_replaced_only_when_asked(rhohat, jobs, undisturbed, tmp_path,
                                                           name):
    out = tmp_path / "out.h5"
    out.write_text("of an earlier run")
    os.utime(out, (1, 1))
    before = state_of([out])
    line = rhohat.fails(73, *jobs[name].words(out))
    assert str(out) in line and "--force" in line
    assert state_of([out]) == before
    assert list(tmp_path.iterdir()) == [out]
    rhohat.ok(*jobs[name].words(out), "--force")
    assert digest(out) == undisturbed(name)[0]
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("way", ["same", "other_spelling", "symlink", "hard_link", "second_input"])
@pytest.mark.parametrize("command", ["convert", "shuffle"])
def test_an_output_that_is_an_input_is_refused(rhohat, tmp_path, command, way):
    """By whatever name, and with --force too."""
    data = tmp_path / "rows.h5"
    for path in (data, tmp_path / "first.h5"):
        with h5py.File(path, "w") as file:
            file["data"] = np.ones((30, 4), "<f4")
    inputs = [tmp_path / "first.h5", data] if way == "second_input" else [data]
    out = {"other_spelling": tmp_path / "." / ".." / tmp_path.name / "rows.h5",
           "symlink": tmp_path / "link.h5", "hard_link": tmp_path / "link.h5"}.get(way, data)
    if way == "symlink":
        out.symlink_to(data)
    if way == "hard_link":
        out.hardlink_to(data)
    before, names = state_of([data]), sorted(tmp_path.iterdir())
    flags = ["--seed", 1] if command == "shuffle" else []
    for force in ([], ["--force"]):
        line = rhohat.fails(64, command, *inputs, out, *flags, *force)
        assert "input" in line
    assert state_of([data]) == before and sorted(tmp_path.iterdir()) == names


def test_a_link_stays_and_what_it_leads_to_is_replaced(rhohat, tmp_path):
    np.save(tmp_path / "in.npy", np.ones((3, 4)))
    (tmp_path / "elsewhere").mkdir()
    target, out = tmp_path / "elsewhere/real.h5", tmp_path / "out.h5"
    target.write_text("old")
    out.symlink_to(target)
    rhohat.fails(73, "convert", tmp_path / "in.npy", out)
    rhohat.ok("convert", tmp_path / "in.npy", out, "--force")
    assert out.is_symlink()
    check(target, np.ones((3, 4)))


@pytest.mark.parametrize("name", ["convert", "convert_by_way_of_a_spool", "shuffle", "synth"])
def test_a_full_disk(rhohat, jobs, tmp_path, remark, name):
    job = jobs[name]
    before = state_of(job.inputs)
    with tiny_disk(tmp_path / "disk", remark) as disk:
        if disk is None:
            return
        line = rhohat.fails(74, *job.words(disk / "out.h5"), alone=False)
        if "spool" in name:
            assert "space" in line  # asked for before it is filled
        else:
            check_clear(line, NO_SPACE)
        kept = [path.name for path in disk.iterdir()]
        assert kept in ([], ["out.h5.shuffle"] if name == "shuffle" else [])
    assert state_of(job.inputs) == before


@pytest.mark.parametrize("limit", [0, 2000, 300_000])
@pytest.mark.parametrize("name", ["convert", "convert_by_way_of_a_spool", "shuffle", "synth"])
def test_a_file_size_limit(rhohat, jobs, undisturbed, tmp_path, name, limit):
    job, out = jobs[name], tmp_path / "out.h5"
    line = rhohat.fails(74, *job.words(out), alone=False, preexec_fn=file_size_limit(limit))
    check_clear(line, TOO_LARGE)
    kept = [path.name for path in tmp_path.iterdir()]
    assert kept in ([], ["out.h5.shuffle"] if name == "shuffle" else [])
    # Once there is room, the same command succeeds.
    rhohat.ok(*job.words(out))
    assert digest(out) == undisturbed(name)[0]
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("command", ["convert", "shuffle", "synth"])
def test_an_output_in_a_folder_that_is_not_there(rhohat, jobs, tmp_path, command):
    line = rhohat.fails(73, *jobs[command].words(tmp_path / "absent/out.h5"))
    assert "absent" in line and list(tmp_path.iterdir()) == []
