"""Seconds by the clock and by the processors, and curves of J against both.

On a machine that others use too, seconds by the clock grow with what they do; processor seconds
hardly do. Both are kept everywhere, so that a ratio that differs between them is seen to be noise.
"""

import json
import os
import re
import time


class Stopwatch:
    """Runs from its construction; pause() and resume() leave out what is not to be counted."""

    def __init__(self):
        self.seconds = self.cpu_seconds = 0.0
        self.resume()

    def resume(self):
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def pause(self):
        """Stops, and gives (seconds, processor seconds of all threads) so far."""
        self.seconds += time.perf_counter() - self._wall
        self.cpu_seconds += time.process_time() - self._cpu
        return self.seconds, self.cpu_seconds


class Curve:
    """How J, exact over all rows, fell: one entry a measurement, written as it comes.

    The file is one JSON object a line, like rhohat's metrics.jsonl, with its names.
    """

    def __init__(self, name, folder):
        os.makedirs(folder, exist_ok=True)
        self.name, self.points = name, []
        self.path = os.path.join(folder, re.sub(r"[^0-9A-Za-z.-]+", "-", name).lower() + ".jsonl")
        self._file = open(self.path, "w", encoding="utf-8")

    @classmethod
    def read(cls, path):
        """A curve that was written before; it cannot be added to."""
        curve = cls.__new__(cls)
        curve.path = path
        with open(path, encoding="utf-8") as lines:
            curve.points = [json.loads(line) for line in lines]
        curve.name = curve.points[0]["curve"] if curve.points else os.path.basename(path)
        return curve

    def add(self, cost, data_passes, seconds, cpu_seconds):
        point = {"curve": self.name, "cost": float(cost), "data_passes": float(data_passes),
                 "seconds": seconds, "cpu_seconds": cpu_seconds}
        self.points.append(point)
        self._file.write(json.dumps(point) + "\n")
        self._file.flush()

    def sort(self):
        """Into the order of passes, where points did not come in it."""
        self.points.sort(key=lambda point: point["data_passes"])
        self._file.seek(0)
        self._file.truncate()
        self._file.writelines(json.dumps(point) + "\n" for point in self.points)

    def close(self):
        self._file.close()

    def discard(self):
        """Leaves nothing behind of a curve that could not be measured."""
        self._file.close()
        os.unlink(self.path)

    def first_at_most(self, target):
        """The first point with J ≤ target, or None."""
        return next((point for point in self.points if point["cost"] <= target), None)

    def least(self):
        return min(point["cost"] for point in self.points)
