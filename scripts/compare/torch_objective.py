"""The objective in PyTorch, as its users write it: modules, autograd, nothing by hand.

Three ways to J and its gradient over all rows: one graph over everything in memory, the same
compiled, and a stream of blocks from HDF5 in two passes, because rho_hat is a mean over all rows
and autograd cannot hold a graph over data that does not fit.
"""

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from problem import NAMES


class Autoencoder(nn.Module):
    """Sigmoid encoder and decoder, with rhohat's initial parameters."""

    def __init__(self, problem):
        super().__init__()
        self.encoder = nn.Linear(problem.columns, problem.hidden)
        self.decoder = nn.Linear(problem.hidden, problem.columns)
        self.load_state_dict({name: torch.from_numpy(problem.start[name].copy())
                              for name in NAMES})

    def forward(self, rows):
        code = torch.sigmoid(self.encoder(rows))
        return code, torch.sigmoid(self.decoder(code))

    def parameters_by_name(self):
        return {name: value.detach().numpy() for name, value in self.state_dict().items()}


def divergence(rho, rho_hat):
    """The sum over hidden units of KL(rho || rho_hat)."""
    return (rho * torch.log(rho / rho_hat)
            + (1 - rho) * torch.log((1 - rho) / (1 - rho_hat))).sum()


def weight_decay(model, problem):
    squares = model.encoder.weight.square().sum() + model.decoder.weight.square().sum()
    return 0.5 * problem.weight_decay * squares


def cost(model, rows, problem):
    """J, where `rows` are all rows, or rho_hat's stand-in is the mean over a batch."""
    code, output = model(rows)
    error = 0.5 * functional.mse_loss(output, rows, reduction="sum") / len(rows)
    sparsity = problem.beta * divergence(problem.rho, code.mean(dim=0))
    return error + weight_decay(model, problem) + sparsity


def evaluate_in_memory(model, rows, problem, cost_function=cost):
    """J; the gradient is left in the parameters' .grad."""
    model.zero_grad(set_to_none=True)
    value = cost_function(model, rows, problem)
    value.backward()
    return value.item()


class Stream:
    """J and its gradient from HDF5 in blocks, in two passes, with bounded memory."""

    def __init__(self, problem, block=1024):
        self.problem, self.block = problem, block
        # The library's default chunk cache, 1 MiB, would read a chunk of that size several times.
        self.file = h5py.File(problem.path, "r", rdcc_nbytes=64 << 20, rdcc_nslots=10007)
        self.stored = self.file[problem.dataset]
        self.buffer = np.empty((block, problem.columns), dtype=np.float32)

    def blocks(self):
        for begin in range(0, self.problem.row_count, self.block):
            end = min(begin + self.block, self.problem.row_count)
            rows = self.buffer[:end - begin]
            if self.stored.ndim == 2:
                self.stored.read_direct(rows, np.s_[begin:end])
            else:
                rows[:] = self.stored[begin:end].reshape(end - begin, -1)
            yield torch.from_numpy(rows)

    def evaluate(self, model):
        problem, count = self.problem, self.problem.row_count
        model.zero_grad(set_to_none=True)
        with torch.no_grad():
            active = torch.zeros(problem.hidden, dtype=torch.float64)
            for rows in self.blocks():
                active += torch.sigmoid(model.encoder(rows)).sum(dim=0)
        rho_hat = (active / count).requires_grad_()
        sparsity = problem.beta * divergence(problem.rho, rho_hat)
        slope, = torch.autograd.grad(sparsity, rho_hat)
        slope = slope.float()
        total = sparsity.item()
        for rows in self.blocks():
            code, output = model(rows)
            error = 0.5 * functional.mse_loss(output, rows, reduction="sum") / count
            (error + code.sum(dim=0) @ slope / count).backward()
            total += error.item()
        decay = weight_decay(model, problem)
        decay.backward()
        return total + decay.item()

    def close(self):
        self.file.close()
