"""A damaged checkpoint is found out, named, and the one before it gone on from.

Where every one is damaged there is nothing to go on from, and the exit code is 65. Damage of every
byte and length is tested inside the library (tests/base/state_file_test.cc and
tests/train/checkpoint_damage_test.cc); here are samples of it, from outside.
"""

import shutil
import struct

import pytest

from runs import checkpoints, make_job, stopped_half_way

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def job(rhohat, tmp_path_factory):
    return make_job(rhohat, tmp_path_factory.mktemp("job"), "lbfgs_cached", "--keep", 2)


@pytest.fixture(scope="module")
def stopped(job):
    """A run that was stopped half-way, with two checkpoints."""
    run = stopped_half_way(job)
    assert len(checkpoints(run)) == 2
    return run


@pytest.fixture
def run(stopped, tmp_path):
    shutil.copytree(stopped, tmp_path / "run")
    return tmp_path / "run"


def flip(bit):
    def damage(content):
        content[bit // 8] ^= 1 << bit % 8
        return content

    return damage


def cut_to(size):
    return lambda content: content[:size]


def longer(content):
    return content + b"\0"


def zeroed_from(place):
    """As after a crash, where the file's size is on the disk and its blocks are not."""
    return lambda content: content[:place] + bytes(len(content) - place)


def header_bytes(content):
    return 8 + struct.unpack("<Q", content[:8])[0]


def damages(content, random):
    """Some of every kind, by name."""
    header, size = header_bytes(content), len(content)
    found = {f"length_bit_{bit}": flip(bit) for bit in (0, 9, 20, 40, 63)}
    for place in random.integers(8, header, size=12):
        found[f"header_byte_{place}"] = flip(8 * int(place) + int(random.integers(8)))
    for bit in random.integers(0, 8 * size, size=12):
        found[f"bit_{bit}"] = flip(int(bit))
    for cut in (0, 1, 7, 8, 9, 199, 512, header, size // 1024 * 512, size - 1):
        found[f"cut_to_{cut}"] = cut_to(cut)
    found["longer"] = longer
    for place in (0, header // 2, header, size // 2):
        found[f"zeros_from_{place}"] = zeroed_from(place)
    return found


def apply(damage, path):
    before = path.read_bytes()
    path.write_bytes(damage(bytearray(before)))
    assert path.read_bytes() != before


def warnings_in(stderr):
    return [line for line in stderr.splitlines() if line.startswith("rhohat: warning:")]


def check_goes_on(job, run, damaged):
    result = job.finish(run)
    warnings = warnings_in(result.stderr)
    assert len(warnings) == 1 and damaged.name in warnings[0], result.stderr
    assert damaged.name in (run / "run.log").read_text()


def test_the_one_before_is_gone_on_from(job, stopped, tmp_path, random):
    content = checkpoints(stopped)[-1].read_bytes()
    for name, damage in damages(content, random).items():
        run = tmp_path / name
        shutil.copytree(stopped, run)
        latest = checkpoints(run)[-1]
        apply(damage, latest)
        check_goes_on(job, run, latest)


def test_something_else_of_that_name(job, stopped, tmp_path, random):
    """The model, a file of another program, an older checkpoint with the state of another run."""
    other = make_job(job.rhohat, tmp_path / "other", "cg")
    contents = {"model": job.outcome["model"], "text": b"not at all\n" * 100,
                "other_run": checkpoints(other.whole)[-1].read_bytes()}
    for name, content in contents.items():
        run = tmp_path / name
        shutil.copytree(stopped, run)
        latest = checkpoints(run)[-1]
        latest.write_bytes(content)
        check_goes_on(job, run, latest)


def test_no_sound_one_is_left(job, run):
    for path, damage in zip(checkpoints(run), (cut_to(100), flip(1000))):
        apply(damage, path)
    before = {path: path.read_bytes() for path in run.rglob("*.safetensors")}
    line = job.rhohat.fails(65, "train", "--resume", run, alone=False)
    assert checkpoints(run)[-1].name in line
    # It is not begun anew by itself: somebody may know better, and what was there stays.
    line = job.rhohat.fails(65, *job.resubmitted(run), alone=False)
    assert not (run / "model.safetensors").exists()
    left = [path.read_bytes() for path in (run / "checkpoints").iterdir()]
    assert sorted(left) == sorted(before.values())


def test_lines_that_the_checkpoint_needs_are_gone(job, run):
    """Metrics that were cut off: none of the checkpoints fits them."""
    (run / "metrics.jsonl").write_text("")
    line = job.rhohat.fails(65, "train", "--resume", run, alone=False)
    assert f"{run / 'metrics.jsonl'}: expected at least" in line and checkpoints(run)[-1].name in line


def test_half_a_line_after_the_checkpoint(job, run):
    with open(run / "metrics.jsonl", "a") as metrics:
        metrics.write('{"iteration": 7, "stage": "x", "cos')
    job.finish(run)


def test_a_checkpoint_that_was_being_written(job, run):
    latest = checkpoints(run)[-1]
    content = latest.read_bytes()
    part = latest.with_name(f".{latest.name}.4711.part")
    part.write_bytes(content[: len(content) // 2])
    job.finish(run)


def test_evaluation_of_a_damaged_one_is_refused(job, stopped, tmp_path):
    content = checkpoints(stopped)[-1].read_bytes()
    for number, damage in enumerate((flip(8 * len(content) - 5), cut_to(500), flip(777))):
        path = tmp_path / f"checkpoint-{number}.safetensors"
        path.write_bytes(damage(bytearray(content)))
        assert path.name in job.rhohat.fails(65, "evaluate", path, job.data)
