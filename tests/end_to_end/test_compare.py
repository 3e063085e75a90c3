"""The comparison with other programs reads this one's runs as they are: scripts/compare.

The other programs themselves are not there to be tested.
"""

import sys
from pathlib import Path

import pytest

from runs import make_data

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "compare"))

from problem import Problem, exact_cost, find_dataset, read_model, read_rows  # noqa: E402
from rhohat_runs import Rhohat  # noqa: E402


@pytest.fixture
def compared(rhohat, tmp_path):
    """The program as the comparison runs it, and the problem."""
    path = str(make_data(tmp_path / "rows.h5", 4000))
    dataset = find_dataset(path, "")
    rows = read_rows(path, dataset)
    problem = Problem(path, dataset, rows, hidden=6, rho=0.1, beta=1.0, weight_decay=1e-3,
                      threads=1, seed=1)
    return Rhohat(str(rhohat.path), problem, str(tmp_path)), problem


@pytest.mark.fast
def test_a_run_that_was_interrupted_has_the_model_of_its_last_line(compared):
    program, problem = compared
    run = program.train("--optimizer", "lbfgs", "--iterations", "100000", "--tolerance", "0",
                        stop_when=lambda line: line["iteration"] >= 3)
    assert 3 <= run.last["iteration"] < 100000
    expected = pytest.approx(run.last["cost"], rel=1e-6)
    assert program.exact_cost(run.model) == expected
    assert exact_cost(problem, read_model(run.model)) == expected


@pytest.mark.fast
def test_everyone_starts_where_the_program_does(compared):
    program, problem = compared
    parameters, kept = program.start()
    assert exact_cost(problem, parameters) == pytest.approx(program.exact_cost(kept), rel=1e-6)
