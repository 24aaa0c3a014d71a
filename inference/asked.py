"""What an endpoint is asked, counted in the groups of its model's profile (`training/drift.py`): so
many values in each group of each feature, and no row is kept.

The counts are this process's, from its start: a server has several. Each writes them to its log,
one line of JSON a thousand rows; whoever adds up the lines knows what the endpoint was asked.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np

Json = dict[str, Any]
Array = Any

ROWS_A_LINE = 1_000
LEAST_SHARE = 0.0001  # as in training/drift.py


class Counts:
    """Counts of one process. `groups` is {feature: {edges, shares}}."""

    def __init__(self, groups: Json, run: str) -> None:
        self._run = run
        self._edges = {
            name: np.asarray(told["edges"], dtype=np.float32) for name, told in groups.items()
        }
        self._then = {name: np.asarray(told["shares"]) for name, told in groups.items()}
        self._counts = {
            name: np.zeros(len(shares), np.int64) for name, shares in self._then.items()
        }
        self._rows = 0
        self._lock = threading.Lock()

    def add(self, names: tuple[str, ...], values: Array) -> None:
        """Counts (rows, names) float32; a feature that was not sent is not counted."""
        found = {
            name: _grouped(values[:, position], self._edges[name])
            for position, name in enumerate(names)
            if name in self._edges
        }
        with self._lock:
            line = self._rows // ROWS_A_LINE
            self._rows += len(values)
            for name, counts in found.items():
                self._counts[name] += counts
            told = self._told() if self._rows // ROWS_A_LINE > line else None
        if told is not None:
            print(json.dumps({"model": self._run, "asked": told}), flush=True)

    def told(self) -> Json:
        """{rows, features: {name: {counts, psi}}} of the features that were sent so far."""
        with self._lock:
            return self._told()

    def _told(self) -> Json:
        return {
            "rows": self._rows,
            "features": {
                name: {"counts": counts.tolist(), "psi": _psi(self._then[name], counts)}
                for name, counts in self._counts.items()
                if counts.any()
            },
        }


def _grouped(values: Array, edges: Array) -> Array:
    """How many values lie in each group, and, last, how many are missing."""
    known = np.isfinite(values)
    counts = np.zeros(len(edges) + 2, np.int64)
    counts[:-1] = np.bincount(np.searchsorted(edges, values[known]), minlength=len(edges) + 1)
    counts[-1] = len(values) - int(known.sum())
    return counts


def _psi(then: Array, counts: Array) -> float:
    before = np.maximum(then, LEAST_SHARE)
    now = np.maximum(counts / counts.sum(), LEAST_SHARE)
    return round(float(((now - before) * np.log(now / before)).sum()), 6)
