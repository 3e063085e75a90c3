"""Every call of the system on a file fails in turn, and so do allocations of memory.

Whatever fails, training ends with one line that says what, or goes on where it can. What it has
left is whole, and without the fault the same command comes to the same bytes as ever. A call that
transfers fewer bytes than asked for is no failure at all.
"""

import shutil

import pytest

from disk import check_clear
from faults import calls_of, fault, read_log
from runs import checkpoints, hidden, make_job, stopped_half_way

# What may become of a run in which a call fails: exit codes by the kind of file and the call. All
# it writes it must have; of checkpoints, another may serve. The closing of a file that is on the disk
# already, or the removal of an old one, may fail.
CODES = {
    "run": {"write": {74}, "fsync": {74}, "rename": {74}, "truncate": {74}, "create": {73, 74},
            "open": {0, 66, 73, 74}, "mkdir": {73, 74}, "read": {74}, "pread": {0, 74},
            "close": {0, 74}, "unlink": {0, 74}},
    # libhdf5 does not say so where it cannot tell how much is stored, which is but a figure.
    "data": {"pread": {0, 74}, "open": {66, 74}, "close": {0}, "read": {74}},
    "system": {"open": {0, 73}, "read": {0}, "close": {0}, "pread": {0}},
}
REASONS = {"EIO": "Input/output error", "ENOSPC": "No space left on device"}
WAYS = {"write": ["EIO", "ENOSPC", "short"], "fsync": ["EIO", "ENOSPC"], "read": ["EIO", "short"],
        "pread": ["EIO", "short", "end"], "create": ["EIO", "ENOSPC"], "mkdir": ["ENOSPC"],
        "rename": ["EIO", "ENOSPC"]}


@pytest.fixture
def job(rhohat, tmp_path):
    """Of three stages, so that there are checkpoints of each kind, and of few calls."""
    return make_job(rhohat, tmp_path / "job", "greedy", "--iterations", 1, "--fine-tune", 1,
                    "--block-rows", 2000)


def place_of(call, job, run):
    if call.path.endswith(job.data.name):
        return "data"
    return "run" if run.name in call.path.split("/") else "system"


def name_of(call):
    """The name that a file has, or is going to have: .NAME.PROCESS.part is on its way."""
    name = call.path.rpartition("/")[2]
    return name[1:].rsplit(".", 2)[0] if name.endswith(".part") else name


def check_what_is_left(job, run, after=""):
    model = run / "model.safetensors"
    assert not model.exists() or model.read_bytes() == job.outcome["model"], after
    assert hidden(run) == [], after


def check_failure(job, run, call, way, result):
    place = place_of(call, job, run)
    if way == "short":
        assert result.code == 0, f"{call}: {result}"
        return
    if way == "end":
        assert result.code in ({0} if place == "system" else {0, 65, 74}), f"{call}: {result}"
        return
    assert result.code in CODES[place][call.name], f"{call} {way}: {result}"
    if result.code:
        line = result.error(alone=False)
        check_clear(line, REASONS[way])
        assert name_of(call) in line or run.name in line, f"{call}: {line}"


def try_call(job, run, number, way, log, words):
    """Runs the command with that fault; then, without, what it comes to in the end."""
    log.unlink(missing_ok=True)
    result = job.rhohat(*words, environment=fault(do=way, at=number, log=log))
    calls = [call for call in read_log(log) if call.number == number]
    if calls:  # another number of reads is possible, since threads share them
        check_failure(job, run, calls[0], way, result)
    if run.exists():
        check_what_is_left(job, run, f"{calls} {way}: {result}")
    job.finish(run)
    shutil.rmtree(run)


def sweep(job, folder, calls, step, make_words, begin=lambda run: None):
    log = folder / "log"
    for call in calls[::step]:
        for way in WAYS.get(call.name, ["EIO"]):
            run = folder / "run"
            begin(run)
            try_call(job, run, call.number, way, log, make_words(run))


