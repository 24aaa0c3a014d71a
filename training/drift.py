"""How far what a model sees has moved from what it was made on.

A profile is kept in model.json: for every feature the edges of ten groups of about as many holdout
rows, and the share of rows in each; the same of the probabilities, and the share bought. The next
run counts its own holdout in the groups of the live model, and the endpoint what it is asked
(`inference/asked.py`); the population stability index (PSI) is sum((now - then) * ln(now / then)).
By custom, below 0.1 is no change, above 0.25 a great one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training.artefact import Model
from training.sets import Array, ParquetSet, Scores

Json = dict[str, Any]

GROUPS = 10
LEAST_SHARE = 0.0001  # an empty group would make the index infinite
DIGITS = 6


def edges_of(values: Array) -> list[float]:
    """The inner edges of GROUPS groups of about as many known values; each once."""
    known = values[np.isfinite(values)]
    if not len(known):
        return []
    inner = np.quantile(known, np.arange(1, GROUPS) / GROUPS)
    return [float(edge) for edge in np.unique(inner.astype(np.float32))]


def shares_of(values: Array, edges: list[float]) -> list[float]:
    """The share of the rows in each group (value <= edge, then above the last), and, last, of those
    without a value."""
    known = np.isfinite(values)
    places = np.searchsorted(np.asarray(edges, dtype=np.float32), values[known], side="left")
    counts = np.bincount(places, minlength=len(edges) + 1)
    told = [*counts.tolist(), int((~known).sum())]
    return [round(count / max(1, len(values)), DIGITS) for count in told]


def psi(then: list[float], now: list[float]) -> float:
    """The population stability index of two lists of shares."""
    before, after = (np.maximum(np.asarray(shares), LEAST_SHARE) for shares in (then, now))
    return round(float(((after - before) * np.log(after / before)).sum()), DIGITS)


def profile(holdout: ParquetSet, features: tuple[str, ...], scores: Scores) -> Json:
    """What model.json keeps: {features: {name: {edges, shares}}, probability: {...}, base_rate}."""
    found = {name: _described(holdout.column(name)) for name in features}
    return {
        "features": found,
        "probability": _described(scores.probability),
        "base_rate": round(float(scores.label.mean(dtype=np.float64)), DIGITS),
    }


def _described(values: Array) -> Json:
    edges = edges_of(values)
    return {"edges": edges, "shares": shares_of(values, edges)}


def since(live: Model, then: Json, holdout: ParquetSet, scores: Scores) -> Json:
    """Drift from the live model's profile to this run's holdout: {since, features: {name: psi},
    probability, base_rate: {then, now}, asked}; `scores` are the live model's on it. The features
    that moved most come first, and `asked` is `of_requests`."""
    found = {
        name: psi(told["shares"], shares_of(holdout.column(name), told["edges"]))
        for name, told in then["features"].items()
        if name in holdout.features
    }
    moved = then["probability"]
    return {
        "since": live.run,
        "features": _most_moved(found),
        "probability": psi(moved["shares"], shares_of(scores.probability, moved["edges"])),
        "base_rate": {
            "then": then["base_rate"],
            "now": round(float(scores.label.mean(dtype=np.float64)), DIGITS),
        },
        "asked": of_requests(then, live.run, live.asked),
    }


def of_requests(then: Json, run: str, asked: Json | None) -> Json | None:
    """Drift from the live model's profile to the rows that its endpoint was asked: {since,
    complete, rows, by_chance, features: {name: psi}}; None where nobody asked. `by_chance` is about
    the index of as many rows of the holdout, so no more than that says nothing."""
    counted = asked and asked["models"].get(run)
    if not asked or not counted:
        return None
    found = {
        name: psi(then["features"][name]["shares"], [count / sum(counts) for count in counts])
        for name, counts in counted["features"].items()
    }
    return {
        "since": asked["since"],
        "complete": asked["complete"],
        "rows": counted["rows"],
        "by_chance": round((GROUPS - 1) / counted["rows"], DIGITS),
        "features": _most_moved(found),
    }


def _most_moved(found: dict[str, float]) -> dict[str, float]:
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
