"""L-BFGS as SciPy and PyTorch have it, on exact evaluations over all rows in memory.

Both get J and its gradient from PyTorch, which is faster than NumPy for it. History is 20 pairs, as
rhohat's. They stop as soon as J is at the least target or the passes are used up; what their own
stop rules would say is left out of it.
"""

import numpy as np
import scipy.optimize
import torch

from clock import Stopwatch
from torch_objective import Autoencoder, evaluate_in_memory

HISTORY = 20


class Enough(Exception):
    """The target or the limit of passes is reached."""


class Watched:
    """The objective, which notes J of every evaluation and when it was had."""

    def __init__(self, problem, rows, target, most_passes, curve):
        self.problem, self.rows, self.curve = problem, rows, curve
        self.target, self.most_passes = target, most_passes
        self.model = Autoencoder(problem)
        self.passes = 0
        self.watch = Stopwatch()

    def evaluate(self):
        """J; the gradient is in the parameters' .grad. Raises Enough when it is."""
        value = evaluate_in_memory(self.model, self.rows, self.problem)
        self.passes += 1
        seconds, cpu_seconds = self.watch.pause()
        self.curve.add(value, self.passes, seconds, cpu_seconds)
        self.watch.resume()
        if value <= self.target or self.passes >= self.most_passes:
            raise Enough
        return value


def torch_lbfgs(problem, rows, target, most_passes, curve):
    """torch.optim.LBFGS with its strong Wolfe line search."""
    watched = Watched(problem, rows, target, most_passes, curve)
    optimizer = torch.optim.LBFGS(
        watched.model.parameters(), lr=1, max_iter=most_passes, max_eval=most_passes,
        history_size=HISTORY, tolerance_grad=0, tolerance_change=0,
        line_search_fn="strong_wolfe")

    def closure():
        watched.evaluate()
        return torch.tensor(watched.curve.points[-1]["cost"])

    try:
        optimizer.step(closure)
    except Enough:
        pass


def scipy_lbfgs(problem, rows, target, most_passes, curve):
    """scipy.optimize.minimize's L-BFGS-B, whose vectors are in double."""
    watched = Watched(problem, rows, target, most_passes, curve)
    parameters = list(watched.model.parameters())

    def function(vector):
        torch.nn.utils.vector_to_parameters(
            torch.from_numpy(vector.astype(np.float32)), parameters)
        value = watched.evaluate()
        gradient = torch.cat([parameter.grad.reshape(-1) for parameter in parameters])
        return value, gradient.numpy().astype(np.float64)

    start = torch.nn.utils.parameters_to_vector(parameters).detach().numpy().astype(np.float64)
    options = {"maxcor": HISTORY, "maxiter": most_passes, "maxfun": most_passes, "ftol": 0,
               "gtol": 0}
    try:
        scipy.optimize.minimize(function, start, jac=True, method="L-BFGS-B", options=options)
    except Enough:
        pass
