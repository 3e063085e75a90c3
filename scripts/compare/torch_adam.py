"""PyTorch's Adam on mini-batches, written for speed: rows in memory, the fused update.

Batches come from a DataLoader, as in every tutorial, or by indexing a random permutation, which is
several times cheaper. rho_hat is the batch's own mean, as most write it, or a running mean over
recent batches (half-life 10 000 rows), which is nearer to the objective at small batches.
"""

import math

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from clock import Stopwatch
from problem import exact_cost
from torch_objective import Autoencoder, cost, divergence, weight_decay

HALF_LIFE_ROWS = int(__import__("os").environ.get("HL","10000"))


def loader_batches(rows, batch):
    """A DataLoader's batches; a new random order each time."""
    loader = DataLoader(TensorDataset(rows), batch_size=batch, shuffle=True)
    return lambda: (item[0] for item in loader)


def indexed_batches(rows, batch):
    """The rows of a new random permutation, `batch` at a time."""

    def epoch():
        for picked in torch.randperm(len(rows)).split(batch):
            yield rows[picked]

    return epoch


class RunningCost:
    """The batch's cost with KL's slope at a running mean of the code."""

    def __init__(self):
        self.rho_hat = None

    def __call__(self, model, rows, problem):
        code, output = model(rows)
        mean = code.mean(dim=0)
        if self.rho_hat is None:
            self.rho_hat = mean.detach().clone()
        keep = 0.5 ** (len(rows) / HALF_LIFE_ROWS)
        self.rho_hat.lerp_(mean.detach(), 1 - keep)
        slope = (1 - problem.rho) / (1 - self.rho_hat) - problem.rho / self.rho_hat
        error = 0.5 * functional.mse_loss(output, rows, reduction="sum") / len(rows)
        return error + weight_decay(model, problem) + problem.beta * (slope @ mean)


class Adam:
    """A training loop that is run an epoch at a time."""

    def __init__(self, problem, batches, batch, rate, epochs=0, rho_hat="batch"):
        """`epochs` > 0 lowers the rate to 0 by a cosine over that many; 0 keeps it."""
        torch.manual_seed(problem.seed)
        self.problem, self.batches = problem, batches
        self.model = Autoencoder(problem)
        self.cost = cost if rho_hat == "batch" else RunningCost()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=rate, fused=True)
        steps = epochs * math.ceil(problem.row_count / batch)
        self.schedule = (torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps)
                         if epochs else None)

    def run_epoch(self):
        for rows in self.batches():
            self.optimizer.zero_grad(set_to_none=True)
            self.cost(self.model, rows, self.problem).backward()
            self.optimizer.step()
            if self.schedule:
                self.schedule.step()


def train(problem, rows, epochs, batch, rate, cosine, curve, rho_hat="batch"):
    """Adds J over all rows to the curve before the first epoch and after each; not timed."""
    adam = Adam(problem, indexed_batches(rows, batch), batch, rate, epochs if cosine else 0, rho_hat)
    watch = Stopwatch()
    for epoch in range(epochs + 1):
        if epoch > 0:
            adam.run_epoch()
        seconds, cpu_seconds = watch.pause()
        curve.add(exact_cost(problem, adam.model.parameters_by_name()), epoch, seconds, cpu_seconds)
        watch.resume()
    return curve
