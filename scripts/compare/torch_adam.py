"""PyTorch's Adam on mini-batches, written for speed: rows in memory, the fused update.

Batches come from a DataLoader, as in every tutorial, or by indexing a random permutation, which is
cheaper. rho_hat is the batch's own mean, as most write it; J over all rows is judged apart from it.
"""

import math

import torch
from torch.utils.data import DataLoader, TensorDataset

from clock import Stopwatch
from problem import exact_cost
from torch_objective import Autoencoder, cost


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


class Adam:
    """A training loop that is run an epoch at a time."""

    def __init__(self, problem, batches, batch, rate, epochs=0, cost_function=cost):
        """`epochs` > 0 lowers the rate to 0 by a cosine over that many; 0 keeps it."""
        torch.manual_seed(problem.seed)
        self.problem, self.batches = problem, batches
        self.model = Autoencoder(problem)
        self.cost = cost_function
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


def train(problem, rows, epochs, batch, rate, cosine, curve, cost_function=cost):
    """Adds J over all rows to the curve before the first epoch and after each; not timed."""
    adam = Adam(problem, indexed_batches(rows, batch), batch, rate, epochs if cosine else 0,
                cost_function)
    watch = Stopwatch()
    for epoch in range(epochs + 1):
        if epoch > 0:
            adam.run_epoch()
        seconds, cpu_seconds = watch.pause()
        curve.add(exact_cost(problem, adam.model.parameters_by_name()), epoch, seconds, cpu_seconds)
        watch.resume()
    return curve