def calls_of_a_run(job, folder):
    return calls_of(job.rhohat, folder / "log", *job.words(folder / "run"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["write", "fsync", "rename", "pread", "others"])
def test_every_call_fails_in_turn(job, tmp_path, name, remark):
    calls = calls_of_a_run(job, tmp_path)
    shutil.rmtree(tmp_path / "run")
    if name == "others":
        calls = [call for call in calls if call.name not in ("write", "fsync", "rename", "pread")]
    else:
        calls = [call for call in calls if call.name == name]
    step = 1 + len(calls) // 200
    remark(f"{name}: {len(calls) // step} of {len(calls)} calls of a run failed in turn")
    sweep(job, tmp_path, calls, step, job.words)


@pytest.mark.fast
def test_some_calls_fail_in_turn(job, tmp_path):
    calls = calls_of_a_run(job, tmp_path)
    shutil.rmtree(tmp_path / "run")
    sweep(job, tmp_path, calls, 1 + len(calls) // 12, job.words)


@pytest.fixture
def stopped(job):
    return stopped_half_way(job)


@pytest.mark.slow
def test_every_call_of_a_run_that_goes_on_fails_in_turn(job, stopped, tmp_path, remark):
    run = tmp_path / "run"
    shutil.copytree(stopped, run)
    calls = calls_of(job.rhohat, tmp_path / "log", "train", "--resume", run)
    job.check(run)
    shutil.rmtree(run)
    step = 1 + len(calls) // 150
    remark(f"going on: {len(calls) // step} of {len(calls)} calls failed in turn")
    sweep(job, tmp_path, calls, step, lambda _: ("train", "--resume", run),
          lambda _: shutil.copytree(stopped, run))


@pytest.mark.slow
@pytest.mark.parametrize("call, way", [("write", "ENOSPC"), ("write", "EIO"), ("fsync", "EIO"),
                                       ("rename", "EIO"), ("create", "ENOSPC"), ("pread", "EIO"),
                                       ("write,fsync,rename,create", "EIO")])
def test_from_some_call_on_all_fail(job, tmp_path, call, way):
    """A disk that is gone: nothing can be logged or tidied up any more, and there still is an end."""
    calls = calls_of(job.rhohat, tmp_path / "log", *job.words(tmp_path / "counted"), call=call)
    for number in range(1, len(calls) + 1, max(1, len(calls) // 12)):
        run = tmp_path / f"run{number}"
        environment = fault(do=way, at=number, call=call, lasting=True)
        result = job.rhohat(*job.words(run), environment=environment)
        assert result.code in (66, 73, 74), str(result)
        check_clear(result.error(alone=False), REASONS[way])
        if run.exists():
            check_what_is_left(job, run)
        job.finish(run)


@pytest.mark.fast
@pytest.mark.parametrize("call, way, path", [("write", "ENOSPC", "/.checkpoint-"),
                                             ("fsync", "EIO", "/.checkpoint-"),
                                             ("rename", "EIO", "/checkpoint-")])
def test_the_checkpoint_before_a_failed_one_is_there(job, tmp_path, call, way, path):
    calls = calls_of(job.rhohat, tmp_path / "log", *job.words(tmp_path / "counted"), call=call,
                     path=path)
    run = tmp_path / "run"
    environment = fault(do=way, at=len(calls) // 2, call=call, path=path)
    line = job.rhohat.fails(74, *job.words(run), alone=False, environment=environment)
    failed = name_of(calls[len(calls) // 2 - 1])
    assert failed in line
    latest = checkpoints(run)[-1]
    assert int(latest.stem[-6:]) == int(failed[-18:-12]) - 1
    assert latest.name in job.finish(run).stderr


# ---- Memory --------------------------------------------------------------------------------------


def check_memory_fault(job, run, environment):
    """An end with one line, or none of it noticed: no crash, and nothing that hangs."""
    result = job.rhohat(*job.words(run), environment=environment)
    assert result.code in (0, 64, 70, 74), str(result)
    if result.code:
        result.error(alone=False)
    if run.exists():
        check_what_is_left(job, run, str(result))
    job.finish(run)
    shutil.rmtree(run)


def memory_faults(job, folder, most, **which):
    calls = calls_of(job.rhohat, folder / "log", *job.words(folder / "run"), call="allocate",
                     **which)
    shutil.rmtree(folder / "run")
    for number in range(1, len(calls) + 1, 1 + len(calls) // most):
        yield fault(do="ENOMEM", at=number, call="allocate", **which)


@pytest.mark.slow
@pytest.mark.parametrize("which", [{"path": "libstdc++", "least": 4096}, {"least": 10_000},
                                   {"path": "tbb"}], ids=["objects", "large", "tasks"])
def test_an_allocation_fails(job, tmp_path, sanitized, remark, which):
    """What C++ asks for, and all that is large.

    libhdf5 crashes where its own fail, and nlohmann-json allocates a little in a destructor.
    """
    if sanitized:
        remark("allocations are the sanitizer's: none was made to fail")
        return
    for environment in memory_faults(job, tmp_path, 400, **which):
        check_memory_fault(job, tmp_path / "run", environment)


@pytest.mark.fast
def test_some_large_allocations_fail(job, tmp_path, sanitized, remark):
    if sanitized:
        remark("allocations are the sanitizer's: none was made to fail")
        return
    for environment in memory_faults(job, tmp_path, 8, least=10_000):
        check_memory_fault(job, tmp_path / "run", environment)
