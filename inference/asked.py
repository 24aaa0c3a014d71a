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
        self._place = {name: place for place, name in enumerate(groups)}
        self._then = {name: np.asarray(told["shares"]) for name, told in groups.items()}
        most = max((len(told["edges"]) for told in groups.values()), default=0)
        # One table for all features, since numpy's calls are what a request of one row waits for.
        self._edges = np.full((len(groups), most), np.inf, dtype=np.float32)
        for edges, told in zip(self._edges, groups.values(), strict=True):
            edges[: len(told["edges"])] = told["edges"]
        self._missing = np.array([len(then) - 1 for then in self._then.values()], np.int64)
        self._counts = np.zeros((len(groups), most + 2), np.int64)
        self._rows = 0
        self._lock = threading.Lock()

    def add(self, names: tuple[str, ...], values: Array) -> None:
        """Counts (rows, names) float32; a feature that was not sent is not counted."""
        columns = [column for column, name in enumerate(names) if name in self._place]
        places = np.array([self._place[names[column]] for column in columns], dtype=np.intp)
        given = values[:, columns]
        # As np.searchsorted does: how many edges lie below the value.
        group = np.count_nonzero(given[:, :, None] > self._edges[places], axis=2)
        group = np.where(np.isfinite(given), group, self._missing[places])
        cells = (places * self._counts.shape[1] + group).ravel()
        found = np.bincount(cells, minlength=self._counts.size).reshape(self._counts.shape)
        with self._lock:
            line = self._rows // ROWS_A_LINE
            self._rows += len(values)
            self._counts += found
            told = self._told() if self._rows // ROWS_A_LINE > line else None
        if told is not None:
            print(json.dumps({"model": self._run, "asked": told}), flush=True)

    def told(self) -> Json:
        """{rows, features: {name: {counts, psi}}} of the features that were sent so far."""
        with self._lock:
            return self._told()

    def _told(self) -> Json:
        told = {}
        for (name, then), row in zip(self._then.items(), self._counts, strict=True):
            counts = row[: len(then)]
            if counts.any():
                told[name] = {"counts": counts.tolist(), "psi": _psi(then, counts)}
        return {"rows": self._rows, "features": told}


def _psi(then: Array, counts: Array) -> float:
    before = np.maximum(then, LEAST_SHARE)
    now = np.maximum(counts / counts.sum(), LEAST_SHARE)
    return round(float(((now - before) * np.log(now / before)).sum()), 6)
