"""What an endpoint is asked, counted in the groups of its model's profile (`training/drift.py`): so
many values in each group of each feature, and no row is kept.

A process writes what it has counted since its last line to its log, as one line of JSON: with its
first row, then once a minute while it is asked, and when it ends. So the sum of the lines is what
the endpoint was asked, however many processes, instances or serverless containers answered
(`tasks/functions/asked_lines.py` adds them up). A process that is killed takes a minute with it.
"""

from __future__ import annotations

import atexit
import json
import threading
import time
from typing import Any

import numpy as np

Json = dict[str, Any]
Array = Any

SECONDS_A_LINE = 60.0


class Counts:
    """Counts of one process. `groups` is {feature: {edges, shares}}."""

    def __init__(self, groups: Json, run: str) -> None:
        self._run = run
        self._place = {name: place for place, name in enumerate(groups)}
        self._groups = np.array([len(told["shares"]) for told in groups.values()], np.int64)
        most = max((len(told["edges"]) for told in groups.values()), default=0)
        # One table for all features, since numpy's calls are what a request of one row waits for.
        self._edges = np.full((len(groups), most), np.inf, dtype=np.float32)
        for edges, told in zip(self._edges, groups.values(), strict=True):
            edges[: len(told["edges"])] = told["edges"]
        self._missing = self._groups - 1
        self._counts = np.zeros((len(groups), most + 2), np.int64)
        self._rows = 0
        self._written = -SECONDS_A_LINE
        self._lock = threading.Lock()
        atexit.register(self.write)

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
            self._rows += len(values)
            self._counts += found
            due = time.monotonic() - self._written >= SECONDS_A_LINE
        if due:
            self.write()

    def write(self) -> None:
        """The line of what was counted since the last one: {model, counted: {rows, features: {name:
        [count of each group]}}}. None if nothing was."""
        with self._lock:
            rows, counts = self._rows, self._counts.copy()
            self._rows, self._written = 0, time.monotonic()
            self._counts[:] = 0
        if rows:
            table = zip(self._place, counts, self._groups, strict=True)
            told = {name: row[:groups].tolist() for name, row, groups in table if row.any()}
            line = {"model": self._run, "counted": {"rows": rows, "features": told}}
            print(json.dumps(line, separators=(",", ":")), flush=True)
